/**
 * A client's rules: when to retry, from which offset, when to stop. Pure: it hears what happened,
 * with the time and a random fraction, and says what to do. The twin of
 * `potok.protocol.reconnection`; both pass `spec/vectors/reconnection.json`.
 */

import { BufferingWatch } from "./buffering.ts";
import { Cursor } from "./cursor.ts";
import {
  RECONNECT_HEARTBEAT_SECONDS,
  RECONNECT_OPEN_SECONDS,
  RECONNECT_OUTAGE_SECONDS_MAX,
  RECONNECT_SECONDS,
  RECONNECT_SECONDS_MAX,
  RECONNECT_SECONDS_MIN,
  RECONNECT_SILENT_HEARTBEATS,
  RECONNECT_SLEEP_SECONDS,
  RECONNECT_TRIES_MAX,
} from "./limits.ts";
import type { Command, Finished, Gap, Input, ReaderState, Rules } from "./reconnectionWords.ts";

const NO_CONTENT = 204;
const GONE = 410;
const RETRIED_STATUSES = [408, 425, 429];
const SERVER_ERRORS = 500;

export const DEFAULT_RULES: Rules = {
  baseSeconds: RECONNECT_SECONDS,
  multiplier: 2,
  maxSeconds: RECONNECT_SECONDS_MAX,
  triesMax: RECONNECT_TRIES_MAX,
  outageSecondsMax: RECONNECT_OUTAGE_SECONDS_MAX,
  openSeconds: RECONNECT_OPEN_SECONDS,
  heartbeatSeconds: RECONNECT_HEARTBEAT_SECONDS,
  isDense: true,
};

type Of<K extends Input["input"]> = Extract<Input, { input: K }>;

/** One reader of one stream, over as many lines as that takes. */
export class Reconnection {
  state: ReaderState = "idle";
  /** Failed tries in a row. */
  tries = 0;
  readonly #rules: Rules;
  readonly #cursor: Cursor;
  readonly #watch = new BufferingWatch();
  #baseSeconds: number;
  #heartbeatSeconds: number | null;
  #deadline: number | null = null;
  #outageSince: number | null = null;
  #status: number | null = null;
  #isOffline = false;
  #openedAt = 0;
  #signAt = 0;
  #gap: Gap | null = null;
  // Whether a snapshot was taken and nothing new has come since.
  #isMended = false;

  /**
   * @param after The last id seen; `0` for the start of a run that exists; null if the stream is
   *   still to be started.
   * @throws RangeError `after` is no id.
   */
  constructor(after: string | null, rules: Partial<Rules> = {}) {
    this.#rules = { ...DEFAULT_RULES, ...rules };
    this.#cursor = new Cursor(after, this.#rules.isDense);
    this.#baseSeconds = this.#rules.baseSeconds;
    this.#heartbeatSeconds = this.#rules.heartbeatSeconds;
  }

  /** The last id seen: where a later reader can go on. */
  get after(): string | null {
    return this.#cursor.after;
  }

  /** Advice: something on the way holds the stream back. */
  get isBuffered(): boolean {
    return this.#watch.isBuffered;
  }

  /**
   * Hear what happened and return what to do, in order.
   *
   * @param now Monotonic seconds.
   * @param fraction A new random number, 0 <= x < 1, for the jitter of a wait.
   */
  receive(heard: Input, now: number, fraction: number): Command[] {
    if (this.state === "over") return [];
    switch (heard.input) {
      case "received":
        return this.#received(heard, now, fraction);
      case "heartbeat_seen":
        return this.#heartbeatSeen(now);
      case "begun":
        return this.state === "idle" ? this.#goOn(now) : [];
      case "opened":
        return this.#opened(heard, now);
      case "retry_said":
        return this.#retrySaid(heard.milliseconds);
      case "closed":
      case "failed":
        return this.#lost(heard, now, fraction);
      case "refused":
        return this.#refused(heard, now, fraction);
      case "snapshot_taken":
        return this.#snapshotTaken(heard, now, fraction);
      case "time_passed":
        return this.#timePassed(now, fraction);
      case "offline":
        // Some machines say so wrongly, and a server on this one needs no network: tries go on,
        // seldom and uncounted.
        this.#isOffline = true;
        return [];
      case "online":
        this.#isOffline = false;
        return this.#wake(now);
      case "visible":
        return this.#wake(now);
      case "cancelled":
        return this.#hasLine()
          ? [{ command: "abort" }, ...this.#finish("cancelled")]
          : this.#finish("cancelled");
    }
  }

  // The stream

  #opened(heard: Of<"opened">, now: number): Command[] {
    const canEnd = this.state === "connecting" || this.state === "open";
    if (heard.status === NO_CONTENT && canEnd) return this.#finish("already-read");
    if (this.state !== "connecting") return [];
    this.state = "open";
    this.#openedAt = this.#signAt = now;
    this.#watch.opened();
    if (this.#rules.heartbeatSeconds !== null && heard.heartbeatSeconds != null) {
      this.#heartbeatSeconds = heard.heartbeatSeconds;
    }
    this.#deadline = this.#silenceEnds();
    return this.#deadline === null ? [] : [{ command: "wait_until", at: this.#deadline }];
  }

  #received(heard: Of<"received">, now: number, fraction: number): Command[] {
    if (this.state !== "open") return [];
    this.#signAt = now;
    this.#watch.event(now);
    const verdict = heard.id === null ? "new" : this.#cursor.admit(heard.id);
    if (verdict === "old") return [];
    if (verdict === "foreign") return [{ command: "abort" }, ...this.#retry(now, fraction)];
    if (verdict === "gap") {
      const gap: Gap = { command: "gap_said", first: heard.id, snapshot: null };
      return [{ command: "abort" }, ...this.#meetGap(gap, now, fraction)];
    }
    this.#forgive();
    this.#isMended = false;
    return heard.isEnd === true
      ? [{ command: "deliver" }, ...this.#finish("run-end")]
      : [{ command: "deliver" }];
  }

  #heartbeatSeen(now: number): Command[] {
    if (this.state !== "open") return [];
    this.#signAt = now;
    this.#watch.heartbeat(now);
    // Not the one that servers send with their headers: a line that only ever opens is no use.
    if (now - this.#openedAt >= (this.#heartbeatSeconds ?? 0) / 2) this.#forgive();
    return [];
  }

  #retrySaid(milliseconds: number): Command[] {
    const wished = Math.max(milliseconds / 1000, RECONNECT_SECONDS_MIN);
    this.#baseSeconds = Math.min(wished, this.#rules.maxSeconds);
    return [];
  }

  // Faults

  #lost(heard: Of<"closed"> | Of<"failed">, now: number, fraction: number): Command[] {
    if (!this.#hasLine()) return [];
    if (heard.input === "failed" && heard.kind === "too_large") {
      return this.#giveUp("frame_too_large");
    }
    return this.#retry(now, fraction);
  }

  #refused(heard: Of<"refused">, now: number, fraction: number): Command[] {
    if (!this.#hasLine()) return [];
    // A socket can refuse what it had begun; an open line is dropped before anything else.
    const dropped: Command[] = this.state === "open" ? [{ command: "abort" }] : [];
    const isExpired = heard.status === GONE && heard.code === "offset_expired";
    if (isExpired && this.state !== "mending") {
      const { first = null, snapshot = null } = heard;
      const gap: Gap = { command: "gap_said", first, snapshot };
      return [...dropped, ...this.#meetGap(gap, now, fraction)];
    }
    this.#status = heard.status;
    const isPassing = RETRIED_STATUSES.includes(heard.status) || heard.status >= SERVER_ERRORS;
    if (heard.isFinal === true || !isPassing) {
      return [...dropped, ...this.#giveUp(heard.code || `http_${heard.status}`)];
    }
    return [...dropped, ...this.#retry(now, fraction, heard.retryAfterSeconds ?? null)];
  }

  #snapshotTaken(heard: Of<"snapshot_taken">, now: number, fraction: number): Command[] {
    if (this.state !== "mending") return [];
    // A snapshot that does not even reach the place from which something is missing is no help.
    if (!this.#cursor.skipTo(heard.offset)) return this.#retry(now, fraction);
    this.#gap = null;
    this.#isMended = true;
    const next = heard.isEnded === true ? this.#finish("snapshot") : this.#goOn(now);
    return [{ command: "deliver" }, ...next];
  }

  // Time and the machine

  #timePassed(now: number, fraction: number): Command[] {
    // Signs of life move the end of the silence, but not the timer: not one per token.
    if (this.state === "open") this.#deadline = this.#silenceEnds();
    if (this.#deadline === null) return [];
    if (now < this.#deadline) return [{ command: "wait_until", at: this.#deadline }];
    if (now - this.#deadline >= RECONNECT_SLEEP_SECONDS) this.#forgive();
    if (this.state === "waiting") return this.#goOn(now);
    return [{ command: "abort" }, ...this.#retry(now, fraction)];
  }

  #wake(now: number): Command[] {
    this.#forgive();
    if (this.state === "waiting") return this.#goOn(now);
    const heartbeat = this.#heartbeatSeconds;
    const isSilent = heartbeat !== null && now - this.#signAt > heartbeat;
    if (this.state === "open" && isSilent) return [{ command: "abort" }, ...this.#goOn(now)];
    return [];
  }

  // What several of these do

  #goOn(now: number): Command[] {
    this.#status = null;
    if (this.#gap !== null) return this.#mend(this.#gap, now);
    this.state = "connecting";
    this.#deadline = now + this.#rules.openSeconds;
    return [
      { command: "connect", after: this.#cursor.after },
      { command: "wait_until", at: this.#deadline },
    ];
  }

  #meetGap(gap: Gap, now: number, fraction: number): Command[] {
    this.#gap = gap;
    // A snapshot that led to the next gap did not help: the next one is not taken at once.
    return this.#isMended ? this.#retry(now, fraction) : this.#mend(gap, now);
  }

  #mend(gap: Gap, now: number): Command[] {
    this.state = "mending";
    this.#deadline = now + this.#rules.openSeconds;
    return [gap, { command: "wait_until", at: this.#deadline }];
  }

  /** Wait before the next try: exponential with full jitter, within the budget. */
  #retry(now: number, fraction: number, atLeast: number | null = null): Command[] {
    const rules = this.#rules;
    let seconds = rules.maxSeconds;
    if (!this.#isOffline) {
      seconds = this.#longestWait();
      this.tries += 1;
    }
    if (this.tries > rules.triesMax) return this.#giveUp("tries_spent");
    // All who were sent away at once must not come back at once.
    const at =
      atLeast === null ? now + fraction * seconds : now + atLeast + fraction * this.#baseSeconds;
    this.#outageSince ??= now;
    if (!this.#isOffline && at - this.#outageSince > rules.outageSecondsMax) {
      return this.#giveUp("time_spent");
    }
    this.state = "waiting";
    this.#deadline = at;
    return [{ command: "wait_until", at }];
  }

  #longestWait(): number {
    let seconds = this.#baseSeconds;
    for (let tried = 0; tried < this.tries && seconds < this.#rules.maxSeconds; tried += 1) {
      seconds *= this.#rules.multiplier;
    }
    return Math.min(seconds, this.#rules.maxSeconds);
  }

  #hasLine(): boolean {
    return this.state === "connecting" || this.state === "open" || this.state === "mending";
  }

  #forgive(): void {
    this.tries = 0;
    this.#outageSince = null;
  }

  #silenceEnds(): number | null {
    const heartbeat = this.#heartbeatSeconds;
    return heartbeat === null ? null : this.#signAt + RECONNECT_SILENT_HEARTBEATS * heartbeat;
  }

  #giveUp(reason: string): Command[] {
    this.state = "over";
    return [{ command: "give_up", reason, status: this.#status }];
  }

  #finish(how: Finished["how"]): Command[] {
    this.state = "over";
    return [{ command: "finished", how }];
  }
}
