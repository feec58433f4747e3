/** One answer that grows: tells the page of it as often as the page can paint. */

import type { Message, PotokError, RunState } from "../core/index.ts";
import { emptyMessage } from "../core/index.ts";
import type { Connection, Following, Wanted } from "./connection.ts";
import {
  PAINT_MILLISECONDS,
  PAINT_MILLISECONDS_MAX,
  PAINT_SHARE,
  SAVE_MILLISECONDS,
} from "./limits.ts";

/** What the page paints. `message` grows in place: a new view is a new look at it. */
export interface AnswerView {
  readonly message: Message;
  readonly state: RunState;
  /** Something on the way holds the stream back. */
  readonly isBuffered: boolean;
  readonly isStopping: boolean;
  /** Why a stop was refused. */
  readonly stopError: PotokError | null;
}

export interface AnswerListener {
  /** The run has a name now. */
  onNamed(run: string): void;
  /** A moment to keep a copy. */
  onSave(after: string, message: Message): void;
  onEnd(state: RunState, message: Message, error: PotokError | null): void;
}

export class LiveAnswer {
  readonly #listener: AnswerListener;
  readonly #painters = new Set<() => void>();
  readonly #following: Following;
  #view: AnswerView;
  #run: string | null;
  #isStopping = false;
  #stopError: PotokError | null = null;
  #paintTimer: ReturnType<typeof setTimeout> | null = null;
  #paintMilliseconds = PAINT_MILLISECONDS;
  #savedAt = performance.now();

  constructor(connection: Connection, wanted: Wanted, listener: AnswerListener) {
    this.#listener = listener;
    this.#run = wanted.run;
    this.#view = {
      message: wanted.message ?? emptyMessage(),
      state: "starting",
      isBuffered: false,
      isStopping: false,
      stopError: null,
    };
    this.#following = connection.follow(wanted, {
      onEvents: () => this.#grew(),
      onGap: () => this.#grew(),
      onState: () => queueMicrotask(() => this.#changed()),
    });
    void this.#following.done.then(({ state, message, error }) => {
      this.#paint();
      if (state !== "left") this.#listener.onEnd(state, message, error);
    });
  }

  get view(): AnswerView {
    return this.#view;
  }

  readonly subscribe = (painter: () => void): (() => void) => {
    this.#painters.add(painter);
    return () => this.#painters.delete(painter);
  };

  /** Stop the run, not only this reader. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#stopError = null;
    this.#paint();
    try {
      await this.#following.reader.cancel();
    } catch (error) {
      this.#isStopping = false;
      this.#stopError = error as PotokError;
      this.#paint();
    }
  }

  /** Stop the run, and read it no longer. */
  async end(): Promise<void> {
    const { run } = this.#following.reader;
    const stopped = this.stop();
    // Without a name it can be stopped only once the answer to its start has come.
    if (run === null) await stopped;
    this.leave();
  }

  /** Stop reading; the run goes on. */
  leave(): void {
    this.#following.reader.leave();
  }

  /** Keep a copy now: the page may be gone in a moment. */
  save(): void {
    const { after, message } = this.#following.reader;
    this.#savedAt = performance.now();
    if (after !== null && after !== "0" && message.outcome === null) {
      this.#listener.onSave(after, message);
    }
  }

  #grew(): void {
    this.#paintTimer ??= setTimeout(() => this.#paint(), this.#paintMilliseconds);
    if (performance.now() - this.#savedAt > SAVE_MILLISECONDS) this.save();
  }

  #changed(): void {
    const { run } = this.#following.reader;
    if (run !== null && run !== this.#run) {
      this.#run = run;
      this.#listener.onNamed(run);
    }
    this.#paint();
  }

  #paint(): void {
    if (this.#paintTimer !== null) clearTimeout(this.#paintTimer);
    this.#paintTimer = null;
    const { message, state, isBuffered } = this.#following.reader;
    const isStopping = this.#isStopping;
    this.#view = { message, state, isBuffered, isStopping, stopError: this.#stopError };
    const startedAt = performance.now();
    for (const painter of [...this.#painters]) painter();
    // React paints in a microtask of its own, which stands before this one.
    queueMicrotask(() => {
      const wished = (performance.now() - startedAt) / PAINT_SHARE;
      const within = Math.min(Math.max(wished, PAINT_MILLISECONDS), PAINT_MILLISECONDS_MAX);
      this.#paintMilliseconds = within;
    });
  }
}
