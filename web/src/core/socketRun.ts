/** One run read over a socket that it shares with others. */

import type { Line } from "./driver.ts";
import type { Message } from "./fold.ts";
import { readStoredEvent } from "./events.ts";
import type { ReaderOptions } from "./runReader.ts";
import { RunReader } from "./runReader.ts";
import type { RunRequest } from "./runs.ts";
import { cancelRun } from "./runs.ts";
import type { SocketMessage } from "./socketLine.ts";

export interface SocketRunOptions extends ReaderOptions {
  /** The same key and request give the same run; made anew without one. */
  readonly idempotencyKey?: string;
  /** The message up to `after`; it grows in place. */
  readonly message?: Message;
}

interface Start {
  readonly request: RunRequest | null;
  readonly key: string;
}

/** A run's wish to be read, as the socket sees it: in force until its line is dropped. */
export interface Attachment {
  readonly line: Line;
  /** Null: it is still to be started. */
  readonly run: string | null;
  readonly after: string | null;
  readonly start: Start;
  named(run: string): void;
  /** @throws FrameMalformed */
  receive(message: SocketMessage): void;
  blame(error: Error): void;
  isEnded(): boolean;
}

/** What a run asks of its socket. */
export interface Link {
  attach(attachment: Attachment): void;
  /** Resolves with whether the server heard of it. */
  cancel(run: string): Promise<boolean>;
  gone(run: SocketRun): void;
}

export class SocketRun extends RunReader {
  readonly #link: Link;
  readonly #start: Start;

  constructor(
    link: Link,
    start: { run: string | null; after: string | null; request: RunRequest | null },
    options: SocketRunOptions,
  ) {
    const { message } = options;
    // The socket listens for silence; a run may be quiet for as long as its model thinks.
    const rules = { ...options.rules, heartbeatSeconds: null };
    super(
      { ...options, rules },
      { run: start.run, after: start.after, ...(message === undefined ? {} : { message }) },
    );
    this.#link = link;
    this.#start = {
      request: start.request,
      key: options.idempotencyKey ?? this.environment.newKey(),
    };
    void this.done.then(() => link.gone(this));
    this.begin();
  }

  override open(after: string | null, line: Line): void {
    this.#link.attach({
      line,
      run: this.run,
      after,
      start: this.#start,
      named: (run) => this.named(run),
      receive: (message) => {
        const stored = readStoredEvent(message);
        const isEnd = stored.event.event === "run-end";
        line.tell({ input: "received", id: stored.id, isEnd }, () => this.take(stored));
        this.flush();
      },
      blame: (error) => this.driver.blame(error),
      isEnded: () => this.message.outcome !== null,
    });
  }

  protected override async sendCancel(run: string): Promise<void> {
    const isHeard = await this.#link.cancel(run);
    if (!isHeard) await cancelRun(this.environment, this.place, run);
  }
}
