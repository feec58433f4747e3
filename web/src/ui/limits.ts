/** Bounds of what is painted, with their units and reasons. */

/** Blocks painted as one group: the browser skips groups that nobody sees. */
export const GROUP_BLOCKS = 32;
/** Lines of code painted as one piece: an open fence may grow to thousands. */
export const CODE_PIECE_LINES = 64;
/** Nesting of quotes and lists that is painted; deeper text is painted flat. */
export const NESTING_MAX = 16;
/** Distance from the end, in pixels, within which a reader follows what is written. */
export const FOLLOW_PIXELS = 64;
/** Height of the field of a long message, in pixels. */
export const FIELD_PIXELS_MAX = 220;
/** How long a button says that it has copied. */
export const COPIED_MILLISECONDS = 1_600;
/** Time between two words to a screen reader that an answer still goes on. */
export const STILL_MILLISECONDS = 12_000;
/** UTF-16 units of an ended answer that a screen reader is given by itself. */
export const SPOKEN_UNITS_MAX = 600;
/** Months of the past that a forecast is drawn after: a year, so that seasons are seen. */
export const MONTHS_SHOWN_MAX = 12;
