"""Every bound of Potok, named with its unit and its reason; asserts relate them.

Reaching a bound always has a named outcome: an error of `potok.errors`, a larger frame, or a wait.
"""

KiB = 1024
MiB = 1024 * KiB

# requests

# One message of a request; a long document fits, a video does not.
MESSAGE_BYTES_MAX = 1 * MiB
# One request body; a chat history with pictures fits.
BODY_BYTES_MAX = 20 * MiB
# Messages in one request; the longest real chats have a few thousand.
MESSAGES_MAX = 10_000
# Nesting of a JSON body; deeper ones only exhaust parsers.
JSON_DEPTH_MAX = 64
# Characters of an Idempotency-Key; a UUID has 36.
IDEMPOTENCY_KEY_CHARACTERS_MAX = 255
# Characters of a model's or an agent's name.
NAME_CHARACTERS_MAX = 200
# Choices (`n`) in one run; OpenAI allows 128, each one is paid for.
CHOICES_MAX = 16
assert MESSAGE_BYTES_MAX < BODY_BYTES_MAX

# events

# One event in the log; a tool result may be large, larger ones go by reference.
EVENT_BYTES_MAX = 2 * MiB
# Text of one merged delta; keeps a frame readable for clients that read 16 KiB at once.
DELTA_CHARACTERS_MAX = 2_000
# Events of one run; at 100 tokens a second that is more than two hours of unmerged tokens.
RUN_EVENTS_MAX = 1_000_000

# runs

# Bytes of events that a producer holds while the log commits; then it stops reading its upstream.
PRODUCER_PENDING_BYTES_MAX = 1 * MiB
# Runs alive in one process; each holds a task, an upstream call and its tail.
LIVE_RUNS_MAX = 10_000
# Attempts of one run, take-overs included: no poison run that kills worker after worker.
RUN_ATTEMPTS_MAX = 3
# Tries to store a run's end while the log is failing, then recovery at the next start ends it.
RUN_END_TRIES_MAX = 5
# Wait for a run to settle after a cancel before the caller gets 202.
CANCEL_WAIT_SECONDS = 2.0
# Wait for live runs to stop at shutdown; the whole exit takes at most five seconds.
SHUTDOWN_RUNS_SECONDS = 2.0
# Wait for open connections at shutdown after readers were sent to come back.
SHUTDOWN_CONNECTIONS_SECONDS = 2.0
assert SHUTDOWN_RUNS_SECONDS + SHUTDOWN_CONNECTIONS_SECONDS < 5.0

# reading

# Events in one page of the log; at 100 bytes each a page stays under the frame limit of a socket.
READ_EVENTS_MAX = 500
# Longest long-poll; proxies cut requests at 60 seconds and more.
LONG_POLL_SECONDS_MAX = 30.0
# Bytes of one write to a client: the documents' own clients read whole frames of at most 16 KiB.
WRITE_BYTES_MAX = 16 * KiB
# A write that a client does not take within this time ends that reader, not the run.
WRITE_SECONDS_MAX = 60.0
# Runs in one page of a list.
LIST_ITEMS_MAX = 200

# log

# Commits wait for more batches only when many runs write: the shortest and the longest wait.
COMMIT_TICK_SECONDS_MIN = 0.005
COMMIT_TICK_SECONDS_MAX = 0.020
# Batches in one commit from which a commit counts as loaded; below it the next one starts at once.
COMMIT_LOADED_BATCHES = 16
# Bytes of recent events kept in memory per live run, so that live readers do not read the disk.
TAIL_BYTES_MAX = 256 * KiB
assert COMMIT_TICK_SECONDS_MIN < COMMIT_TICK_SECONDS_MAX

# wire

# One line of a server-sent event; a Responses frame that carries a picture has a few MiB.
SSE_LINE_BYTES_MAX = 8 * MiB
# Data of one server-sent event, its lines joined.
SSE_EVENT_BYTES_MAX = 8 * MiB
# Digits of a peer's `retry:`; more would not be exact in JavaScript, and are 31,000 years.
SSE_RETRY_DIGITS_MAX = 15
# One line of newline-delimited JSON: the same frames without SSE around them.
NDJSON_LINE_BYTES_MAX = 8 * MiB
assert EVENT_BYTES_MAX < SSE_LINE_BYTES_MAX <= SSE_EVENT_BYTES_MAX
assert EVENT_BYTES_MAX < NDJSON_LINE_BYTES_MAX
# Seconds for which an Idempotency-Key finds its run again.
IDEMPOTENCY_KEY_SECONDS = 24 * 3600
# A log that cannot be written for so long ends its runs: their upstreams cost money meanwhile.
LOG_OUTAGE_SECONDS_MAX = 30.0
# Folds of live runs kept for snapshots that are asked for again and again.
SNAPSHOT_FOLDS_MAX = 256
# Runs that recovery takes up in one round, so that a crash with many runs does not stall the loop.
RECOVERY_ITEMS_MAX = 200

# models

# Making a connection to a provider; longer means that nobody listens there.
UPSTREAM_CONNECT_SECONDS = 10.0
# Wait for the first token: models that think without showing it are silent for minutes.
UPSTREAM_FIRST_TOKEN_SECONDS = 300.0
# Silence between two tokens; keep-alive comments do not end it.
UPSTREAM_TOKEN_GAP_SECONDS = 120.0
# One answer, its retries included.
UPSTREAM_TOTAL_SECONDS = 3600.0
# Wait for usage and `[DONE]` after the last finish reason; the answer itself is whole by then.
UPSTREAM_TAIL_SECONDS = 5.0
# Wait for the body's end after `[DONE]`, so that the connection can serve the next call.
UPSTREAM_LINGER_SECONDS = 0.1
# A provider's list of models, or the body of its error: people wait for both.
UPSTREAM_LIST_SECONDS = 5.0
# Tries of one call before its first token; more would hide an outage for minutes.
UPSTREAM_TRIES_MAX = 3
# Waits between tries: the first one, and what doubling stops at.
UPSTREAM_BACKOFF_SECONDS = 0.5
UPSTREAM_BACKOFF_SECONDS_MAX = 8.0
# Longest `Retry-After` that is waited for; people rather hear of a longer one at once.
UPSTREAM_RETRY_AFTER_SECONDS_MAX = 60.0
# Live calls of one provider; each holds a connection.
UPSTREAM_CALLS_MAX = 256
# Calls that wait for a place at one provider, and for how long.
UPSTREAM_WAITING_MAX = 1_000
UPSTREAM_WAIT_SECONDS_MAX = 300.0
# The body of an error status; only a sentence of it is used.
UPSTREAM_ERROR_BYTES_MAX = 64 * KiB
# Characters of a provider's own words in an error of ours.
UPSTREAM_WORDS_CHARACTERS_MAX = 300
# An answer or a list of models that comes as one JSON.
UPSTREAM_REPLY_BYTES_MAX = 16 * MiB
# Models of one provider; the largest routers list some hundreds.
MODELS_MAX = 10_000
# A list of models is asked for again after this time, after a failure sooner.
MODELS_KEPT_SECONDS = 60.0
MODELS_FAILURE_KEPT_SECONDS = 10.0
assert UPSTREAM_CONNECT_SECONDS < UPSTREAM_FIRST_TOKEN_SECONDS < UPSTREAM_TOTAL_SECONDS
assert UPSTREAM_TOKEN_GAP_SECONDS < UPSTREAM_TOTAL_SECONDS
assert EVENT_BYTES_MAX < UPSTREAM_REPLY_BYTES_MAX

# streamlog

# Bytes of one page of the log, its first event aside: a reader's memory does not follow event sizes.
READ_BYTES_MAX = 1 * MiB
# Recent events of all live runs in memory; more live runs get smaller tails, not more memory.
TAILS_BYTES_MAX = 128 * MiB
# What an event costs in memory beside its text: two structs and their strings.
TAIL_EVENT_OVERHEAD_BYTES = 200
# Ended runs whose tails stay, so that readers who follow get the end without reading the disk.
ENDED_TAILS_MAX = 64
# Batches in one commit; the rest follow at once in the next one, so no batch waits for all others.
COMMIT_BATCHES_MAX = 4096
# Batches in one commit at which the wait between commits is the longest.
COMMIT_FULL_BATCHES = 256
# Waits before the next commit after one that failed, doubling: a full disk is not cured by haste.
COMMIT_RETRY_SECONDS_MIN = 0.05
COMMIT_RETRY_SECONDS_MAX = 2.0
# Commits after closing began; a source that always has more to write must not hold the exit.
COMMIT_CLOSING_ROUNDS_MAX = 8
# Bytes of one segment row; a reader of one run in a commit of thousands reads no more than this.
SEGMENT_BYTES_MAX = 64 * KiB
# Threads that read the log's file; more would only wait for the same disk.
LOG_READERS_MAX = 4
# Wait for a lock inside SQLite; only a backup or a shell opened beside the server holds one long.
SQLITE_BUSY_SECONDS = 5.0
# Bytes of SQLite's write-ahead log that stay on disk after a burst.
SQLITE_WAL_BYTES_MAX = 64 * MiB
# Runs and segments that retention removes in one step, between which commits go on.
TRIM_RUNS_MAX = 200
TRIM_SEGMENTS_MAX = 500
# Steps of one call of `trim`; what is left waits for the next call.
TRIM_STEPS_MAX = 50
# Waits end in steps of this time, so that thousands of waiting readers share one timer.
WAIT_STEP_SECONDS = 0.02
assert TAIL_BYTES_MAX * ENDED_TAILS_MAX <= TAILS_BYTES_MAX
assert COMMIT_LOADED_BATCHES < COMMIT_FULL_BATCHES <= COMMIT_BATCHES_MAX
assert COMMIT_RETRY_SECONDS_MIN < COMMIT_RETRY_SECONDS_MAX
# server

# Wait for a request's body; a history with pictures over a slow phone takes a minute.
BODY_SECONDS_MAX = 120.0
# Bytes of a refused body that are read and thrown away, so that its sender can read the answer.
BODY_DISCARDED_BYTES_MAX = BODY_BYTES_MAX
# Wait for a reader's first page before its headers go out without it.
FIRST_PAGE_SECONDS_MAX = 0.5
# Wait for the next request on an open connection; longer than the 60 s that proxies keep one.
KEEP_ALIVE_SECONDS = 75.0
# The whole way out after a signal; the machine's service manager would kill us anyway.
SHUTDOWN_SECONDS_MAX = 4.8
# Ports looked at for a free one, from the one that is taken.
PORTS_TRIED_MAX = 100
# Connections that wait to be accepted.
BACKLOG_CONNECTIONS_MAX = 2_048
# Seconds for which a browser may remember what a preflight allowed.
PREFLIGHT_KEPT_SECONDS = 600
assert SHUTDOWN_RUNS_SECONDS + SHUTDOWN_CONNECTIONS_SECONDS < SHUTDOWN_SECONDS_MAX < 5.0

# dialects

# Wait of a browser's EventSource before it reconnects; its own default of 3 s and more is felt.
SSE_RETRY_MS = 1_000
# `stop` sequences, `tools` and `top_logprobs` of one request, as OpenAI bounds them.
STOP_SEQUENCES_MAX = 4
TOOLS_MAX = 128
TOP_LOGPROBS_MAX = 20
