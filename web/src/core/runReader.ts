/**
 * One run as one reader sees it: its events, its message, its state. How the events come, over
 * HTTP or a socket, is its subclass's business.
 */

import { callUntilAnswered } from "./call.ts";
import type { Ending, Line, Port } from "./driver.ts";
import { Driver } from "./driver.ts";
import type { Environment } from "./environment.ts";
import { environmentWith } from "./environment.ts";
import type { PotokError } from "./errors.ts";
import { FrameMalformed, RunFailed, VersionUnknown } from "./errors.ts";
import type { StoredEvent } from "./events.ts";
import { GRAMMAR_VERSION } from "./events.ts";
import type { Message } from "./fold.ts";
import { Fold } from "./fold.ts";
import type { Gap, Rules } from "./reconnectionWords.ts";
import type { Place } from "./runs.ts";
import { fetchSnapshot } from "./runs.ts";

/**
 * Where a run is for this reader. `starting`: its id is not known yet; `waiting`: the line was
 * lost and the next try is due; `mending`: a gap is filled from the snapshot. The ends: the run's
 * own `finished`, `cancelled`, `failed`; `left`: the reader went away; `lost`: nothing more is
 * tried, and the run may go on.
 */
export type RunState =
  | "starting"
  | "connecting"
  | "open"
  | "waiting"
  | "mending"
  | "finished"
  | "cancelled"
  | "failed"
  | "left"
  | "lost";

/** How it ended. `error` is null unless the run failed or was lost; a stop is no error. */
export interface RunResult {
  readonly state: RunState;
  readonly message: Message;
  readonly error: PotokError | null;
}

/** Hears of one run. What a listener throws is reported and stops nothing. */
export interface RunListener {
  /** Events as they come, each once, in order; once for all that came in one piece. */
  onEvents?(events: readonly StoredEvent[], message: Message): void;
  /** Events before `first` are gone; `message` was replaced by the run's snapshot. */
  onGap?(gap: { readonly first: string | null; readonly message: Message }): void;
  onState?(state: RunState): void;
}

export interface ReaderOptions extends RunListener {
  readonly baseUrl?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly rules?: Partial<Rules>;
  readonly environment?: Partial<Environment>;
  /** Leaves the run when it aborts; the run goes on. */
  readonly signal?: AbortSignal;
}

export abstract class RunReader implements Port {
  /** Resolves at the end, and never rejects. */
  readonly done: Promise<RunResult>;
  protected readonly environment: Environment;
  protected readonly place: Place;
  protected readonly driver: Driver;
  readonly #listener: RunListener;
  readonly #settle: (result: RunResult) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #leave = (): void => this.leave();
  #run: string | null;
  #fold: Fold;
  #events: StoredEvent[] = [];
  #fault: PotokError | null = null;
  #stopAsked = false;
  #end: RunState | null = null;
  #shown: RunState | null = null;

  protected constructor(
    options: ReaderOptions,
    start: { run: string | null; after: string | null; message?: Message },
  ) {
    const { promise, resolve } = deferred<RunResult>();
    this.done = promise;
    this.#settle = resolve;
    this.environment = environmentWith(options.environment);
    this.place = { baseUrl: options.baseUrl ?? "", headers: options.headers ?? {} };
    this.#listener = options;
    this.#run = start.run;
    this.#fold = new Fold(start.message);
    const { after } = start;
    this.driver = new Driver(this.environment, this, { after, rules: options.rules ?? {} });
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#leave);
  }

  /** The run's id, null until its start was answered. */
  get run(): string | null {
    return this.#run;
  }

  /** The message so far; it grows in place. */
  get message(): Message {
    return this.#fold.message;
  }

  /** The last id seen: store it with the message, and `resumeRun` goes on from there. */
  get after(): string | null {
    return this.driver.after;
  }

  get state(): RunState {
    if (this.#end !== null) return this.#end;
    const state = this.driver.state;
    if (state === "waiting" || state === "mending" || state === "open") return state;
    return this.#run === null ? "starting" : "connecting";
  }

  /** Failed tries in a row. */
  get tries(): number {
    return this.driver.tries;
  }

  /** Advice: a proxy on the way holds the stream back. */
  get isBuffered(): boolean {
    return this.driver.isBuffered;
  }

  /**
   * Stop the run; its text so far is kept, and `done` resolves once its end has come.
   *
   * Before the start was answered it waits for that answer, so that the run can be named; a start
   * that fails meanwhile is not sent again.
   *
   * @throws ServerRefused, ConnectionLost The run could not be stopped; reading goes on.
   */
  async cancel(): Promise<void> {
    if (this.#end !== null) return;
    if (this.#run !== null) {
      await this.sendCancel(this.#run);
      return;
    }
    this.#stopAsked = true;
    if (this.driver.state !== "connecting") this.driver.cancel();
    await this.done;
  }

  /** Stop reading; the run goes on without this reader. */
  leave(): void {
    this.driver.cancel();
  }

  /** Stop the run that `run` names. */
  protected abstract sendCancel(run: string): Promise<void>;

  abstract open(after: string | null, line: Line): Promise<void> | void;

  protected begin(): void {
    if (this.#signal?.aborted === true) this.leave();
    else this.driver.begin();
  }

  /** Hear the id of the run that was started. */
  protected named(run: string): void {
    this.#run = run;
    if (this.#stopAsked) {
      this.sendCancel(run).catch((error: unknown) => this.environment.report(error));
    }
    this.#showState();
  }

  /** Take a new event. */
  protected take(stored: StoredEvent): void {
    const { event } = stored;
    try {
      if (event.event === "run-start" && event.version !== GRAMMAR_VERSION) {
        throw new VersionUnknown(event.version);
      }
      this.#fold.feed(event);
    } catch (error) {
      if (!(error instanceof FrameMalformed || error instanceof VersionUnknown)) throw error;
      this.#fault = error;
      this.driver.cancel();
      return;
    }
    this.#events.push(stored);
  }

  /** Tell the listener of the events taken since the last time. */
  protected flush(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#safely(() => this.#listener.onEvents?.(events, this.message));
  }

  async mend(gap: Gap, line: Line): Promise<void> {
    const run = this.#run ?? "";
    const { environment, place } = this;
    const snapshot = await fetchSnapshot(environment, place, run, line.signal, gap.snapshot);
    const { offset, isEnded, message } = snapshot;
    line.tell({ input: "snapshot_taken", offset, isEnded }, () => {
      this.#fold = new Fold(message);
      this.#safely(() => this.#listener.onGap?.({ first: gap.first, message }));
    });
  }

  changed(): void {
    // A start that failed while somebody wanted to stop is not tried again.
    if (this.#stopAsked && this.#run === null && this.driver.state === "waiting") {
      this.driver.cancel();
      return;
    }
    this.#showState();
  }

  ended(ending: Ending): void {
    this.flush();
    this.#signal?.removeEventListener("abort", this.#leave);
    if (ending.how === "already-read" && this.message.outcome === null) {
      void this.#learnOutcome();
      return;
    }
    const left: RunState = this.#stopAsked ? "cancelled" : "left";
    if (ending.error !== null || this.#fault !== null) this.#close("lost", ending.error);
    else this.#close(ending.how === "cancelled" ? left : (this.message.outcome ?? "finished"));
  }

  async #learnOutcome(): Promise<void> {
    // The end was read before, by whoever stored the offset: only the run itself can say it.
    const { environment, place, run } = this;
    try {
      const snapshot = await callUntilAnswered(environment, (signal) =>
        fetchSnapshot(environment, place, run ?? "", signal),
      );
      if (snapshot !== null) this.#fold = new Fold(snapshot.message);
      this.#close(this.message.outcome ?? "finished");
    } catch (error) {
      this.#close("lost", error as PotokError);
    }
  }

  #close(state: RunState, error: PotokError | null = null): void {
    this.#end = state;
    const { message } = this;
    const failure = state === "failed" && message.error ? new RunFailed(message.error) : null;
    this.#showState();
    this.#settle({ state, message, error: error ?? this.#fault ?? failure });
  }

  #showState(): void {
    const { state } = this;
    if (state === this.#shown) return;
    this.#shown = state;
    this.#safely(() => this.#listener.onState?.(state));
  }

  #safely(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.environment.report(error);
    }
  }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
