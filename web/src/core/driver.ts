/**
 * Obeys the rules of reconnection and decides nothing: it keeps the one timer and the one line,
 * and makes sure that a dropped line is not heard any more.
 */

import type { Environment } from "./environment.ts";
import type { PotokError } from "./errors.ts";
import { ConnectionLost, FrameMalformed, FrameTooLarge, ServerRefused, asError } from "./errors.ts";
import { Reconnection } from "./reconnection.ts";
import type {
  Command,
  Finished,
  Gap,
  GiveUp,
  Input,
  ReaderState,
  Rules,
} from "./reconnectionWords.ts";

/** One line, or one call for a snapshot. Once it is dropped, what it tells is not heard. */
export interface Line {
  /** Aborts when the line is dropped. */
  readonly signal: AbortSignal;
  readonly isCurrent: boolean;
  /** Tell what came over it; `take` hands on a frame that is new. */
  tell(heard: Input, take?: () => void): void;
}

/** How it ended: in peace, or with an error to show. */
export type Ending =
  | { readonly how: Finished["how"]; readonly error: null }
  | { readonly how: "lost"; readonly error: PotokError };

export interface Port {
  /** Open a line after an id; a rejection is a failure of the line. */
  open(after: string | null, line: Line): Promise<void> | void;
  /** Take the snapshot behind a gap and tell `snapshot_taken`. */
  mend?(gap: Gap, line: Line): Promise<void> | void;
  /** Hear the end; once, last. */
  ended(ending: Ending): void;
  /** Hear that `state`, `tries` or `isBuffered` is another; not at the end. */
  changed?(): void;
}

/** After these nothing good comes over a line any more. */
const LAST_WORDS: ReadonlySet<string> = new Set(["closed", "failed", "refused"]);

export class Driver {
  readonly #environment: Environment;
  readonly #rules: Reconnection;
  readonly #port: Port;
  readonly #unwatch: () => void;
  #line: AbortController | null = null;
  #timer: unknown = null;
  #lastError: Error | null = null;
  #shown = "";

  /** @throws RangeError `after` is no id. */
  constructor(
    environment: Environment,
    port: Port,
    start: { after: string | null; rules?: Partial<Rules> },
  ) {
    this.#environment = environment;
    this.#port = port;
    this.#rules = new Reconnection(start.after, start.rules ?? {});
    this.#unwatch = environment.watch((signal) => this.tell({ input: signal }));
  }

  get state(): ReaderState {
    return this.#rules.state;
  }

  get tries(): number {
    return this.#rules.tries;
  }

  get after(): string | null {
    return this.#rules.after;
  }

  get isBuffered(): boolean {
    return this.#rules.isBuffered;
  }

  /** What the last failure came with. */
  get lastError(): Error | null {
    return this.#lastError;
  }

  begin(): void {
    this.tell({ input: "begun" });
  }

  /** Drop everything; `ended` hears `cancelled`. */
  cancel(): void {
    this.tell({ input: "cancelled" });
  }

  /** Tell what happened, and do what the rules make of it. */
  tell(heard: Input, take?: () => void): void {
    const now = this.#environment.now() / 1000;
    for (const command of this.#rules.receive(heard, now, this.#environment.random())) {
      this.#obey(command, take);
    }
    const shown = this.#show();
    if (shown === this.#shown || this.state === "over") return;
    this.#shown = shown;
    this.#port.changed?.();
  }

  /** Keep the error that a failure came with, for those who hear that nothing more is tried. */
  blame(error: unknown): void {
    this.#lastError = asError(error);
  }

  #show(): string {
    return `${this.#rules.state} ${this.#rules.tries} ${this.#rules.isBuffered}`;
  }

  #obey(command: Command, take: (() => void) | undefined): void {
    switch (command.command) {
      case "deliver":
        take?.();
        return;
      case "wait_until":
        this.#wait(command.at);
        return;
      case "abort":
        this.#drop();
        return;
      case "connect": {
        const line = this.#newLine();
        this.#run(line, () => this.#port.open(command.after, line));
        return;
      }
      case "gap_said": {
        const line = this.#newLine();
        this.#run(line, () => this.#port.mend?.(command, line));
        return;
      }
      case "finished":
        this.#end({ how: command.how, error: null });
        return;
      case "give_up":
        this.#end({ how: "lost", error: this.#explain(command) });
    }
  }

  #run(line: Line, start: () => Promise<void> | void): void {
    // Not at once: whoever told something first hears all commands that it led to.
    Promise.resolve()
      .then(() => (line.isCurrent ? start() : undefined))
      .catch((error: unknown) => {
        if (!line.isCurrent) return;
        this.blame(error);
        line.tell(inputOf(error));
      });
  }

  #newLine(): Line {
    this.#drop();
    const controller = new AbortController();
    this.#line = controller;
    const isCurrent = (): boolean => this.#line === controller;
    return {
      signal: controller.signal,
      get isCurrent() {
        return isCurrent();
      },
      tell: (heard, take) => {
        if (!isCurrent()) return;
        if (LAST_WORDS.has(heard.input)) this.#drop();
        this.tell(heard, take);
      },
    };
  }

  #drop(): void {
    const line = this.#line;
    this.#line = null;
    line?.abort();
  }

  #wait(at: number): void {
    this.#stopTimer();
    this.#timer = this.#environment.setTimer(
      () => {
        this.#timer = null;
        this.tell({ input: "time_passed" });
      },
      at * 1000 - this.#environment.now(),
    );
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#environment.clearTimer(this.#timer);
    this.#timer = null;
  }

  #end(ending: Ending): void {
    this.#stopTimer();
    this.#unwatch();
    this.#drop();
    this.#port.ended(ending);
  }

  #explain(given: GiveUp): PotokError {
    const last = this.#lastError;
    if (given.reason === "tries_spent" || given.reason === "time_spent") {
      return new ConnectionLost(last?.message || "the line broke again and again", last);
    }
    if (last instanceof FrameTooLarge) return last;
    if (last instanceof ServerRefused && last.status === given.status) return last;
    return new ServerRefused({
      status: given.status ?? 0,
      code: given.reason,
      message: `The server refused the request (${given.reason}).`,
      retryAfterSeconds: null,
      isFinal: true,
      facts: {},
    });
  }
}

function inputOf(error: unknown): Input {
  if (error instanceof FrameTooLarge) return { input: "failed", kind: "too_large" };
  if (error instanceof ServerRefused) return refusedInput(error);
  return { input: "failed", kind: error instanceof FrameMalformed ? "malformed" : "network" };
}

/** Return a server's refusal as the rules hear it. */
export function refusedInput(error: ServerRefused): Input {
  const { status, code, retryAfterSeconds, isFinal, facts } = error.refusal;
  const first = typeof facts["first"] === "string" ? facts["first"] : null;
  const snapshot = typeof facts["snapshot"] === "string" ? facts["snapshot"] : null;
  return { input: "refused", status, code, retryAfterSeconds, isFinal, first, snapshot };
}
