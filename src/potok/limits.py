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
# An idle connection is kept for the next call; many servers close theirs sooner.
UPSTREAM_IDLE_SECONDS = 30.0
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

# streamlog

# Bytes of one page of the log after its first event: readers cost memory by bytes, not by events.
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
SEGMENT_BYTES_MAX = 16 * KiB
# Segments that one statement inserts; some builds of SQLite take only 999 values in one.
SEGMENTS_INSERT_MAX = 64
# Threads that read the log's file; more would only wait for the same disk.
LOG_READERS_MAX = 4
# A thread of the log that has not answered in this time may be waiting for the interpreter ...
THREAD_PATIENCE_SECONDS = 0.004
# ... so that the event loop stands still for at most this, once in that time, to let it run.
THREAD_LENT_SECONDS = 0.0005
# Wait for a lock inside SQLite; only a backup or a shell opened beside the server holds one long.
SQLITE_BUSY_SECONDS = 5.0
# Bytes of SQLite's write-ahead log that stay on disk after a burst.
SQLITE_WAL_BYTES_MAX = 64 * MiB
# Runs and segments that retention removes in one step, between which commits go on.
TRIM_RUNS_MAX = 200
TRIM_SEGMENTS_MAX = 500
# Steps of one call of `trim`, half a million segments: half an hour of a thousand fast runs.
TRIM_STEPS_MAX = 1_000
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
# A client that takes one write for so long lags: its next frames may hold more.
WRITE_SECONDS_SLOW = 0.1
# Connections that one process serves; on further ones requests are refused with 503.
CONNECTIONS_MAX = 20_000
# From the first byte of a request, or its connection, to the end of its headers.
REQUEST_HEAD_SECONDS_MAX = 20.0
# A request's line and headers; keys and cookies are far shorter.
REQUEST_HEAD_BYTES_MAX = 64 * KiB
# Seconds for which a browser may remember what a preflight allowed.
PREFLIGHT_KEPT_SECONDS = 600
# Events of a page that are made into frames at once, for a reader that may take none of them.
ENCODE_EVENTS_MAX = 16
# Wait of the page at `/` for the models' names; the page is there without them, too.
HOME_MODELS_SECONDS_MAX = 1.0
assert SHUTDOWN_RUNS_SECONDS + SHUTDOWN_CONNECTIONS_SECONDS < SHUTDOWN_SECONDS_MAX < 5.0

# dialects

# Wait of a browser's EventSource before it reconnects; its own default of 3 s and more is felt.
SSE_RETRY_MS = 1_000
# `stop` sequences, `tools` and `top_logprobs` of one request, as OpenAI bounds them.
STOP_SEQUENCES_MAX = 4
TOOLS_MAX = 128
TOP_LOGPROBS_MAX = 20

# models/demo

# Characters of a question whose words the demo model looks for; the rest is a text to search in.
DEMO_QUESTION_CHARACTERS_MAX = 600
# Characters of one sentence that it quotes; longer ones are cut, and found by their parts.
DEMO_PASSAGE_CHARACTERS_MAX = 400
# Sentences of a prompt that it indexes; of a longer one those that share words with the question.
DEMO_PASSAGES_MAX = 1_000
# Words of a question by which it chooses those sentences; one question rarely has more.
DEMO_PROBES_MAX = 16
# Characters of a prompt that it reads, newest first: some 50 ms of CPU.
DEMO_CONTEXT_CHARACTERS_MAX = 2 * MiB
# Characters of a prompt whose tokens it counts one by one; from there on it reckons their share.
DEMO_COUNTED_CHARACTERS_MAX = 128 * KiB
# Characters of one answer; then it ends with the finish reason `length`, as any model's does.
DEMO_ANSWER_CHARACTERS_MAX = 64 * KiB
# Numbers in one count; at the usual pace that is eight minutes.
DEMO_COUNT_MAX = 10_000
# Digits of a number that it calculates with; a power has no other bound.
DEMO_DIGITS_MAX = 40
# Pieces of an answer that was asked for at length; half a minute is enough to kill a server in.
DEMO_LONG_ANSWER_PIECES = 400
# Pieces in one batch; between two batches the loop serves others.
DEMO_BATCH_PIECES_MAX = 64
# Pieces due within one such tick come together: a shorter sleep costs more than it paces.
DEMO_TICK_SECONDS = 0.005
# Longest sleep without a look at whether the provider was closed.
DEMO_CLOSE_CHECK_SECONDS = 0.25
assert MESSAGE_BYTES_MAX <= DEMO_CONTEXT_CHARACTERS_MAX

# cli

# Making a connection to a Potok server, which is usually on this machine.
CLI_CONNECT_SECONDS = 5.0
# Wait for the answer to "are you a Potok?"; somebody else on the port may never answer.
CLI_PROBE_SECONDS = 2.0
# Wait for the answer to a short request; a start may wait for a provider's list of models.
CLI_REPLY_SECONDS = 30.0
# Silence on a stream after which its connection counts as lost; heartbeats come within 60 s.
CLI_SILENCE_SECONDS = 75.0
# One JSON answer of a server; a run's snapshot holds its whole text.
CLI_REPLY_BYTES_MAX = 64 * MiB
# Bytes taken at once from a stream; more would not come in one piece anyway.
CLI_READ_BYTES = 64 * KiB
# Tries in a row to get a lost stream back, half a minute together: a server restarts within that.
CLI_RECONNECT_TRIES_MAX = 10
# Waits between these tries: the first one, and what doubling stops at.
CLI_RECONNECT_SECONDS_MIN = 0.25
CLI_RECONNECT_SECONDS_MAX = 5.0
# Free space in the data folder: below the first `potok doctor` warns, below the second it fails.
DISK_FREE_BYTES_WARN = 1024 * MiB
DISK_FREE_BYTES_MIN = 100 * MiB
# Events this far apart count as two moments, and a stream of more moments than these as smooth.
PULSE_GAP_SECONDS = 0.005
PULSE_MOMENTS_MIN = 3
# Wait before a blocked read is interrupted once more, after a second Ctrl-C.
CLI_INTERRUPT_SECONDS = 0.1
# Tries to start an answer; its Idempotency-Key makes a second try harmless.
CLI_START_TRIES_MAX = 3
assert CLI_CONNECT_SECONDS < CLI_REPLY_SECONDS < CLI_SILENCE_SECONDS

# workers

# Processes of one `potok serve`; more than there are cores only wait for each other.
WORKERS_MAX = 64
# Waits before a worker that died is started again, doubling, until it has lived long enough.
WORKER_RESTART_SECONDS_MIN = 0.1
WORKER_RESTART_SECONDS_MAX = 5.0
WORKER_STEADY_SECONDS = 10.0
assert WORKER_RESTART_SECONDS_MIN < WORKER_RESTART_SECONDS_MAX < WORKER_STEADY_SECONDS

# reconnection

# Wait before the first try to get a lost stream back, unless the server's `retry:` says another.
RECONNECT_SECONDS = 1.0
# Shortest base that a server's `retry:` can set: 0 would make a loop without a pause.
RECONNECT_SECONDS_MIN = 0.1
# What doubling stops at; also the wait while the machine says that it is offline.
RECONNECT_SECONDS_MAX = 30.0
# Tries in a row without anything new; with the waits between them some two minutes on average.
RECONNECT_TRIES_MAX = 10
# Time from the first failure on after which a stream is given up, however few tries that were.
RECONNECT_OUTAGE_SECONDS_MAX = 600.0
# Wait for an answer's headers; the start of a run may wait for a provider's list of models.
RECONNECT_OPEN_SECONDS = 30.0
# Interval of heartbeats where the server tells none: three of it outlast the longest setting, 60 s.
RECONNECT_HEARTBEAT_SECONDS = 25.0
# Silence after which a line is dead, in heartbeats: one may be lost, two may be late.
RECONNECT_SILENT_HEARTBEATS = 3
# A timer that comes this much late was asleep with its machine: what it measured was no outage.
RECONNECT_SLEEP_SECONDS = 15.0
# Arrivals no further apart than this came in one piece.
BURST_GAP_SECONDS = 0.05
# A heartbeat this soon after something else was held back: its sender was silent for an interval.
BURST_HEARTBEAT_SECONDS = 0.5
# Late heartbeats that make a proxy of it; one may be a hiccup of the network.
BURST_HEARTBEATS_MAX = 2
# Events in one piece, and the silence before it, that look like a buffer that was full.
BURST_EVENTS_MIN = 8
BURST_SILENCE_SECONDS = 1.0
# Such pieces in a row, with no smaller one between them; a model may pause twice by itself.
BURSTS_MAX = 3
assert RECONNECT_SECONDS_MIN < RECONNECT_SECONDS < RECONNECT_SECONDS_MAX
assert RECONNECT_SILENT_HEARTBEATS * RECONNECT_HEARTBEAT_SECONDS > 60.0
assert BURST_GAP_SECONDS < BURST_HEARTBEAT_SECONDS < BURST_SILENCE_SECONDS

# chats

# Characters of a chat's or project's title; the list shows one line of it.
TITLE_CHARACTERS_MAX = 200
# Characters of a title that is made for a chat: what a narrow column shows.
TITLE_MADE_CHARACTERS_MAX = 60
# Characters of a first message from which a model makes a title; more says nothing new.
TITLE_SOURCE_CHARACTERS_MAX = 600
# Characters of a project's instructions, which every run of its chats carries.
INSTRUCTIONS_CHARACTERS_MAX = 32_000
# Characters of a client's own id of a message; a UUID has 36.
CLIENT_ID_CHARACTERS_MAX = 200
# Items in one page of a list of chats, and messages in one page of a chat.
CHAT_LIST_ITEMS = 50
CHAT_PAGE_MESSAGES = 200
# Newest messages of a chat that a model is shown; beyond it no model follows.
CHAT_HISTORY_MESSAGES_MAX = 500
# Characters of all these messages: each run keeps its own copy of what its model was shown.
CHAT_HISTORY_CHARACTERS_MAX = 2 * MiB
# Messages that wait in one chat's queue; a person plans no further.
QUEUE_ITEMS_MAX = 50
# Characters of a search, and words of it that count.
SEARCH_CHARACTERS_MAX = 500
SEARCH_QUERY_WORDS_MAX = 12
# Different words of one message that are found by search, and the bytes of each and of all.
SEARCH_WORDS_MAX = 20_000
SEARCH_WORD_BYTES_MAX = 80
SEARCH_WORDS_BYTES_MAX = 512 * KiB
# Last letters typed may begin a longer word, from this many on; fewer begin too many.
SEARCH_PREFIX_CHARACTERS_MIN = 3
# Hits looked at in the first round of a search, and rounds, four times as long where they bring
# little. A round costs more than its hits: most pages of most searches shall need one.
SEARCH_ROUND_HITS = 1_600
SEARCH_ROUNDS_MAX = 6
# Characters around the found word in a list of found chats.
SNIPPET_CHARACTERS_MAX = 160
# Words whose stems are remembered; a language's common words are far fewer.
STEMS_KEPT_MAX = 50_000
# A text from this length on is made ready for search outside the event loop.
SEARCH_INLINE_CHARACTERS_MAX = 4_000
# Messages in one import; a long life with chats has fewer, and one body holds no more.
IMPORT_MESSAGES_MAX = 200_000
# Chats in one import, each of which is checked by itself.
IMPORT_CHATS_MAX = 20_000
# Rows that one statement inserts; databases bound the values of one.
IMPORT_ROWS_PER_STATEMENT = 500
# Messages of an export in memory at once.
EXPORT_PAGE_MESSAGES = 500
# Connections of one server to the chats' database.
DATABASE_CONNECTIONS_MAX = 8
# Making a connection to PostgreSQL, and waiting for a free one.
DATABASE_CONNECT_SECONDS = 10.0
# Looks for answers whose runs ended without their message hearing of it.
CHAT_UPKEEP_SECONDS = 20.0
# Unsettled answers in one such look; the next look takes the rest.
CHAT_UPKEEP_ITEMS_MAX = 200
# Wait at shutdown for answers that are just being stored; the next start stores the others.
CHAT_CLOSE_SECONDS = 1.0
assert TITLE_MADE_CHARACTERS_MAX < TITLE_CHARACTERS_MAX
assert CHAT_CLOSE_SECONDS < SHUTDOWN_SECONDS_MAX
assert SEARCH_WORD_BYTES_MAX < SEARCH_WORDS_BYTES_MAX < 1 * MiB

# simple chat and sockets

# Characters of one frame of simple chat: even all escaped, it fits into one write.
SIMPLE_CHAT_PIECE_CHARACTERS_MAX = 2_000
# One message of a client on a socket: whatever a request's body may hold, and its envelope.
SOCKET_MESSAGE_BYTES_MAX = BODY_BYTES_MAX + 64 * KiB
# Pieces of one message; browsers send one, and a piece of no bytes would cost memory for nothing.
SOCKET_FRAGMENTS_MAX = 4_096
# Sockets open in one process; each holds two tasks, and at most one page per run that it follows.
SOCKETS_MAX = 4_096
# Runs that one socket follows at a time; a tab shows a few.
SOCKET_RUNS_MAX = 64
# Starts and cancels of one socket under way; its next message waits for one of them to end.
SOCKET_OPERATIONS_MAX = 16
# Messages of simple chat that wait behind the one being answered, and their bytes together.
SOCKET_QUEUE_MESSAGES_MAX = 16
SOCKET_QUEUE_BYTES_MAX = SOCKET_MESSAGE_BYTES_MAX
# Time between two pings of a socket's protocol; proxies close a quiet one after 60 s.
SOCKET_PING_SECONDS = 20.0
# Wait for the answer to such a ping; behind a slow line it queues after what was sent before it.
SOCKET_PONG_SECONDS_MAX = 60.0
# Wait until the last word on a socket, its close, is taken; whoever does not read gets none.
SOCKET_CLOSE_SECONDS = 1.0
assert SOCKET_CLOSE_SECONDS < SHUTDOWN_CONNECTIONS_SECONDS
assert SOCKET_PING_SECONDS < SOCKET_PONG_SECONDS_MAX

# models that are found by themselves

# Wait for a connection to an address that nobody configured; on loopback it is there at once.
FOUND_CONNECT_SECONDS = 0.25
# Wait for its list of models: whatever else listens there must not hold up a list for long.
FOUND_LIST_SECONDS = 2.0
assert FOUND_CONNECT_SECONDS < FOUND_LIST_SECONDS < UPSTREAM_LIST_SECONDS

# streamlog/redis

# Connections of one worker to Redis, beside the one that writes events and the one that listens.
REDIS_CONNECTIONS_MAX = 8
# Making a connection to Redis, its greeting included.
REDIS_CONNECT_SECONDS = 3.0
# Wait for Redis's answers; it does each of our commands in far less than a millisecond.
REDIS_REPLY_SECONDS = 4.0
# Wait for an fsync or a replica with `durability = "full"`; then the commit counts as failed.
REDIS_SYNC_MS_MAX = 3_000
# Waits before the listener connects again, doubling.
REDIS_LISTEN_RETRY_SECONDS_MIN = 0.1
REDIS_LISTEN_RETRY_SECONDS_MAX = 2.0
# Silence after which the listener asks Redis for a sign of life, and after which it gives up.
REDIS_LISTEN_PING_SECONDS = 2.0
REDIS_LISTEN_SILENCE_SECONDS_MAX = 6.0
# A run that readers wait for, and of which nothing was heard for so long, is looked at: a lost
# wake-up is late by this and no more.
REDIS_RECHECK_SECONDS = 1.0
# A run that nobody waited for in this time is no longer followed.
REDIS_UNWATCHED_SECONDS = 60.0
# Commands in one pipeline; their answers are held in memory together.
REDIS_PIPELINE_COMMANDS_MAX = 500
# The time to live of a live run's keys is set anew so often; it is a day at least.
REDIS_REFRESH_SECONDS = 600.0
# What Redis keeps beyond retention, which removes the same things earlier and in order.
REDIS_SLACK_SECONDS = 24 * 3600.0
# A lease that ends later than this was taken before Redis went back in time: it counts for nothing.
REDIS_LEASE_SECONDS_MAX = 20.0
# Redis's clock and this machine's may differ by this before `potok doctor` says so.
REDIS_SKEW_SECONDS_WARN = 5.0
# An answer of Redis that takes longer than this is worth a warning of `potok doctor`.
REDIS_SLOW_SECONDS_WARN = 0.05
# A run that its worker lists, but that is not there or is another's, may be on its way for so long.
REDIS_ENLISTED_SECONDS_MAX = 60.0
# Looks for a run that an idempotency key names before its maker counts as dead, and between them.
REDIS_CLAIM_LOOKS_MAX = 100
REDIS_CLAIM_LOOK_SECONDS = 0.02
# Rounds of claiming one key; each round but the last was lost to another caller.
REDIS_CLAIM_ROUNDS_MAX = 5
# Runs of which a worker remembers how far they were, to notice that the store lost some of it.
REDIS_KNOWN_RUNS_MAX = 10_000
assert REDIS_LISTEN_PING_SECONDS < REDIS_LISTEN_SILENCE_SECONDS_MAX
assert REDIS_SYNC_MS_MAX / 1000 < REDIS_REPLY_SECONDS

# continuation

# Calls of models for one answer, all sources together; a chain of broken ones must end.
CONTINUATION_CALLS_MAX = 5
# Time from an answer's first fault on, after which no further call is begun for it.
CONTINUATION_SECONDS_MAX = 300.0
# Waits before a source that just failed is asked again: the first one, and what doubling stops at.
CONTINUATION_BACKOFF_SECONDS = 1.0
CONTINUATION_BACKOFF_SECONDS_MAX = 8.0
# Models that may stand in for one; each is one more way to pay for an answer.
FALLBACKS_MAX = 8
# Characters of a broken answer that the next model is shown; its last pages say how to go on.
CONTINUATION_TAIL_CHARACTERS_MAX = 8_000
# Characters at a text's end in which what a model says again may begin; it was shown no more.
OVERLAP_WINDOW_CHARACTERS = CONTINUATION_TAIL_CHARACTERS_MAX
# Characters said again that are no chance; "the " may begin a sentence after "the " by right.
OVERLAP_CHARACTERS_MIN = 8
# The same for a whole text said again from its start, and for a word that was cut and begun anew.
OVERLAP_WHOLE_CHARACTERS_MIN = 4
OVERLAP_WORD_CHARACTERS_MIN = 3
# Characters that a model is asked to repeat, so that the join lies in words it knows.
ANCHOR_CHARACTERS_MIN = 20
ANCHOR_CHARACTERS_MAX = 120
assert OVERLAP_WORD_CHARACTERS_MIN <= OVERLAP_WHOLE_CHARACTERS_MIN <= OVERLAP_CHARACTERS_MIN
assert OVERLAP_CHARACTERS_MIN <= ANCHOR_CHARACTERS_MIN < ANCHOR_CHARACTERS_MAX
assert CONTINUATION_BACKOFF_SECONDS <= CONTINUATION_BACKOFF_SECONDS_MAX < CONTINUATION_SECONDS_MAX

# chats of clients that name them

# Pages of a principal's live runs that a look for one chat's run reads: more runs than one process
# can have alive.
NAMED_CHAT_PAGES_MAX = 100
assert NAMED_CHAT_PAGES_MAX * LIST_ITEMS_MAX > LIVE_RUNS_MAX

# the web page
# How long a browser keeps an asset, whose name changes with its contents: a year, the usual "ever".
ASSET_KEPT_SECONDS = 31_536_000

# responses

# Pairs in a response's metadata, as at OpenAI.
METADATA_PAIRS_MAX = 16
# Input items in one page of their list, as at OpenAI; and how many without a wish.
INPUT_ITEMS_MAX = 100
INPUT_ITEMS = 20

# the demo model's forms and calls

# Nesting of a schema that is filled; `$ref`s may go round in circles.
DEMO_FORM_DEPTH_MAX = 12
# Items that a list gets which may have any number.
DEMO_FORM_ITEMS_MAX = 20
# Calls at once; a question that means more tools means none in particular.
DEMO_CALLS_MAX = 4
# Characters of one tool's result that an answer repeats.
DEMO_RESULT_CHARACTERS_MAX = 4_000

# embeddings

# Texts in one request, as at OpenAI.
EMBEDDING_INPUTS_MAX = 2_048
# Numbers in one vector; the largest models have a few thousand.
EMBEDDING_DIMENSIONS_MAX = 8_192
# Wait for all vectors of a request.
EMBEDDING_SECONDS_MAX = 120.0
# Numbers in a vector of the demo model, unless asked for more or fewer.
DEMO_EMBEDDING_DIMENSIONS = 256
# Characters of a text that the demo model's vectors count; more would hold up the event loop.
DEMO_EMBEDDED_CHARACTERS_MAX = 8_000

# agents

# Events between an agent's tasks and its producer; more wait in the tasks, and so upstream.
AGENT_OUTBOX_EVENTS_MAX = 512
# A branch of an agent that gives nothing for so long is stopped; its model's own limits are lower.
AGENT_IDLE_SECONDS_MAX = 180.0
# Graphs between their start and their first word; each is some milliseconds without a pause.
AGENT_STARTS_AT_ONCE = 8
# Steps of one graph: a loop that never ends is a mistake, not an answer.
AGENT_STEPS_MAX = 50
# Rounds of asking a model that calls tools before its last answer has to come without them.
TOOL_ROUNDS_MAX = 8
# One call of a tool, unless the tool says otherwise.
TOOL_SECONDS_MAX = 60.0
# Characters of a tool's result: it is an event, and goes back to the model.
TOOL_RESULT_CHARACTERS_MAX = 50_000

# JSON answers

# One JSON schema of a request, as text; OpenAI takes about half of it.
JSON_SCHEMA_BYTES_MAX = 256 * KiB
# Schemas in one schema, counting what its references lead to; OpenAI takes 5,000 properties.
JSON_SCHEMA_PLACES_MAX = 20_000
# Faults of one answer that its model and its reader are told; more say nothing new.
JSON_FAULTS_MAX = 8
# Characters of one such sentence: names of fields in it are the model's.
JSON_FAULT_CHARACTERS_MAX = 200
# Characters of an answer that is held back until it is checked.
JSON_ANSWER_CHARACTERS_MAX = 2_000_000
# One check of an answer against its schema; those that end at all end in milliseconds.
JSON_CHECK_SECONDS_MAX = 2.0
# Checks that did not end in time and cannot be stopped; with so many, none is begun any more.
JSON_CHECKS_STUCK_MAX = 2

# search in chats
# Documents of one import after which PostgreSQL is told to count its words, which takes as long.
SEARCH_COUNT_DOCUMENTS_MIN = 1_000

# chats of other faces
# A run's request that is kept beside its answer until the run begins; after a crash at just that
# moment the text of a larger one, with pictures in it, is given back to the user.
CHAT_PLAN_BYTES_MAX = 1 * MiB
# How often a message is tried to be stored while the answer before it is being ended.
CHAT_BUSY_TRIES_MAX = 3

# queue

# How often a call that waits for its place says that its position has changed.
QUEUE_TELL_SECONDS = 1.0
# How often it says so though nothing has changed: whoever waits sees that it lives.
QUEUE_REPEAT_SECONDS = 60.0
# The part of a provider's queue that one principal's calls may take: others always find room.
QUEUE_LANE_SHARE = 0.75
# A run with more events than this does not wait to begin: each second of a wait gives at most one.
QUEUED_EVENTS_MAX = 512

# gguf

# Wait for a model to be loaded; tens of gigabytes from a slow disk take minutes.
GGUF_START_SECONDS_MAX = 300.0
# Wait for one small answer of the child that serves a model: how it is, which slots are busy.
GGUF_PROBE_SECONDS = 2.0
# How often a child that loads, or that should let go of a slot, is asked again.
GGUF_PROBE_EVERY_SECONDS = 0.02
# The same where nobody waits for the answer.
GGUF_PROBE_LATER_SECONDS = 0.2
# After a stop: how long the child may go on with that answer before it is killed. It does not look
# up while it reads a prompt; then nobody else is hurt, or others lose their place in it.
GGUF_CANCEL_GRACE_SECONDS = 0.3
GGUF_CANCEL_SHARED_GRACE_SECONDS = 3.0
# After a stop: how long it is watched whether the child begins what it had still in its queue.
GGUF_CANCEL_WATCH_SECONDS = 5.0
# Children of one file that may die one after the other; then it is left alone for a while.
GGUF_DEATHS_MAX = 4
GGUF_REST_SECONDS = 60.0
# Wait before a child that died again is started again: doubled with each death.
GGUF_RESPAWN_SECONDS = 0.5
GGUF_RESPAWN_SECONDS_MAX = 15.0
# Lines of a child's complaints that are kept until it is ready; the first ones tell the cause.
GGUF_COMPLAINTS_MAX = 50
# Memory in which a child keeps the prompts of earlier answers, in MiB.
GGUF_PROMPT_CACHE_MIB = 512
# Tokens that a child reads in one piece; also the longest text that a chat model makes a vector of.
GGUF_BATCH_TOKENS = 512
# The same for models that are made for vectors.
GGUF_EMBEDDING_TOKENS_MAX = 8_192
# Tool calls in one answer of a local model; small ones do not know when to stop.
GGUF_CALLS_MAX = 4
# Facts or tensors at a file's head, bytes of a text, items in a list: large vocabularies fit.
GGUF_FACTS_MAX = 100_000
GGUF_FACT_BYTES_MAX = 4 * MiB
GGUF_ITEMS_MAX = 4_000_000
# Files that one folder of models shows.
GGUF_FILES_MAX = 1_000
assert GGUF_CANCEL_GRACE_SECONDS < GGUF_CANCEL_SHARED_GRACE_SECONDS < GGUF_CANCEL_WATCH_SECONDS
assert GGUF_RESPAWN_SECONDS < GGUF_RESPAWN_SECONDS_MAX < GGUF_REST_SECONDS

# downloads of models

# Tries in a row that bring no byte; a try that brings some is no failure.
DOWNLOAD_TRIES_MAX = 6
DOWNLOAD_BACKOFF_SECONDS = 0.5
DOWNLOAD_BACKOFF_SECONDS_MAX = 15.0
# Wait for a connection, and for the next bytes.
DOWNLOAD_CONNECT_SECONDS = 20.0
DOWNLOAD_STALL_SECONDS = 60.0
# Redirects from a hub to where its files really are; two are usual.
DOWNLOAD_REDIRECTS_MAX = 8
# Bytes that are written in one go; larger pieces make progress jump.
DOWNLOAD_WRITE_BYTES = 1 * MiB
# Room that is left on the disk, so that a download does not take the event log's last byte.
DOWNLOAD_SPARE_BYTES = 256 * MiB
# A hub's list of one repository's files.
DOWNLOAD_LIST_BYTES_MAX = 8 * MiB
# A GET that starts a run is the same start again for so long: EventSource repeats one that was cut.
GET_STARTS_ONCE_SECONDS = 60.0

# titles of chats
# Characters of the answer that names a chat; whoever says more is no namer and is stopped.
TITLE_ANSWER_CHARACTERS_MAX = 400
# How long a model may think about a name; the first words stay meanwhile.
TITLE_SECONDS_MAX = 60.0
assert TITLE_MADE_CHARACTERS_MAX < TITLE_ANSWER_CHARACTERS_MAX
# Tools of one MCP server that a model is shown; more only confuse it.
MCP_TOOLS_MAX = 128
# checkpoints of graphs
# A checkpoint that is being written when its run is stopped may take so long to end.
CHECKPOINT_SECONDS_MAX = 10.0
# Connections to PostgreSQL for checkpoints: one writes, one more holds the lock of the setup.
CHECKPOINT_CONNECTIONS_MAX = 2
# Workers that start together make the tables one after the other, each within this.
CHECKPOINT_SETUP_SECONDS_MAX = 30.0
CHECKPOINT_SETUP_LOOK_SECONDS = 0.05
# A graph that has said nothing for so long waits for something: the next ones may start.
AGENT_START_SECONDS_MAX = 0.5
# Runs whose checkpoints are looked at once in a process's life: those that nobody forgot.
CHECKPOINTS_LISTED_MAX = 1_000
# Wait, as the server goes down, for checkpoints of ended runs to be removed.
CHECKPOINTS_CLOSE_SECONDS = 1.0
assert CHECKPOINTS_CLOSE_SECONDS < SHUTDOWN_SECONDS_MAX
