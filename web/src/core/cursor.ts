/** The last place that a reader has seen, and what the next frame's id means against it. */

/** Go on, seen before, something is missing before it, or no id of this run. */
export type Verdict = "new" | "old" | "gap" | "foreign";

interface Place {
  readonly run: string | null;
  readonly offset: number;
  /** Counted from 1; 0 stands for all frames of the event. */
  readonly frame: number;
}

const PLACE = /^(?:([A-Za-z0-9_-]{16,64})\.)?([0-9]{1,15})(?:\.([0-9]{1,9}))?$/;

function parsePlace(text: string): Place | null {
  const found = PLACE.exec(text);
  if (found === null) return null;
  return { run: found[1] ?? null, offset: Number(found[2]), frame: Number(found[3] ?? 0) };
}

/**
 * Keeps one reader's place. What is sent to the server is always an id that it gave.
 *
 * `isDense`: every event of the run has a frame in this protocol, so that a jump means a loss.
 */
export class Cursor {
  /** The last id seen, as the server gave it; null or `0` for nothing yet. */
  after: string | null;
  #place: Place;
  readonly #isDense: boolean;

  /** @throws RangeError `after` is no id. */
  constructor(after: string | null, isDense = true) {
    const place = parsePlace(after || "0");
    if (place === null) throw new RangeError(`${JSON.stringify(after)} is no id of an event`);
    this.after = after;
    this.#place = place;
    this.#isDense = isDense;
  }

  /** Go on after a later place of the same run; false if it is none, and nothing changes. */
  skipTo(after: string): boolean {
    const place = parsePlace(after);
    if (place === null || place.offset < this.#place.offset) return false;
    this.#place = place;
    this.after = after;
    return true;
  }

  /** Judge the id of the next frame, and go on after it if it is new. */
  admit(id: string): Verdict {
    const place = parsePlace(id);
    const last = this.#place;
    if (place === null) return "foreign";
    if (place.run !== null && last.run !== null && place.run !== last.run) return "foreign";
    if (isSeen(place, last)) return "old";
    if (this.#isDense && !isNext(place, last)) return "gap";
    this.#place = place;
    this.after = id;
    return "new";
  }
}

function isSeen(place: Place, last: Place): boolean {
  if (place.offset !== last.offset) return place.offset < last.offset;
  // An id without a frame stands behind all frames of its event.
  return last.frame === 0 || (place.frame > 0 && place.frame <= last.frame);
}

function isNext(place: Place, last: Place): boolean {
  if (place.offset === last.offset) return place.frame === last.frame + 1;
  return place.offset === last.offset + 1 && place.frame <= 1;
}
