/** Frames as Potok's own protocol writes them. */

type Fields = Record<string, unknown>;

/** One event as a server-sent event. */
export function sse(offset: number | string, kind: string, fields: Fields = {}): string {
  return `event: ${kind}\ndata: ${JSON.stringify(fields)}\nid: ${offset}\n\n`;
}

export const HEARTBEAT = ": hb\n";
export const RUN = "run0000000000001";

/** A whole answer of one text part: kind and fields, in order. */
export function answerOf(words: readonly string[], outcome = "finished"): [string, Fields][] {
  return [
    ["run-start", { run: RUN, version: 1, model: "demo" }],
    ["text-start", { part: "t" }],
    ...words.map((text): [string, Fields] => ["text-delta", { part: "t", text }]),
    ["text-end", { part: "t" }],
    ["run-end", { outcome }],
  ];
}

/** The same as server-sent events, numbered from 1; only those after `after`. */
export function framesOf(events: readonly [string, Fields][], after = 0): string[] {
  return events.map(([kind, fields], index) => sse(index + 1, kind, fields)).slice(after);
}
