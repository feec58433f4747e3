/**
 * Folds events into a message: the only place where text is accumulated (protocol, section 6). The
 * twin of `potok.events.fold`; both pass `spec/vectors/fold.json`.
 */

import { FrameMalformed } from "./errors.ts";
import type { Channel, Json, Outcome, PotokEvent, SourceChange, Status, Usage } from "./events.ts";
import { isRecord, readEvent, writeEvent } from "./events.ts";

/**
 * One part, in the order of its start. `text` holds a text's words or a call's argument text;
 * `name` a tool's or a data's name. `refusal` says that a text is the model's no. `logprobs` are
 * lists by name, as they came with its deltas.
 */
export interface Part {
  readonly type: "text" | "reasoning" | "tool" | "data";
  readonly id: string;
  text: string;
  state: "open" | "done" | "cut";
  readonly channel: Channel;
  readonly choice: number;
  readonly name: string | null;
  readonly agent: string | null;
  readonly stage: string | null;
  result: Json;
  error: string | null;
  data: Json;
  refusal: boolean;
  logprobs: Record<string, Json[]> | null;
}

/** One attempt of a stage; `outcome` is null while it is open. */
export interface Stage {
  readonly stage: string;
  readonly attempt: number;
  outcome: Outcome | null;
  readonly agent: string | null;
}

/** What people see of a run so far. It grows in place; copy what must not change. */
export interface Message {
  run: string;
  model: string | null;
  agent: string | null;
  outcome: Outcome | null;
  finish_reason: string | null;
  finish_reasons: readonly string[] | null;
  parts: Part[];
  stages: Stage[];
  status: Status | null;
  usage: Usage | null;
  sources: SourceChange[];
  error: { readonly code: string; readonly message: string } | null;
  /** Upstream pieces of text and thinking so far. */
  tokens: number;
}

const PART_DEFAULTS = {
  text: "",
  state: "open",
  channel: "answer",
  choice: 0,
  name: null,
  agent: null,
  stage: null,
  result: null,
  error: null,
  data: null,
  refusal: false,
  logprobs: null,
} as const;
const STAGE_DEFAULTS = { attempt: 1, outcome: null, agent: null } as const;

/** Return a message of which nothing is known yet. */
export function emptyMessage(): Message {
  return {
    run: "",
    model: null,
    agent: null,
    outcome: null,
    finish_reason: null,
    finish_reasons: null,
    parts: [],
    stages: [],
    status: null,
    usage: null,
    sources: [],
    error: null,
    tokens: 0,
  };
}

/** Return the answer's text of one choice. */
export function textOf(message: Message, choice = 0): string {
  return message.parts
    .filter((part) => part.type === "text" && part.channel === "answer" && part.choice === choice)
    .map((part) => part.text)
    .join("");
}

/** Return the thinking of one choice. */
export function reasoningOf(message: Message, choice = 0): string {
  return message.parts
    .filter((part) => part.type === "reasoning" && part.choice === choice)
    .map((part) => part.text)
    .join("");
}

/** Accumulates one run's events; feed each event once, in order. */
export class Fold {
  readonly message: Message;
  readonly #positions = new Map<string, Part>();
  // Apart, so that no part of an agent can have the name of its data.
  readonly #dataParts = new Map<string, Part>();

  /** @param message Go on from here, as from a snapshot; it grows in place. */
  constructor(message: Message = emptyMessage()) {
    this.message = message;
    for (const part of message.parts) {
      (part.type === "data" ? this.#dataParts : this.#positions).set(part.id, part);
    }
  }

  /**
   * Take the next event; unknown kinds change nothing.
   *
   * @throws FrameMalformed It names a part that is not there: an event before it was missed.
   */
  feed(event: PotokEvent): void {
    const message = this.message;
    switch (event.event) {
      case "run-start":
        message.run = event.run;
        message.model = event.model;
        message.agent = event.agent;
        return;
      case "text-start":
      case "reasoning-start":
        this.#open({
          ...PART_DEFAULTS,
          type: event.event === "text-start" ? "text" : "reasoning",
          id: event.part,
          channel: event.event === "text-start" ? event.channel : "answer",
          choice: event.choice,
          agent: event.agent,
          stage: event.stage,
        });
        return;
      case "tool-start": {
        const { call: id, name, choice, agent, stage } = event;
        this.#open({ ...PART_DEFAULTS, type: "tool", id, name, choice, agent, stage });
        return;
      }
      case "text-delta":
        this.#part(event.part).text += event.text;
        message.tokens += event.tokens;
        if (event.extra?.["refusal"]) this.#part(event.part).refusal = true;
        if (isRecord(event.logprobs)) addLogprobs(this.#part(event.part), event.logprobs);
        return;
      case "reasoning-delta":
        this.#part(event.part).text += event.text;
        message.tokens += event.tokens;
        return;
      case "tool-delta":
        this.#part(event.call).text += event.text;
        return;
      case "text-end":
      case "reasoning-end":
        this.#part(event.part).state = event.cut ? "cut" : "done";
        return;
      case "tool-end":
        this.#part(event.call).state = event.cut ? "cut" : "done";
        return;
      case "tool-result": {
        const part = this.#part(event.call);
        part.result = event.result;
        part.error = event.error;
        return;
      }
      case "part-discard":
        this.#discard(event.part, event.keep);
        return;
      default:
        this.#feedOther(event);
    }
  }

  #feedOther(event: PotokEvent): void {
    const message = this.message;
    switch (event.event) {
      case "data":
        this.#setData(event.name, event.agent, event.data);
        return;
      case "stage-start": {
        const { stage, attempt, agent } = event;
        message.stages.push({ stage, attempt, outcome: null, agent });
        return;
      }
      case "stage-end": {
        const open = message.stages.findLast(
          (stage) => stage.stage === event.stage && stage.outcome === null,
        );
        if (open !== undefined) open.outcome = event.outcome;
        return;
      }
      case "status":
        message.status = event;
        return;
      case "usage":
        message.usage = event;
        return;
      case "source-change":
        message.sources.push(event);
        return;
      case "run-end":
        message.outcome = event.outcome;
        message.finish_reason = event.finish_reason;
        message.finish_reasons = event.finish_reasons;
        message.status = null;
        if (event.outcome === "failed") {
          message.error = {
            code: event.code || "failed",
            message: event.message || "The run failed.",
          };
        }
    }
  }

  #open(part: Part): void {
    this.message.parts.push(part);
    this.#positions.set(part.id, part);
  }

  #part(id: string): Part {
    const part = this.#positions.get(id);
    if (part === undefined) throw new FrameMalformed(`there is no part ${JSON.stringify(id)}`);
    return part;
  }

  #setData(name: string, agent: string | null, data: Json): void {
    const id = `data:${agent ?? ""}:${name}`;
    let part = this.#dataParts.get(id);
    if (part === undefined) {
      part = { ...PART_DEFAULTS, type: "data", id, name, agent, state: "done" };
      this.message.parts.push(part);
      this.#dataParts.set(id, part);
    }
    part.data = data;
  }

  #discard(id: string, keep: number): void {
    const part = this.#part(id);
    if (keep > 0) {
      part.text = firstCodePoints(part.text, keep);
      // Nobody knows which of them belong to what is left.
      part.logprobs = null;
      return;
    }
    this.message.parts.splice(this.message.parts.indexOf(part), 1);
    this.#positions.delete(id);
  }
}

function addLogprobs(part: Part, logprobs: Readonly<Record<string, Json>>): void {
  part.logprobs ??= {};
  for (const [name, entries] of Object.entries(logprobs)) {
    if (Array.isArray(entries)) (part.logprobs[name] ??= []).push(...entries);
  }
}

function firstCodePoints(text: string, count: number): string {
  let units = 0;
  for (let taken = 0; taken < count && units < text.length; taken += 1) {
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  }
  return text.slice(0, units);
}

/** Return a message as it stands on the wire: without the fields that hold their default. */
export function writeMessage(message: Message): Record<string, Json> {
  const { parts, stages, status, usage, sources, ...plain } = message;
  const written = withoutDefaults({ ...plain }, { ...emptyMessage() });
  if (parts.length > 0) {
    written["parts"] = parts.map((part) => withoutDefaults({ ...part }, PART_DEFAULTS));
  }
  if (stages.length > 0) {
    written["stages"] = stages.map((stage) => withoutDefaults({ ...stage }, STAGE_DEFAULTS));
  }
  if (sources.length > 0) written["sources"] = sources.map(writeEvent);
  if (status !== null) written["status"] = writeEvent(status);
  if (usage !== null) written["usage"] = writeEvent(usage);
  return written;
}

function withoutDefaults(
  values: Record<string, Json>,
  defaults: Readonly<Record<string, Json>>,
): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(values).filter(
      ([name, value]) => !Object.hasOwn(defaults, name) || defaults[name] !== value,
    ),
  );
}

/**
 * Read what `writeMessage` wrote, or the `message` of a run's state.
 *
 * @throws FrameMalformed It is no message.
 */
export function readMessage(json: unknown): Message {
  if (!isRecord(json)) throw new FrameMalformed("a message is no object");
  const empty = emptyMessage();
  const known = Object.keys(empty).filter((name) => Object.hasOwn(json, name));
  const plain = Object.fromEntries(known.map((name) => [name, json[name]])) as Partial<Message>;
  return {
    ...empty,
    ...plain,
    parts: listOf(json["parts"]).map((part) => ({ ...PART_DEFAULTS, ...part }) as Part),
    stages: listOf(json["stages"]).map((stage) => ({ ...STAGE_DEFAULTS, ...stage }) as Stage),
    sources: listOf(json["sources"]).map((at) => readEvent("source-change", at) as SourceChange),
    status: isRecord(json["status"]) ? (readEvent("status", json["status"]) as Status) : null,
    usage: isRecord(json["usage"]) ? (readEvent("usage", json["usage"]) as Usage) : null,
  };
}

function listOf(value: Json): readonly Readonly<Record<string, Json>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
