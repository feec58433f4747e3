/**
 * The one line of this tab: a socket that carries all its runs, and plain HTTP where no socket
 * comes through.
 */

import type {
  Environment,
  Message,
  ReaderState,
  RunListener,
  RunRequest,
  RunResult,
  RunSession,
  SocketRun,
} from "../core/index.ts";
import { PotokSocket, resumeRun, startRun } from "../core/index.ts";
import { PROBE_MILLISECONDS, SOCKET_FAILURES_MAX } from "./limits.ts";

/** What is known of the way to the server. `lost`: nothing is tried any more until `retry`. */
export type LineState = "opening" | "open" | "waiting" | "lost";

export interface Wanted {
  /** Null: it is still to be started, from `request`. */
  readonly run: string | null;
  readonly request: RunRequest;
  readonly key: string;
  /** The last id seen, with the message up to there. */
  readonly after: string | null;
  readonly message: Message | null;
}

type Reader = RunSession | SocketRun;

export class Connection {
  readonly #key: string | null;
  readonly #environment: Partial<Environment> & Pick<Environment, "fetch" | "openSocket">;
  readonly #listeners = new Set<() => void>();
  readonly #followings = new Set<Following>();
  #socket: PotokSocket | null = null;
  #state: LineState = "opening";
  #failures = 0;
  #usesHttp = false;

  /** @param key The server's key, where it asks for one. */
  constructor(key: string | null, environment: Partial<Environment> = {}) {
    this.#key = key;
    const protocols = key === null ? [] : ["potok", `bearer.${base64Url(key)}`];
    this.#environment = {
      openSocket: (address) => new WebSocket(address, protocols),
      fetch: (url, init) => fetch(url, init),
      ...environment,
    };
  }

  get state(): LineState {
    return this.#state;
  }

  /** Whether no socket came through, so that each answer takes a connection of its own. */
  get usesHttp(): boolean {
    return this.#usesHttp;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Open the line, so that the first answer need not wait for it. */
  open(): void {
    if (!this.#usesHttp) this.#openSocket().connect();
  }

  /** Leave everything; the runs go on. */
  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#state = "opening";
  }

  /**
   * Go on over a new line. After another network took over, the old one is dead, and it may take
   * a minute until that shows.
   */
  renew(): void {
    const socket = this.#socket;
    this.#socket = null;
    for (const following of [...this.#followings]) following.restart();
    socket?.close();
    this.open();
  }

  /** Read a run, over whatever line there is. */
  follow(wanted: Wanted, listener: RunListener): Following {
    const following = new Following(wanted, listener, (one, options) => this.#read(one, options));
    this.#followings.add(following);
    void following.done.then(() => this.#followings.delete(following));
    return following;
  }

  /** What every request to the server carries. */
  get headers(): Readonly<Record<string, string>> {
    return this.#key === null ? {} : { Authorization: `Bearer ${this.#key}` };
  }

  #read(wanted: Wanted, listener: RunListener): Reader {
    const { run, request, key, after, message } = wanted;
    const known = {
      ...(message === null ? {} : { message }),
      ...(after === null ? {} : { after }),
    };
    if (this.#usesHttp) {
      const options = { ...listener, headers: this.headers, environment: this.#environment };
      return run === null
        ? startRun(request, { ...options, idempotencyKey: key })
        : resumeRun(run, { ...options, ...known });
    }
    const socket = this.#openSocket();
    return run === null
      ? socket.start(request, { ...listener, idempotencyKey: key })
      : socket.subscribe(run, { ...listener, ...known });
  }

  #openSocket(): PotokSocket {
    if (this.#socket !== null) return this.#socket;
    const url = new URL("/api/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new PotokSocket(url.href, {
      headers: this.headers,
      environment: this.#environment,
      onState: (state) => this.#hear(socket, state),
    });
    this.#socket = socket;
    return socket;
  }

  #hear(socket: PotokSocket, state: ReaderState): void {
    if (socket !== this.#socket) return;
    if (state === "open") {
      this.#failures = Number.NEGATIVE_INFINITY;
      this.#show("open");
    } else if (state === "waiting") {
      this.#failures += 1;
      this.#show("waiting");
      if (this.#failures === SOCKET_FAILURES_MAX) void this.#tryHttp();
    } else if (state === "over") {
      this.#show("lost");
    }
  }

  /** Some proxies let no socket through. If the server can be reached all the same, do without. */
  async #tryHttp(): Promise<void> {
    try {
      const signal = AbortSignal.timeout(PROBE_MILLISECONDS);
      const answer = await this.#environment.fetch("/healthz", { signal, cache: "no-store" });
      if (!answer.ok || this.#state === "open") return;
    } catch {
      return;
    }
    this.#usesHttp = true;
    this.renew();
    this.#show("open");
  }

  #show(state: LineState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** One run that is read, whichever line carries it. */
export class Following {
  /** Resolves at the end, and never rejects. */
  readonly done: Promise<RunResult>;
  readonly #read: (wanted: Wanted, listener: RunListener) => Reader;
  readonly #listener: RunListener;
  readonly #wanted: Wanted;
  #settle!: (result: RunResult) => void;
  #turn = 0;
  #reader: Reader;

  constructor(
    wanted: Wanted,
    listener: RunListener,
    read: (wanted: Wanted, listener: RunListener) => Reader,
  ) {
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#wanted = wanted;
    this.#listener = listener;
    this.#read = read;
    this.#reader = this.#begin(wanted);
  }

  get reader(): Reader {
    return this.#reader;
  }

  /** Go on over another line, from where this one came to. */
  restart(): void {
    const old = this.#reader;
    const { run, after, message } = old;
    const known = run === null ? { after: null, message: null } : { after, message };
    this.#reader = this.#begin({ ...this.#wanted, run, ...known });
    old.leave();
  }

  #begin(wanted: Wanted): Reader {
    this.#turn += 1;
    const turn = this.#turn;
    const { onEvents, onGap, onState } = this.#listener;
    // What an older reader still says is not heard.
    const hear =
      <Heard extends unknown[]>(listener: ((...heard: Heard) => void) | undefined) =>
      (...heard: Heard): void => {
        if (turn === this.#turn) listener?.(...heard);
      };
    const reader = this.#read(wanted, {
      onEvents: hear(onEvents),
      onGap: hear(onGap),
      onState: hear(onState),
    });
    void reader.done.then(hear(this.#settle));
    return reader;
  }
}

/** Return a key as a subprotocol may spell it. */
function base64Url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
