/** Every bound of the page, with its unit and reason; those of the client are `core/limits.ts`. */

const KiB = 1024;

/** Time between two paints of a growing answer: the eye reads 20 a second as a flow. */
export const PAINT_MILLISECONDS = 50;
/** What that time may grow to on a slow machine; beyond it an answer seems to stand still. */
export const PAINT_MILLISECONDS_MAX = 400;
/** Part of the time that painting may take: typing must stay smooth meanwhile. */
export const PAINT_SHARE = 1 / 4;

/** Time between two copies of a growing answer in the browser: a reload shows it at once. */
export const SAVE_MILLISECONDS = 1_000;
/** UTF-16 units of a kept conversation: browsers keep about 5 million for an origin. */
export const CONVERSATION_UNITS_MAX = 2_000 * KiB;
/** Questions kept in a conversation; older ones are dropped, and the page says so. */
export const EXCHANGES_MAX = 300;
/** UTF-16 units of one question; longer texts belong into a file. */
export const QUESTION_UNITS_MAX = 256 * KiB;

/** Wait before a tab starts what another tab asked: the other one is about to name its run. */
export const PEER_START_MILLISECONDS = 3_000;
/** Sockets that failed before one ever opened, after which HTTP carries the streams. */
export const SOCKET_FAILURES_MAX = 2;
/** Wait for the answer that tells whether HTTP works where sockets do not. */
export const PROBE_MILLISECONDS = 5_000;
/** How long the page says that it is connected again. */
export const BACK_MILLISECONDS = 2_500;
/** A loss shorter than this is not worth a word: most are over at the first try. */
export const LOSS_SHOWN_MILLISECONDS = 400;
/** Silence of an answer, on a machine without a network, that is no pause of its model. */
export const STUCK_MILLISECONDS = 1_500;
/** Wait for the list of models; the server may be asking a slow provider. */
export const MODELS_MILLISECONDS = 30_000;
/** Messages of a conversation that an agent is sent: those of the server's routes, and fewer. */
export const HISTORY_MESSAGES_MAX = 40;
/** Lines of code that two rounds are compared by: the table has their product in cells. */
export const DIFF_LINES_MAX = 1_500;
/** Time within which characters that have come are shown: the eye takes less for a jump. */
export const SMOOTH_SECONDS = 0.25;
