/** Text that comes again from its start, given once. */

/**
 * For streams without ids: a reader that comes back with the same Idempotency-Key gets the stored
 * answer from its start, and what was given before is left out. The stored text never changes, but
 * it may be cut into other pieces, so characters are counted and not pieces.
 */
export class Replay {
  #text = "";
  #again = 0;

  /** All that was given. */
  get text(): string {
    return this.#text;
  }

  /** The answer begins anew. */
  restart(): void {
    this.#again = 0;
  }

  /** Return what of the next piece is new. */
  take(piece: string): string {
    const seen = Math.min(piece.length, this.#text.length - this.#again);
    const fresh = piece.slice(seen);
    this.#again += piece.length;
    this.#text += fresh;
    return fresh;
  }
}
