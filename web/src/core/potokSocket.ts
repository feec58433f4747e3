/**
 * Many runs over one WebSocket (`/api/ws`): browsers grant six HTTP/1.1 connections to a host, and
 * this takes one. Each run is a reader of its own; the socket is the line under all of them.
 */

import type { Line } from "./driver.ts";
import { Driver, refusedInput } from "./driver.ts";
import type { Environment } from "./environment.ts";
import { environmentWith } from "./environment.ts";
import { FrameMalformed, QueueFull, ServerRefused } from "./errors.ts";
import { SOCKET_PING_SECONDS, SOCKET_RUNS_MAX, STOP_SECONDS_MAX } from "./limits.ts";
import type { ReaderState, Rules } from "./reconnectionWords.ts";
import type { RunRequest } from "./runs.ts";
import type { SocketMessage } from "./socketLine.ts";
import { runSocketLine } from "./socketLine.ts";
import type { Attachment, SocketRunOptions } from "./socketRun.ts";
import { SocketRun } from "./socketRun.ts";

export interface SocketOptions {
  /** Where snapshots and cancels go when they cannot go over the socket. */
  readonly baseUrl?: string;
  /** A key in `Authorization` is sent over the socket, too. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly rules?: Partial<Rules>;
  readonly environment?: Partial<Environment>;
  /** Hears of the socket, not of its runs. */
  readonly onState?: (state: ReaderState) => void;
}

// A socket's error carries no HTTP status; these codes stand for the ones that pass by themselves.
const PASSING = new Set(["try_again", "log_unavailable", "upstream_busy", "server_draining"]);
const GONE = new Set(["offset_expired", "log_lost"]);

interface Waiter {
  resolve(isDone: boolean): void;
  reject(error: Error): void;
}

/** One socket. It opens when the first run needs it, and comes back while runs are read. */
export class PotokSocket {
  readonly #url: string;
  readonly #options: SocketOptions;
  readonly #environment: Environment;
  readonly #readers = new Set<SocketRun>();
  readonly #attached = new Map<string, Attachment>();
  readonly #byRun = new Map<string, Attachment>();
  readonly #cancels = new Map<string, Waiter>();
  #driver: Driver | null = null;
  #send: ((message: SocketMessage) => void) | null = null;
  #pingTimer: unknown = null;
  #refs = 0;

  constructor(url: string, options: SocketOptions = {}) {
    this.#url = url;
    this.#options = options;
    this.#environment = environmentWith(options.environment);
  }

  get state(): ReaderState {
    return this.#driver?.state ?? "idle";
  }

  /** Open the socket before the first run needs it. */
  connect(): void {
    if (this.#driver !== null) return;
    const { environment, rules, onState } = this.#options;
    this.#driver = new Driver(
      environmentWith(environment),
      {
        open: (_after, line) => this.#open(line),
        ended: () => {
          this.#driver = null;
          // Their own rules say whether they try again, and with that, this socket.
          this.#loseRuns();
          onState?.("over");
        },
        changed: () => onState?.(this.state),
      },
      {
        after: null,
        rules: { ...rules, heartbeatSeconds: SOCKET_PING_SECONDS },
      },
    );
    this.#driver.begin();
  }

  /** Start a run and read it. @throws QueueFull */
  start(request: RunRequest, options: SocketRunOptions = {}): SocketRun {
    return this.#add({ run: null, after: null, request }, options);
  }

  /**
   * Read a run that exists, after an id or from its start.
   *
   * @throws RangeError `after` is no id, or this socket reads the run already.
   * @throws QueueFull
   */
  subscribe(run: string, options: SocketRunOptions & { readonly after?: string } = {}): SocketRun {
    if ([...this.#readers].some((reader) => reader.run === run)) {
      throw new RangeError(`the run ${run} is read over this socket already`);
    }
    return this.#add({ run, after: options.after ?? "0", request: null }, options);
  }

  /** Leave all runs, which go on, and close the socket. */
  close(): void {
    for (const reader of [...this.#readers]) reader.leave();
    this.#driver?.cancel();
  }

  #add(
    start: { run: string | null; after: string | null; request: RunRequest | null },
    options: SocketRunOptions,
  ): SocketRun {
    if (this.#readers.size >= SOCKET_RUNS_MAX) throw new QueueFull("runs", SOCKET_RUNS_MAX);
    const { baseUrl = "", headers = {}, environment = {} } = this.#options;
    const reader = new SocketRun(
      {
        attach: (attachment) => this.#attach(attachment),
        cancel: (run) => this.#cancel(run),
        gone: (run) => this.#readers.delete(run),
      },
      start,
      { baseUrl, headers, environment, ...options },
    );
    this.#readers.add(reader);
    return reader;
  }

  // The socket

  async #open(line: Line): Promise<void> {
    const { headers = {} } = this.#options;
    await runSocketLine(this.#environment, { url: this.#url, headers }, line, {
      opened: (send) => {
        this.#send = send;
        this.#ping();
        for (const [ref, attachment] of this.#attached) this.#ask(ref, attachment);
      },
      received: (message) => {
        const isPong = message["op"] === "pong";
        line.tell(isPong ? { input: "heartbeat_seen" } : { input: "received", id: null });
        this.#receive(message);
      },
      gone: () => this.#lost(),
    });
  }

  #ping(): void {
    this.#send?.({ op: "ping" });
    const milliseconds = SOCKET_PING_SECONDS * 1000;
    this.#pingTimer = this.#environment.setTimer(() => this.#ping(), milliseconds);
  }

  #lost(): void {
    this.#send = null;
    this.#environment.clearTimer(this.#pingTimer);
    this.#loseRuns();
    for (const waiter of [...this.#cancels.values()]) waiter.resolve(false);
  }

  #loseRuns(): void {
    for (const { line } of [...this.#attached.values()]) line.tell({ input: "closed" });
  }

  // Its runs

  #attach(attachment: Attachment): void {
    const ref = this.#newRef();
    this.#attached.set(ref, attachment);
    attachment.line.signal.addEventListener("abort", () => this.#detach(ref, attachment));
    this.connect();
    this.#ask(ref, attachment);
  }

  #ask(ref: string, attachment: Attachment): void {
    if (this.#send === null) return;
    const { run, after, start } = attachment;
    if (run === null) {
      this.#send({ op: "start", ref, run: start.request, idempotency_key: start.key });
      return;
    }
    this.#byRun.set(run, attachment);
    this.#send({ op: "subscribe", ref, run, after: after ?? "0" });
    // A quiet run may say nothing for long; that the server has it is shown by no error coming.
    attachment.line.tell({ input: "opened" });
  }

  #detach(ref: string, attachment: Attachment): void {
    this.#attached.delete(ref);
    for (const [run, held] of this.#byRun) {
      if (held !== attachment) continue;
      this.#byRun.delete(run);
      if (!attachment.isEnded()) this.#send?.({ op: "unsubscribe", ref: this.#newRef(), run });
    }
  }

  /** Resolves with whether the server heard of it over this socket. */
  #cancel(run: string): Promise<boolean> {
    const send = this.#send;
    if (send === null) return Promise.resolve(false);
    const ref = this.#newRef();
    const answered = new Promise<boolean>((resolve, reject) => {
      this.#cancels.set(ref, { resolve, reject });
      send({ op: "cancel", ref, run });
    });
    const milliseconds = STOP_SECONDS_MAX * 1000;
    const timer = this.#environment.setTimer(
      () => this.#cancels.get(ref)?.resolve(false),
      milliseconds,
    );
    return answered.finally(() => {
      this.#environment.clearTimer(timer);
      this.#cancels.delete(ref);
    });
  }

  #receive(message: SocketMessage): void {
    const { op, ref, run } = message;
    const attachment = typeof ref === "string" ? this.#attached.get(ref) : undefined;
    if (op === undefined) this.#receiveEvent(message);
    else if (op === "error") this.#refuse(message, attachment);
    else if (op === "ended") attachment?.line.tell({ input: "opened", status: 204 });
    else if (op === "cancelled") this.#cancels.get(String(ref))?.resolve(true);
    else if (op === "started" && attachment !== undefined) {
      if (typeof run !== "string") throw new FrameMalformed("a start is answered without a run");
      if (this.#byRun.has(run)) {
        const code = "already_subscribed";
        this.#refuse({ code, message: `The run ${run} is read here already.` }, attachment);
        return;
      }
      this.#byRun.set(run, attachment);
      attachment.named(run);
      attachment.line.tell({ input: "opened" });
    }
  }

  #receiveEvent(message: SocketMessage): void {
    const { run, ...event } = message;
    if (typeof run !== "string") throw new FrameMalformed("an event names no run");
    // `run-start` has a field of that name, which is the same.
    const whole = event["event"] === "run-start" ? message : event;
    this.#byRun.get(run)?.receive(whole);
  }

  #refuse(message: SocketMessage, attachment: Attachment | undefined): void {
    const { op: _op, ref, code, message: sentence, ...facts } = message;
    const known = typeof code === "string" ? code : "error";
    const error = new ServerRefused({
      status: GONE.has(known) ? 410 : PASSING.has(known) ? 503 : 400,
      code: known,
      message: typeof sentence === "string" ? sentence : `The server refused this (${known}).`,
      retryAfterSeconds: null,
      isFinal: false,
      facts,
    });
    this.#cancels.get(String(ref))?.reject(error);
    if (attachment === undefined) return;
    attachment.blame(error);
    attachment.line.tell(refusedInput(error));
  }

  #newRef(): string {
    this.#refs += 1;
    return String(this.#refs);
  }
}
