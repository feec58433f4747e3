/** One run over HTTP: started once, followed over as many connections as that takes. */

import type { Line } from "./driver.ts";
import { FrameMalformed } from "./errors.ts";
import { parseRecord, readEvent } from "./events.ts";
import type { Message } from "./fold.ts";
import { accepted, addressOf, isStream } from "./http.ts";
import type { ReaderOptions } from "./runReader.ts";
import { RunReader } from "./runReader.ts";
import type { RunRequest } from "./runs.ts";
import { cancelRun, sendStart } from "./runs.ts";
import type { SseEvent } from "./sse.ts";
import type { Frame } from "./sseLine.ts";
import { readSseLine } from "./sseLine.ts";

export interface StartOptions extends ReaderOptions {
  /** The same key and request give the same run, also after a reload; made anew without one. */
  readonly idempotencyKey?: string;
}

export interface ResumeOptions extends ReaderOptions {
  /** The last id seen; without it the run is read from its start. */
  readonly after?: string;
  /** The message up to `after`; it grows in place. */
  readonly message?: Message;
}

type Start = { readonly request: RunRequest; readonly key: string };

/** Start a run and follow it. Nothing is thrown: `done` tells how it ended. */
export function startRun(request: RunRequest, options: StartOptions = {}): RunSession {
  return new RunSession(request, options);
}

/**
 * Follow a run that exists.
 *
 * @throws RangeError `after` is no id.
 */
export function resumeRun(run: string, options: ResumeOptions = {}): RunSession {
  return new RunSession(run, options);
}

export class RunSession extends RunReader {
  readonly #start: Start | null;

  constructor(what: RunRequest | string, options: StartOptions & ResumeOptions) {
    const { after = "0", message } = options;
    const isRun = typeof what === "string";
    super(options, {
      run: isRun ? what : null,
      after: isRun ? after : null,
      ...(message === undefined ? {} : { message }),
    });
    const key = options.idempotencyKey ?? this.environment.newKey();
    this.#start = isRun ? null : { request: what, key };
    this.begin();
  }

  protected override sendCancel(run: string): Promise<void> {
    return cancelRun(this.environment, this.place, run);
  }

  override async open(after: string | null, line: Line): Promise<void> {
    if (this.run === null && this.#start !== null) {
      const { request, key } = this.#start;
      const run = await sendStart(this.environment, this.place, request, key, line.signal);
      if (!line.isCurrent) return;
      this.named(run);
    }
    const path = `/api/runs/${encodeURIComponent(this.run ?? "")}/events`;
    const url = addressOf(this.place.baseUrl, `${path}?after=${encodeURIComponent(after ?? "0")}`);
    const headers = { ...this.place.headers, Accept: "text/event-stream" };
    const response = await accepted(
      await this.environment.fetch(url, { headers, signal: line.signal, cache: "no-store" }),
    );
    if (!line.isCurrent) return;
    if (!isStream(response, "text/event-stream")) {
      line.tell({ input: "opened", status: response.status });
      return;
    }
    const read = (event: SseEvent): Frame => this.#read(event);
    await readSseLine(response, line, this.driver, read, () => this.flush());
  }

  #read(frame: SseEvent): Frame {
    const event = readEvent(frame.event, parseRecord(frame.data));
    const id = frame.ownId;
    if (id === null) throw new FrameMalformed("an event has no id");
    const isEnd = event.event === "run-end";
    return { id, isEnd, take: () => this.take({ id, event }) };
  }
}
