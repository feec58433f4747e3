/** The simple chat over a WebSocket (`/ws`): one answer at a time, the next ones wait their turn. */

import { Driver } from "./driver.ts";
import type { Environment } from "./environment.ts";
import { environmentWith } from "./environment.ts";
import { ConnectionLost, NotConnected, QueueFull, RunFailed } from "./errors.ts";
import { SOCKET_QUEUE_MAX } from "./limits.ts";
import type { Rules } from "./reconnectionWords.ts";
import { Replay } from "./replay.ts";
import type { StreamMessage } from "./simpleStream.ts";
import type { SocketMessage } from "./socketLine.ts";
import { runSocketLine } from "./socketLine.ts";

export interface WebSocketClientOptions {
  /** A socket carries none of them but a key in `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly rules?: Partial<Rules>;
  readonly environment?: Partial<Environment>;
}

export interface WebSocketStreamOptions {
  readonly model?: string;
  /** The same key and messages give the same answer; made anew without one. */
  readonly idempotencyKey?: string;
}

interface Job {
  readonly request: SocketMessage;
  readonly replay: Replay;
  readonly onToken: (token: string) => void;
  /** `error` undefined: it ended well. Null: it was given up by whoever asked. */
  settle(error?: Error | null): void;
}

/**
 * A socket that comes back. An answer that was cut is asked for again with the same key: the server
 * gives it from its start, and each token is still given once.
 */
export class LLMWebSocketClient {
  readonly #environment: Environment;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #rules: Partial<Rules>;
  readonly #jobs: Job[] = [];
  #url: string | null = null;
  #driver: Driver | null = null;
  #send: ((message: SocketMessage) => void) | null = null;

  constructor(options: WebSocketClientOptions = {}) {
    this.#environment = environmentWith(options.environment);
    this.#headers = options.headers ?? {};
    // The server's pings are not shown to pages, so silence says nothing here.
    this.#rules = { ...options.rules, heartbeatSeconds: null };
  }

  /**
   * Open the socket. What was asked for before it opened is sent then.
   *
   * @throws ConnectionLost It did not open at the first try.
   */
  connect(url: string): Promise<void> {
    this.disconnect();
    this.#url = url;
    return new Promise((resolve, reject) => this.#begin({ opened: resolve, refused: reject }));
  }

  /**
   * Ask for an answer. Resolves after `onComplete`; rejects after `onError` with the same error.
   *
   * @throws NotConnected `connect` was not called, or `disconnect` was.
   * @throws QueueFull Too many answers wait already.
   */
  async streamChat(
    messages: readonly StreamMessage[],
    onToken: (token: string) => void,
    onComplete: () => void,
    onError: (error: Error) => void,
    options: WebSocketStreamOptions = {},
  ): Promise<void> {
    if (this.#url === null) throw new NotConnected();
    if (this.#jobs.length >= SOCKET_QUEUE_MAX) throw new QueueFull("answers", SOCKET_QUEUE_MAX);
    const { model, idempotencyKey = this.#environment.newKey() } = options;
    const named = model === undefined ? {} : { model };
    const request = {
      messages,
      ...named,
      idempotency_key: idempotencyKey,
      on_disconnect: "keep",
    };
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error | null): void => {
        try {
          if (error === undefined) onComplete();
          else if (error !== null) onError(error);
        } finally {
          if (error) reject(error);
          else resolve();
        }
      };
      this.#jobs.push({ request, replay: new Replay(), onToken, settle });
      if (this.#driver === null) this.#begin();
      else if (this.#jobs.length === 1) this.#ask();
    });
  }

  /** Stop the answer that is coming; what it said so far is complete. */
  cancel(): void {
    if (this.#jobs.length > 0) this.#send?.({ type: "cancel" });
  }

  /** Close the socket. The answer that is coming is stopped, later ones are not asked for. */
  disconnect(): void {
    this.cancel();
    this.#url = null;
    // First, so that none of them hears of an error.
    for (const job of this.#jobs.splice(0)) job.settle(null);
    this.#driver?.cancel();
  }

  /** @param first Hears whether the socket opens at once; with it, the first failure is the last. */
  #begin(first: { opened(): void; refused(error: Error): void } | null = null): void {
    const url = this.#url ?? "";
    let waits = first;
    const driver: Driver = new Driver(
      this.#environment,
      {
        open: (_after, line) =>
          runSocketLine(this.#environment, { url, headers: this.#headers }, line, {
            opened: (send) => {
              this.#send = send;
              waits?.opened();
              waits = null;
              this.#ask();
            },
            received: (message) => {
              line.tell({ input: "received", id: null });
              this.#receive(message);
            },
            gone: () => {
              this.#send = null;
            },
          }),
        changed: () => {
          if (waits !== null && driver.state === "waiting") driver.cancel();
        },
        ended: (ending) => {
          if (this.#driver === driver) this.#driver = null;
          const why = driver.lastError?.message ?? "the socket did not open";
          const error = ending.error ?? (waits === null ? null : new ConnectionLost(why));
          if (error === null) return;
          waits?.refused(error);
          for (const job of this.#jobs.splice(0)) this.#safely(() => job.settle(error));
        },
      },
      { after: null, rules: this.#rules },
    );
    this.#driver = driver;
    driver.begin();
  }

  #ask(): void {
    const job = this.#jobs[0];
    if (job === undefined || this.#send === null) return;
    job.replay.restart();
    this.#send(job.request);
  }

  #receive(message: SocketMessage): void {
    const job = this.#jobs[0];
    if (job === undefined) return;
    const { type, content, message: sentence, code } = message;
    if (type === "token" && typeof content === "string") {
      const fresh = job.replay.take(content);
      if (fresh !== "") this.#safely(() => job.onToken(fresh));
    } else if (type === "done") this.#end(job);
    else if (type === "error") {
      const words = typeof sentence === "string" ? sentence : "The answer failed.";
      this.#end(
        job,
        new RunFailed({ code: typeof code === "string" ? code : "failed", message: words }),
      );
    }
  }

  #end(job: Job, error?: Error): void {
    this.#jobs.shift();
    this.#safely(() => job.settle(error));
    this.#ask();
  }

  #safely(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#environment.report(error);
    }
  }
}
