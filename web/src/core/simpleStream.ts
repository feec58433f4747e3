/**
 * One answer of the simple chat (`POST /api/chat/stream`) over server-sent events: cut answers go
 * on where they were, and a stop stops the run.
 */

import type { Ending, Line, Port } from "./driver.ts";
import { Driver } from "./driver.ts";
import type { Environment } from "./environment.ts";
import { environmentWith } from "./environment.ts";
import { ConnectionLost, RunFailed, asError } from "./errors.ts";
import { isRecord, parseRecord } from "./events.ts";
import { textOf } from "./fold.ts";
import { accepted, addressOf, isStream } from "./http.ts";
import { SIMPLE_SECONDS, SIMPLE_TRIES_MAX } from "./limits.ts";
import type { Gap, Rules } from "./reconnectionWords.ts";
import { Replay } from "./replay.ts";
import type { Place } from "./runs.ts";
import { cancelRun, fetchSnapshot } from "./runs.ts";
import type { SseEvent } from "./sse.ts";
import type { Frame } from "./sseLine.ts";
import { readSseLine } from "./sseLine.ts";

export interface StreamMessage {
  readonly role: "user" | "assistant" | "system";
  readonly content: string;
}

/** Where and how a simple answer is asked for. */
export interface SimpleOptions {
  /** Stops the run when it aborts; that is no error. */
  readonly signal?: AbortSignal;
  readonly model?: string;
  /** Empty: the page's own origin. */
  readonly baseUrl?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The same key and messages give the same answer; made anew without one. */
  readonly idempotencyKey?: string;
  readonly rules?: Partial<Rules>;
  readonly environment?: Partial<Environment>;
}

/** How it ended, with all text that was given. `aborted` is no error. */
export type SimpleEnding =
  | { readonly how: "complete" | "aborted"; readonly text: string; readonly run: string | null }
  | { readonly how: "error"; readonly text: string; readonly error: Error };

const DONE = "[DONE]";

/** Ask for an answer; `onToken` hears each piece of it once. Never rejects. */
export function runSimpleStream(
  messages: readonly StreamMessage[],
  onToken: (token: string) => void,
  options: SimpleOptions,
): Promise<SimpleEnding> {
  return new SimpleStream(messages, onToken, options).done;
}

class SimpleStream implements Port {
  readonly done: Promise<SimpleEnding>;
  readonly #environment: Environment;
  readonly #place: Place;
  readonly #driver: Driver;
  readonly #body: string;
  readonly #key: string;
  readonly #onToken: (token: string) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #replay = new Replay();
  readonly #abort = (): void => this.#stop();
  #settle!: (ending: SimpleEnding) => void;
  #run: string | null = null;
  #hasOpened = false;
  #isStopped = false;
  #failure: Error | null = null;

  constructor(
    messages: readonly StreamMessage[],
    onToken: (token: string) => void,
    options: SimpleOptions,
  ) {
    this.done = new Promise((settle) => {
      this.#settle = settle;
    });
    this.#environment = environmentWith(options.environment);
    this.#place = { baseUrl: options.baseUrl ?? "", headers: options.headers ?? {} };
    const { model } = options;
    this.#body = JSON.stringify({ messages, ...(model === undefined ? {} : { model }) });
    this.#key = options.idempotencyKey ?? this.#environment.newKey();
    this.#onToken = onToken;
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
    if (after === null) this.#replay.restart();
    const response = await this.#environment.fetch(
      addressOf(this.#place.baseUrl, "/api/chat/stream"),
      {
        method: "POST",
        headers: {
          ...this.#place.headers,
          "Content-Type": "application/json",
          Accept: "text/event-stream",
          "Idempotency-Key": this.#key,
          "X-Potok-On-Disconnect": "keep",
          ...(after === null ? {} : { "Last-Event-ID": after }),
        },
        body: this.#body,
        signal: line.signal,
      },
    );
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

  #read(event: SseEvent): Frame {
    const { ownId: id, data } = event;
    if (data === DONE) return { id: null, isEnd: true, take: () => undefined };
    const frame = parseRecord(data);
    const { content, error } = frame;
    if (error !== undefined && error !== null) {
      return { id: null, isEnd: true, take: () => this.#fail(error, frame) };
    }
    const text = typeof content === "string" ? content : "";
    return { id, isEnd: false, take: () => this.#give(text, id) };
  }

  #give(text: string, id: string | null): void {
    // The header with the run's name is hidden from pages of other origins; the ids are not.
    this.#run ??= id?.includes(".") === true ? (id.split(".")[0] ?? null) : null;
    const fresh = this.#replay.take(text);
    if (fresh === "" || this.#isStopped) return;
    try {
      this.#onToken(fresh);
    } catch (error) {
      this.#environment.report(error);
    }
  }

  #fail(error: unknown, frame: Readonly<Record<string, unknown>>): void {
    const facts = isRecord(error) ? error : { message: error, code: frame["code"] };
    const message = typeof facts["message"] === "string" ? facts["message"] : "The answer failed.";
    const code = typeof facts["code"] === "string" ? facts["code"] : "failed";
    this.#failure = new RunFailed({ code, message });
  }

  async mend(gap: Gap, line: Line): Promise<void> {
    const run = this.#run ?? "";
    const { signal } = line;
    const snapshot = await fetchSnapshot(this.#environment, this.#place, run, signal, gap.snapshot);
    const { isEnded, message } = snapshot;
    // The path of this stream does not name the run, so the id must.
    line.tell({ input: "snapshot_taken", offset: `${run}.${snapshot.offset}`, isEnded }, () => {
      this.#replay.restart();
      this.#give(textOf(message), null);
      if (message.error !== null) this.#failure = new RunFailed(message.error);
    });
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
    const { text } = this.#replay;
    const error = ending.error ?? this.#failure;
    if (error !== null) this.#settle({ how: "error", text, error: asError(error) });
    else this.#settle({ how: "complete", text, run: this.#run });
  }

  #stop(): void {
    this.#isStopped = true;
    this.#settle({ how: "aborted", text: this.#replay.text, run: this.#run });
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
