/** The simple chat as its users call it: one function, and its friends for bad networks. */

import type { Environment } from "./environment.ts";
import { environmentWith } from "./environment.ts";
import { RunFailed, StreamTimeout } from "./errors.ts";
import { RECONNECT_OUTAGE_SECONDS_MAX } from "./limits.ts";
import type { Rules } from "./reconnectionWords.ts";
import type { SimpleEnding, SimpleOptions, StreamMessage } from "./simpleStream.ts";
import { runSimpleStream } from "./simpleStream.ts";

export interface StreamOptions extends SimpleOptions {
  onToken(token: string): void;
  /** Hears the whole answer, and the run that gave it. */
  onComplete(fullText: string, info?: { readonly run: string | null }): void;
  /** Never hears of an abort. */
  onError(error: Error): void;
  /** Hears what was said before the abort. */
  onAbort?(textSoFar: string): void;
}

/**
 * Stream one answer. Resolves after `onComplete`, `onError` or an abort; it does not reject.
 *
 * An answer that is cut goes on where it was, a few times; no token comes twice.
 */
export async function streamChat(
  messages: readonly StreamMessage[],
  options: StreamOptions,
): Promise<void> {
  const ending = await runSimpleStream(messages, (token) => options.onToken(token), options);
  finish(ending, options);
}

function finish(ending: SimpleEnding, options: StreamOptions): void {
  if (ending.how === "error") options.onError(ending.error);
  else if (ending.how === "aborted") options.onAbort?.(ending.text);
  else options.onComplete(ending.text, { run: ending.run });
}

export interface ReconnectOptions {
  readonly maxRetries: number;
  /** Milliseconds before the first retry, and what the wait grows to; the real one is drawn below. */
  readonly initialDelay: number;
  readonly maxDelay: number;
  readonly backoffMultiplier: number;
}

/** Streams answers with a budget of retries that the caller sets. */
export class StreamingClient {
  readonly maxRetries: number;
  readonly initialDelay: number;
  readonly maxDelay: number;
  readonly backoffMultiplier: number;
  readonly #defaults: SimpleOptions;

  constructor(options: Partial<ReconnectOptions> = {}, defaults: SimpleOptions = {}) {
    this.maxRetries = options.maxRetries ?? 3;
    this.initialDelay = options.initialDelay ?? 1_000;
    this.maxDelay = options.maxDelay ?? 10_000;
    this.backoffMultiplier = options.backoffMultiplier ?? 2;
    this.#defaults = defaults;
  }

  /**
   * As `streamChat`. An answer that fails before its first token is asked for anew, too; one that
   * fails later is not, because its text cannot be taken back.
   */
  async streamWithRetry(
    messages: readonly StreamMessage[],
    callbacks: StreamOptions,
  ): Promise<void> {
    const options = { ...this.#defaults, ...callbacks, rules: this.#rules() };
    const environment = environmentWith(options.environment);
    const { signal } = options;
    let key = options.idempotencyKey ?? environment.newKey();
    for (let retries = 0; ; retries += 1) {
      const onToken = (token: string): void => callbacks.onToken(token);
      const asked = { ...options, idempotencyKey: key };
      const ending = await runSimpleStream(messages, onToken, asked);
      const isFresh = ending.how === "error" && ending.error instanceof RunFailed;
      if (!isFresh || ending.text !== "" || retries >= this.maxRetries) {
        finish(ending, callbacks);
        return;
      }
      // The old key would only give the old failure.
      key = environment.newKey();
      await this.#pause(retries, environment, signal);
    }
  }

  #rules(): Partial<Rules> {
    const longest = ((this.maxRetries + 1) * this.maxDelay) / 1000;
    return {
      triesMax: this.maxRetries,
      baseSeconds: this.initialDelay / 1000,
      maxSeconds: this.maxDelay / 1000,
      multiplier: this.backoffMultiplier,
      outageSecondsMax: Math.max(RECONNECT_OUTAGE_SECONDS_MAX, 2 * longest),
    };
  }

  #pause(retries: number, environment: Environment, signal?: AbortSignal): Promise<void> {
    const grown = this.initialDelay * this.backoffMultiplier ** retries;
    const milliseconds = environment.random() * Math.min(grown, this.maxDelay);
    return new Promise((resolve) => {
      const wake = (): void => {
        environment.clearTimer(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = environment.setTimer(wake, milliseconds);
      signal?.addEventListener("abort", wake);
      if (signal?.aborted === true) wake();
    });
  }
}

/** As `streamChat`, stopped with a `StreamTimeout` if it has not ended after `timeoutMs`. */
export async function streamWithTimeout(
  messages: readonly StreamMessage[],
  options: StreamOptions,
  timeoutMs: number,
): Promise<void> {
  const environment = environmentWith(options.environment);
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  let isLate = false;
  const timer = environment.setTimer(() => {
    isLate = true;
    abort();
  }, timeoutMs);
  options.signal?.addEventListener("abort", abort);
  if (options.signal?.aborted === true) abort();
  const { signal } = controller;
  const onToken = (token: string): void => options.onToken(token);
  const ending = await runSimpleStream(messages, onToken, { ...options, signal });
  environment.clearTimer(timer);
  options.signal?.removeEventListener("abort", abort);
  if (isLate && ending.how === "aborted") options.onError(new StreamTimeout(timeoutMs));
  else finish(ending, options);
}
