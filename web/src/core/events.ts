/**
 * The nouns: every kind of event, as frozen shapes. Field names are the wire names; a field that
 * holds its default is absent on the wire and present here (protocol, section 3).
 */

import { FrameMalformed } from "./errors.ts";

/** The version of the grammar that this client understands. */
export const GRAMMAR_VERSION = 1;

/** Any JSON value that is passed through untouched. */
export type Json = unknown;
type Extra = Readonly<Record<string, Json>> | null;
export type Outcome = "finished" | "cancelled" | "failed";

export interface RunStart {
  readonly event: "run-start";
  readonly run: string;
  readonly version: number;
  readonly model: string | null;
  readonly agent: string | null;
  readonly chat: string | null;
  readonly message: string | null;
  /** Seconds since the Unix epoch, UTC. */
  readonly created: number;
}

export interface Status {
  readonly event: "status";
  readonly text: string;
  readonly code: string;
  readonly agent: string | null;
  readonly stage: string | null;
  readonly extra: Extra;
}

export interface StageStart {
  readonly event: "stage-start";
  readonly stage: string;
  readonly attempt: number;
  readonly agent: string | null;
  readonly text: string | null;
}

export interface StageEnd {
  readonly event: "stage-end";
  readonly stage: string;
  readonly outcome: Outcome;
  readonly attempt: number;
  readonly agent: string | null;
  readonly text: string | null;
}

export type Channel = "answer" | "code";

export interface TextStart {
  readonly event: "text-start";
  readonly part: string;
  readonly channel: Channel;
  readonly choice: number;
  readonly agent: string | null;
  readonly stage: string | null;
}

export interface TextDelta {
  readonly event: "text-delta";
  readonly part: string;
  readonly text: string;
  readonly choice: number;
  /** Upstream pieces that were joined into it. */
  readonly tokens: number;
  readonly logprobs: Json;
  readonly extra: Extra;
}

export interface TextEnd {
  readonly event: "text-end";
  readonly part: string;
  /** The run ended before the part was whole. */
  readonly cut: boolean;
}

export interface ReasoningStart {
  readonly event: "reasoning-start";
  readonly part: string;
  readonly choice: number;
  readonly agent: string | null;
  readonly stage: string | null;
}

export interface ReasoningDelta {
  readonly event: "reasoning-delta";
  readonly part: string;
  readonly text: string;
  readonly choice: number;
  readonly tokens: number;
  readonly extra: Extra;
}

export interface ReasoningEnd {
  readonly event: "reasoning-end";
  readonly part: string;
  readonly cut: boolean;
}

export interface ToolStart {
  readonly event: "tool-start";
  readonly call: string;
  readonly name: string;
  readonly index: number;
  readonly choice: number;
  readonly agent: string | null;
  readonly stage: string | null;
  readonly extra: Extra;
}

export interface ToolDelta {
  readonly event: "tool-delta";
  readonly call: string;
  /** More of the argument text, which is JSON once the call has ended. */
  readonly text: string;
  readonly choice: number;
  readonly tokens: number;
  readonly extra: Extra;
}

export interface ToolEnd {
  readonly event: "tool-end";
  readonly call: string;
  /** The arguments are not whole; the call must not be made. */
  readonly cut: boolean;
}

export interface ToolResult {
  readonly event: "tool-result";
  readonly call: string;
  readonly result: Json;
  readonly error: string | null;
}

export interface Data {
  readonly event: "data";
  readonly name: string;
  readonly data: Json;
  readonly agent: string | null;
}

export interface Usage {
  readonly event: "usage";
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly reasoning_tokens: number;
  readonly tokens_per_second: number | null;
  readonly first_token_seconds: number | null;
  readonly cost: number | null;
  readonly extra: Extra;
}

export interface PartDiscard {
  readonly event: "part-discard";
  readonly part: string;
  readonly reason: string;
  /** Unicode code points of the text that stay; 0: the part is gone. */
  readonly keep: number;
}

export interface SourceChange {
  readonly event: "source-change";
  readonly reason: string;
  readonly attempt: number;
  readonly how: "prefill" | "prompt" | "restart" | "replay";
  readonly model: string | null;
  readonly worker: string | null;
}

export interface RunEnd {
  readonly event: "run-end";
  readonly outcome: Outcome;
  readonly finish_reason: string | null;
  readonly code: string | null;
  /** A sentence for people. */
  readonly message: string | null;
  readonly finish_reasons: readonly string[] | null;
}

export type KnownEvent =
  | RunStart
  | Status
  | StageStart
  | StageEnd
  | TextStart
  | TextDelta
  | TextEnd
  | ReasoningStart
  | ReasoningDelta
  | ReasoningEnd
  | ToolStart
  | ToolDelta
  | ToolEnd
  | ToolResult
  | Data
  | Usage
  | PartDiscard
  | SourceChange
  | RunEnd;

/** An event of a kind that this version does not know: counted as seen, else passed over. */
export interface UnknownEvent {
  readonly event: "unknown";
  readonly kind: string;
  readonly fields: Readonly<Record<string, Json>>;
}

export type PotokEvent = KnownEvent | UnknownEvent;
export type Kind = KnownEvent["event"];

/** One event with its place in the run: an opaque id, kept and sent back. */
export interface StoredEvent {
  readonly id: string;
  readonly event: PotokEvent;
}

type Fields<K extends Kind> = Omit<Extract<KnownEvent, { event: K }>, "event">;
type Type = "string" | "number";
interface Shape<K extends Kind> {
  /** Fields that are always there. */
  readonly required: Partial<Record<keyof Fields<K>, Type>>;
  /** All the others, with what their absence means. */
  readonly defaults: Partial<Fields<K>>;
}

const WHERE = { agent: null, stage: null };

/** What each kind must have, and what its absent fields mean. */
export const SHAPES: { readonly [K in Kind]: Shape<K> } = {
  "run-start": {
    required: { run: "string", version: "number" },
    defaults: { model: null, agent: null, chat: null, message: null, created: 0 },
  },
  status: { required: { text: "string", code: "string" }, defaults: { ...WHERE, extra: null } },
  "stage-start": {
    required: { stage: "string" },
    defaults: { attempt: 1, agent: null, text: null },
  },
  "stage-end": {
    required: { stage: "string" },
    defaults: { outcome: "finished", attempt: 1, agent: null, text: null },
  },
  "text-start": {
    required: { part: "string" },
    defaults: { channel: "answer", choice: 0, ...WHERE },
  },
  "text-delta": {
    required: { part: "string", text: "string" },
    defaults: { choice: 0, tokens: 1, logprobs: null, extra: null },
  },
  "text-end": { required: { part: "string" }, defaults: { cut: false } },
  "reasoning-start": { required: { part: "string" }, defaults: { choice: 0, ...WHERE } },
  "reasoning-delta": {
    required: { part: "string", text: "string" },
    defaults: { choice: 0, tokens: 1, extra: null },
  },
  "reasoning-end": { required: { part: "string" }, defaults: { cut: false } },
  "tool-start": {
    required: { call: "string", name: "string" },
    defaults: { index: 0, choice: 0, ...WHERE, extra: null },
  },
  "tool-delta": {
    required: { call: "string", text: "string" },
    defaults: { choice: 0, tokens: 1, extra: null },
  },
  "tool-end": { required: { call: "string" }, defaults: { cut: false } },
  "tool-result": { required: { call: "string" }, defaults: { result: null, error: null } },
  data: { required: { name: "string" }, defaults: { data: null, agent: null } },
  usage: {
    required: {},
    defaults: {
      prompt_tokens: 0,
      completion_tokens: 0,
      reasoning_tokens: 0,
      tokens_per_second: null,
      first_token_seconds: null,
      cost: null,
      extra: null,
    },
  },
  "part-discard": { required: { part: "string", reason: "string" }, defaults: { keep: 0 } },
  "source-change": {
    required: { reason: "string", attempt: "number", how: "string" },
    defaults: { model: null, worker: null },
  },
  "run-end": {
    required: { outcome: "string" },
    defaults: { finish_reason: null, code: null, message: null, finish_reasons: null },
  },
};

/**
 * Read an event of a kind from its fields.
 *
 * @throws FrameMalformed A field that a known kind always has is missing or of another type.
 */
export function readEvent(kind: string, fields: unknown): PotokEvent {
  if (!isRecord(fields)) throw new FrameMalformed(`the fields of ${kind} are no object`);
  const shape = Object.hasOwn(SHAPES, kind) ? SHAPES[kind as Kind] : null;
  if (shape === null) return { event: "unknown", kind, fields };
  for (const [name, type] of Object.entries(shape.required)) {
    if (typeof fields[name] !== type) throw new FrameMalformed(`${kind} has no ${name}`);
  }
  return { ...shape.defaults, ...fields, event: kind } as unknown as KnownEvent;
}

/**
 * Read a message of a socket or a line of NDJSON: `{"id", "event", ...fields}`.
 *
 * @throws FrameMalformed It is none.
 */
export function readStoredEvent(message: Readonly<Record<string, unknown>>): StoredEvent {
  const { id, event: kind, ...fields } = message;
  if (typeof id !== "string" || typeof kind !== "string") {
    throw new FrameMalformed("an event has no id or no kind");
  }
  return { id, event: readEvent(kind, fields) };
}

/** Return an event as it stands on the wire: without the fields that hold their default. */
export function writeEvent(event: KnownEvent): Record<string, Json> {
  const defaults: Readonly<Record<string, Json>> = SHAPES[event.event].defaults;
  return Object.fromEntries(
    Object.entries(event).filter(
      ([name, value]) => !Object.hasOwn(defaults, name) || defaults[name] !== value,
    ),
  );
}

/** Parse a JSON object. @throws FrameMalformed It is none. */
export function parseRecord(text: string): Readonly<Record<string, Json>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FrameMalformed("a frame is no JSON");
  }
  if (!isRecord(value)) throw new FrameMalformed("a frame is no JSON object");
  return value;
}

/** Whether a JSON value is an object, and neither a list nor null. */
export function isRecord(value: unknown): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
