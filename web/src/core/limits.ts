/** Every bound of the core, with its unit and its reason. Reaching one has a named outcome. */

const KiB = 1024;
const MiB = 1024 * KiB;

// Reading. The same values as on the server, which writes what is read here.

/** One line of a server-sent event; a frame that carries a picture has a few MiB. */
export const SSE_LINE_BYTES_MAX = 8 * MiB;
/** Data of one server-sent event, its lines joined. */
export const SSE_EVENT_BYTES_MAX = 8 * MiB;
/** Digits of a peer's `retry:`; more would not be exact, and are 31,000 years. */
export const SSE_RETRY_DIGITS_MAX = 15;
/** UTF-16 units of one message on a socket: never more than its bytes. */
export const SOCKET_MESSAGE_UNITS_MAX = 8 * MiB;
/** One JSON answer; a run's snapshot holds its whole text. */
export const REPLY_BYTES_MAX = 64 * MiB;
/** The body of an error status; only a code and a sentence of it are used. */
export const ERROR_BYTES_MAX = 64 * KiB;

// Reconnection, as in `potok.limits`; the shared vectors depend on these values.

/** Wait before the first try to get a lost stream back, unless the server's `retry:` says another. */
export const RECONNECT_SECONDS = 1;
/** Shortest base that a server's `retry:` can set: 0 would make a loop without a pause. */
export const RECONNECT_SECONDS_MIN = 0.1;
/** What doubling stops at; also the wait while the machine says that it is offline. */
export const RECONNECT_SECONDS_MAX = 30;
/** Tries in a row without anything new; with the waits between them some two minutes on average. */
export const RECONNECT_TRIES_MAX = 10;
/** Time from the first failure on after which a stream is given up, however few tries that were. */
export const RECONNECT_OUTAGE_SECONDS_MAX = 600;
/** Wait for an answer's headers; the start of a run may wait for a provider's list of models. */
export const RECONNECT_OPEN_SECONDS = 30;
/** Interval of heartbeats where the server tells none: three outlast the longest setting, 60 s. */
export const RECONNECT_HEARTBEAT_SECONDS = 25;
/** Silence after which a line is dead, in heartbeats: one may be lost, two may be late. */
export const RECONNECT_SILENT_HEARTBEATS = 3;
/** A timer that comes this much late was asleep with its machine: what it measured was no outage. */
export const RECONNECT_SLEEP_SECONDS = 15;

/** Arrivals no further apart than this came in one piece. */
export const BURST_GAP_SECONDS = 0.05;
/** A heartbeat this soon after something else was held back: its sender was silent for long. */
export const BURST_HEARTBEAT_SECONDS = 0.5;
/** Late heartbeats that make a proxy of it; one may be a hiccup of the network. */
export const BURST_HEARTBEATS_MAX = 2;
/** Events in one piece that look like a buffer that was full. */
export const BURST_EVENTS_MIN = 8;
/** The silence before such a piece. */
export const BURST_SILENCE_SECONDS = 1;
/** Such pieces in a row, with no smaller one between them; a model may pause twice by itself. */
export const BURSTS_MAX = 3;

/** Longest time that `setTimeout` takes; a longer one would ring at once. */
export const TIMER_MILLISECONDS_MAX = 2 ** 31 - 1;

// Starting and stopping

/** Wait for the id of a run that was stopped before its start was answered, so that it can stop. */
export const STOP_SECONDS_MAX = 30;
/** Tries of a cancel: it may be repeated, and a run that goes on costs money. */
export const CANCEL_TRIES_MAX = 5;

// Simple chat

/** Tries of a simple answer: somebody waits for words and rather reads an error than nothing. */
export const SIMPLE_TRIES_MAX = 3;
/** Wait before the first of them. */
export const SIMPLE_SECONDS = 0.5;
/** Wait for an answer that comes as one JSON: as long as one answer may take. */
export const SIMPLE_ANSWER_SECONDS_MAX = 3600;
/** Wait for a socket to open before the next way is taken. */
export const SOCKET_OPEN_SECONDS = 3;

// Sockets

/** Our own ping: browsers show no pings of the server, so silence says nothing without it. */
export const SOCKET_PING_SECONDS = 15;
/** Messages that wait for their turn on a simple socket; each may be an answer of minutes. */
export const SOCKET_QUEUE_MAX = 16;
/** Runs read over one socket at a time. */
export const SOCKET_RUNS_MAX = 1_000;

// Buffers before the screen

/** Time between two updates: the eye reads 20 a second as a flow. */
export const TOKEN_BUFFER_MILLISECONDS = 50;
/** Pieces and time of the buffer of ten. */
export const STREAM_BUFFER_PIECES = 10;
export const STREAM_BUFFER_MILLISECONDS = 100;
/** UTF-16 units that flush at once: hidden pages get their timers once a minute. */
export const BUFFER_UNITS_MAX = 64 * KiB;
