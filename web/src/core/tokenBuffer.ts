/** Buffers between a fast stream and the screen, so that it is not painted once per token. */

import {
  BUFFER_UNITS_MAX,
  STREAM_BUFFER_MILLISECONDS,
  STREAM_BUFFER_PIECES,
  TOKEN_BUFFER_MILLISECONDS,
} from "./limits.ts";

/** Gathers pieces until there are enough, or until the first of them has waited long enough. */
class PieceBuffer {
  readonly #onFlush: (text: string) => void;
  readonly #piecesMax: number;
  readonly #milliseconds: number;
  #pieces = 0;
  #text = "";
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(onFlush: (text: string) => void, piecesMax: number, milliseconds: number) {
    this.#onFlush = onFlush;
    this.#piecesMax = piecesMax;
    this.#milliseconds = milliseconds;
  }

  /** Take a piece. */
  add(piece: string): void {
    this.#text += piece;
    this.#pieces += 1;
    if (this.#pieces >= this.#piecesMax || this.#text.length >= BUFFER_UNITS_MAX) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#milliseconds);
  }

  /** Give what is there, at once; nothing is given twice. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const text = this.#text;
    this.#text = "";
    this.#pieces = 0;
    if (text !== "") this.#onFlush(text);
  }

  /** Give what is left and stop the timer; a later piece starts it again. */
  stop(): void {
    this.flush();
  }
}

/** Gives text every 50 milliseconds while there is some. */
export class TokenBuffer extends PieceBuffer {
  constructor(onFlush: (tokens: string) => void, flushIntervalMs = TOKEN_BUFFER_MILLISECONDS) {
    super(onFlush, Number.POSITIVE_INFINITY, flushIntervalMs);
  }
}

/** Gives text every ten pieces, or 100 milliseconds after the first of them. */
export class StreamBuffer extends PieceBuffer {
  constructor(
    onFlush: (text: string) => void,
    bufferSize = STREAM_BUFFER_PIECES,
    flushInterval = STREAM_BUFFER_MILLISECONDS,
  ) {
    super(onFlush, bufferSize, flushInterval);
  }
}
