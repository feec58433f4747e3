/**
 * Streams of agents in their own words, `POST /api/agent/stream` and those of the jewelry house,
 * over server-sent events: cut streams go on where they were, and a stop stops the run.
 */

import type { Ending, Line, Port } from "./driver.ts";
import { Driver } from "./driver.ts";
import type { Environment } from "./environment.ts";
import { environmentWith } from "./environment.ts";
import { ConnectionLost, RunFailed, asError } from "./errors.ts";
import type { Json } from "./events.ts";
import { parseRecord } from "./events.ts";
import { accepted, addressOf, isStream } from "./http.ts";
import { SIMPLE_SECONDS, SIMPLE_TRIES_MAX } from "./limits.ts";
import type { Place } from "./runs.ts";
import { cancelRun } from "./runs.ts";
import type { SimpleOptions } from "./simpleStream.ts";
import type { SseEvent } from "./sse.ts";
import type { Frame } from "./sseLine.ts";
import { readSseLine } from "./sseLine.ts";

/** What is asked, and of whom: `/api/agent/stream`, `/api/consultation/42/stream`. */
export interface AgentRequest {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** One frame. `name` is its `event:`, or its field `type` where frames have no name. */
export interface AgentFrame {
  readonly name: string;
  readonly fields: Readonly<Record<string, Json>>;
}

/** How it ended; `aborted` is no error. */
export type AgentEnding =
  | { readonly how: "complete" | "aborted"; readonly run: string | null }
  | { readonly how: "error"; readonly error: Error; readonly run: string | null };

const ENDS = ["done", "failure", "error"];

/** Ask an agent; `onFrame` hears each frame once, the last one too. Never rejects. */
export function streamAgent(
  request: AgentRequest,
  onFrame: (frame: AgentFrame) => void,
  options: Omit<SimpleOptions, "model"> = {},
): Promise<AgentEnding> {
  return new AgentStream(request, onFrame, options).done;
}

class AgentStream implements Port {
  readonly done: Promise<AgentEnding>;
  readonly #environment: Environment;
  readonly #place: Place;
  readonly #driver: Driver;
  readonly #request: AgentRequest;
  readonly #key: string;
  readonly #onFrame: (frame: AgentFrame) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => this.#stop();
  #settle!: (ending: AgentEnding) => void;
  #run: string | null = null;
  #hasOpened = false;
  #isStopped = false;
  #failure: Error | null = null;

  constructor(
    request: AgentRequest,
    onFrame: (frame: AgentFrame) => void,
    options: Omit<SimpleOptions, "model">,
  ) {
    this.done = new Promise((settle) => {
      this.#settle = settle;
    });
    this.#environment = environmentWith(options.environment);
    this.#place = { baseUrl: options.baseUrl ?? "", headers: options.headers ?? {} };
    this.#request = request;
    this.#key = options.idempotencyKey ?? this.#environment.newKey();
    this.#onFrame = onFrame;
    const defaults = { baseSeconds: SIMPLE_SECONDS, triesMax: SIMPLE_TRIES_MAX };
    // Only some events of a run have a frame here, so ids may jump.
    const rules = { ...defaults, ...options.rules, isDense: false };
    this.#driver = new Driver(this.#environment, this, { after: null, rules });
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#abort);
    if (this.#signal?.aborted === true) this.#stop();
    else this.#driver.begin();
  }

  async open(after: string | null, line: Line): Promise<void> {
    const { path, body } = this.#request;
    const response = await this.#environment.fetch(addressOf(this.#place.baseUrl, path), {
      method: "POST",
      headers: {
        ...this.#place.headers,
        "Content-Type": "application/json",
        Accept: "text/event-stream",
        "Idempotency-Key": this.#key,
        "X-Potok-On-Disconnect": "keep",
        ...(after === null ? {} : { "Last-Event-ID": after }),
      },
      body: JSON.stringify(body),
      signal: line.signal,
    });
    await accepted(response);
    if (!line.isCurrent) return;
    this.#run ??= response.headers.get("x-potok-run");
    if (this.#isStopped) {
      this.#cancelRun();
      this.#driver.cancel();
      return;
    }
    if (!isStream(response, "text/event-stream")) {
      line.tell({ input: "opened", status: response.status });
      return;
    }
    this.#hasOpened = true;
    await readSseLine(response, line, this.#driver, (event) => this.#read(event));
  }

  #read({ event, data, ownId: id }: SseEvent): Frame {
    const fields = parseRecord(data);
    const { type } = fields;
    const name = event === "message" && typeof type === "string" ? type : event;
    return { id, isEnd: ENDS.includes(name), take: () => this.#give({ name, fields }, id) };
  }

  #give(frame: AgentFrame, id: string | null): void {
    // The header with the run's name is hidden from pages of other origins; the ids are not.
    this.#run ??= id?.includes(".") === true ? (id.split(".")[0] ?? null) : null;
    if (frame.name === "failure" || frame.name === "error") this.#fail(frame.fields);
    try {
      this.#onFrame(frame);
    } catch (error) {
      this.#environment.report(error);
    }
  }

  #fail(fields: Readonly<Record<string, Json>>): void {
    const { code = fields["error"], message } = fields;
    this.#failure = new RunFailed({
      code: typeof code === "string" ? code : "failed",
      message: typeof message === "string" ? message : "The answer failed.",
    });
  }

  mend(): void {
    // These streams have no words for a snapshot: what is lost stays lost.
    this.#failure = new ConnectionLost("a part of the answer is not kept any more", null);
    this.#driver.cancel();
  }

  changed(): void {
    if (this.#driver.state !== "waiting") return;
    // A start that was stopped is not sent again; and a server that names no run cannot go on with
    // one: asking again would begin, and bill, another answer.
    const isHopeless = this.#hasOpened && this.#run === null;
    if (!this.#isStopped && !isHopeless) return;
    const why = this.#driver.lastError?.message ?? "the answer was cut";
    this.#failure ??= new ConnectionLost(why, this.#driver.lastError);
    this.#driver.cancel();
  }

  ended(ending: Ending): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    const error = ending.error ?? this.#failure;
    if (error !== null) this.#settle({ how: "error", error: asError(error), run: this.#run });
    else this.#settle({ how: "complete", run: this.#run });
  }

  #stop(): void {
    this.#isStopped = true;
    this.#settle({ how: "aborted", run: this.#run });
    if (this.#run !== null) this.#cancelRun();
    // A start on its way is waited for: its answer names the run that must be stopped.
    else if (this.#driver.state === "connecting") return;
    this.#driver.cancel();
  }

  #cancelRun(): void {
    if (this.#run === null) return;
    cancelRun(this.#environment, this.#place, this.#run).catch((error: unknown) =>
      this.#environment.report(error),
    );
  }
}
