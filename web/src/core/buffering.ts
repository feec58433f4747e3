/**
 * Tells from arrival times whether something between server and reader holds the stream back.
 * Nothing breaks by it, but tokens come late; it is advice, and no rule depends on it.
 */

import {
  BURST_EVENTS_MIN,
  BURST_GAP_SECONDS,
  BURST_HEARTBEAT_SECONDS,
  BURST_HEARTBEATS_MAX,
  BURST_SILENCE_SECONDS,
  BURSTS_MAX,
} from "./limits.ts";

/**
 * Hears of every arrival on one reader's lines, in monotonic seconds.
 *
 * A server sends a heartbeat only after an interval of silence, so one that comes together with
 * something else was held back. And a full buffer shows as many events at once after a silence,
 * again and again with no single event between.
 */
export class BufferingWatch {
  isBuffered = false;
  #lateHeartbeats = 0;
  #lumps = 0;
  // The piece that is arriving: its events, and whether it may count at the end.
  #events = 0;
  #lumpCounts = false;
  #seenAt: number | null = null;

  /** Hear of a new line: what comes first is what the reader missed, and comes at once. */
  opened(): void {
    this.#events = 0;
    this.#lumps = 0;
    this.#lumpCounts = false;
    this.#lateHeartbeats = 0;
    this.#seenAt = null;
  }

  heartbeat(now: number): void {
    if (this.#seenAt !== null && now - this.#seenAt < BURST_HEARTBEAT_SECONDS) {
      this.#lateHeartbeats += 1;
      this.#judge();
    }
    this.#seenAt = now;
  }

  event(now: number): void {
    const silent = this.#seenAt === null ? null : now - this.#seenAt;
    if (silent !== null && silent > BURST_GAP_SECONDS) {
      this.#endLump();
      this.#lumpCounts = silent >= BURST_SILENCE_SECONDS;
    }
    this.#events += 1;
    this.#seenAt = now;
  }

  #endLump(): void {
    if (this.#lumpCounts && this.#events >= BURST_EVENTS_MIN) this.#lumps += 1;
    else if (this.#events > 0) this.#lumps = 0;
    this.#events = 0;
    this.#judge();
  }

  #judge(): void {
    if (this.#lateHeartbeats >= BURST_HEARTBEATS_MAX || this.#lumps >= BURSTS_MAX) {
      this.isBuffered = true;
    }
  }
}
