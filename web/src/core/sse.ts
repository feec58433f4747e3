/**
 * Server-sent events: a bounded incremental decoder (WHATWG HTML 9.2.6), and the string parser of
 * the simple chat API on top of it. What an event means is decided above.
 */

import { FrameTooLarge } from "./errors.ts";
import { SSE_EVENT_BYTES_MAX, SSE_LINE_BYTES_MAX, SSE_RETRY_DIGITS_MAX } from "./limits.ts";

/**
 * One dispatched event. `event` is "message" unless the frame named another type; `id` is the last
 * event id in force at that frame, empty before the first one; `ownId` the one that this very frame
 * brought, null if it brought none.
 */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string;
  readonly ownId: string | null;
}

const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = "\ufeff";
const BYTE_ORDER_MARK_BYTES = 3;
const RETRY_MAX = 10 ** SSE_RETRY_DIGITS_MAX - 1;

/**
 * Turns bytes, cut anywhere, into events.
 *
 * At most one line and one event, each within its limit, are held. CR, LF and CRLF end a line.
 * Invalid UTF-8 becomes U+FFFD. A block without its blank line at the end is no event.
 */
export class SseDecoder {
  /** What to send as `Last-Event-ID`; an id counts from the end of its block. Empty: none. */
  lastEventId = "";
  /** The peer's last wish for the wait before a reconnect, in milliseconds. */
  retryMilliseconds: number | null = null;
  /** Comment lines seen so far: heartbeats, mostly. */
  comments = 0;
  /** Events of the very chunk that went over a limit: the error took the place of the answer. */
  eventsBeforeFault: SseEvent[] = [];

  readonly #lineBytesMax: number;
  readonly #eventBytesMax: number;
  // A byte order mark inside the stream is data, so the decoder must not eat it.
  readonly #text = new TextDecoder("utf-8", { ignoreBOM: true });
  #fault: FrameTooLarge | null = null;
  #isAtStart = true;
  #isAfterCarriageReturn = false;
  // Bytes of the line being read; doubled when full, so that tiny chunks cost no more than large.
  #line = new Uint8Array(256);
  #lineBytes = 0;
  // The block being read: its type, its values with their size, and the id that counts at its end.
  #type = "";
  #values: string[] = [];
  #valuesBytes = 0;
  #id = "";
  #ownId: string | null = null;

  constructor(bounds: { lineBytesMax?: number; eventBytesMax?: number } = {}) {
    this.#lineBytesMax = bounds.lineBytesMax ?? SSE_LINE_BYTES_MAX;
    this.#eventBytesMax = bounds.eventBytesMax ?? SSE_EVENT_BYTES_MAX;
  }

  /**
   * Return the events that `chunk` completes, oldest first.
   *
   * @throws FrameTooLarge A line or an event is over its limit, now and at every further call;
   *   nothing more is held.
   */
  feed(chunk: Uint8Array): SseEvent[] {
    if (this.#fault !== null) throw this.#fault;
    const events: SseEvent[] = [];
    let start = 0;
    if (this.#isAfterCarriageReturn && chunk.length > 0) {
      // A CR ended its line at once; an LF that opens the next chunk still belongs to it.
      if (chunk[0] === LF) start = 1;
      this.#isAfterCarriageReturn = false;
    }
    for (let at = start; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte !== LF && byte !== CR) continue;
      this.#take(chunk, start, at, events);
      this.#endLine(events);
      if (byte === CR) {
        if (at + 1 === chunk.length) this.#isAfterCarriageReturn = true;
        else if (chunk[at + 1] === LF) at += 1;
      }
      start = at + 1;
    }
    this.#take(chunk, start, chunk.length, events);
    return events;
  }

  #take(chunk: Uint8Array, start: number, end: number, events: SseEvent[]): void {
    const needed = this.#lineBytes + end - start;
    if (needed > this.#lineBytesMax) this.#stop("SSE line", this.#lineBytesMax, events);
    if (needed > this.#line.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#line.length));
      larger.set(this.#line.subarray(0, this.#lineBytes));
      this.#line = larger;
    }
    this.#line.set(chunk.subarray(start, end), this.#lineBytes);
    this.#lineBytes = needed;
  }

  #endLine(events: SseEvent[]): void {
    let bytes = this.#lineBytes;
    let line = this.#text.decode(this.#line.subarray(0, bytes));
    this.#lineBytes = 0;
    if (this.#isAtStart && line.startsWith(BYTE_ORDER_MARK)) {
      line = line.slice(1);
      bytes -= BYTE_ORDER_MARK_BYTES;
    }
    this.#isAtStart = false;
    if (line === "") {
      this.#endBlock(events);
      return;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const from = line[colon + 1] === " " ? colon + 2 : colon + 1;
    const value = colon < 0 ? "" : line.slice(from);
    if (name !== "data") {
      this.#takeField(name, value);
      return;
    }
    this.#values.push(value);
    // Bytes, as the limit counts them: the line's without its name, and one for the LF behind it.
    this.#valuesBytes += colon < 0 ? 1 : bytes - from + 1;
    if (this.#valuesBytes > this.#eventBytesMax + 1) {
      this.#stop("SSE event", this.#eventBytesMax, events);
    }
  }

  #takeField(name: string, value: string): void {
    if (name === "") this.comments += 1;
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#id = this.#ownId = value;
    else if (name === "retry" && /^[0-9]+$/.test(value)) {
      this.retryMilliseconds = Math.min(Number(value), RETRY_MAX);
    }
  }

  #endBlock(events: SseEvent[]): void {
    this.lastEventId = this.#id;
    if (this.#values.length > 0) {
      const data = this.#values.join("\n");
      events.push({ event: this.#type || "message", data, id: this.#id, ownId: this.#ownId });
      this.#values = [];
      this.#valuesBytes = 0;
    }
    this.#type = "";
    this.#ownId = null;
  }

  #stop(what: string, limitBytes: number, events: SseEvent[]): never {
    this.#fault = new FrameTooLarge(what, limitBytes);
    this.eventsBeforeFault = events;
    this.#values = [];
    this.#line = new Uint8Array(0);
    throw this.#fault;
  }
}

const DONE = "[DONE]";

/**
 * Turns text, cut anywhere, into the `data` of its events, without the `[DONE]` at the end.
 *
 * `parse` gives whole events only. `flush` is for the end of the stream: it also gives an event
 * whose last line or blank line never came, and makes the parser new.
 */
export class SSEParser {
  #decoder = new SseDecoder();
  readonly #encoder = new TextEncoder();
  // The first half of a letter that UTF-16 writes in two; alone it has no bytes.
  #half = "";

  /** @throws FrameTooLarge A line or an event is over its limit. */
  parse(chunk: string): string[] {
    let text = this.#half + chunk;
    this.#half = "";
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.#half = text.slice(-1);
      text = text.slice(0, -1);
    }
    const events = this.#decoder.feed(this.#encoder.encode(text));
    return events.map((event) => event.data).filter((data) => data !== DONE);
  }

  /** Return what is left. */
  flush(): string[] {
    // Two line ends close any line and any block.
    const rest = this.parse("\n\n");
    this.#decoder = new SseDecoder();
    return rest;
  }
}
