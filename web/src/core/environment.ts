/** What the core needs of a browser or of Node, as one value that tests replace. */

import { TIMER_MILLISECONDS_MAX } from "./limits.ts";

/** The part of a WebSocket that is used; a browser's and Node's own both fit. */
export interface SocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** What the machine says of itself. */
export type MachineSignal = "online" | "offline" | "visible";

export interface Environment {
  fetch(url: string, init: RequestInit): Promise<Response>;
  openSocket(url: string, protocols: readonly string[]): SocketLike;
  /** Monotonic milliseconds. */
  now(): number;
  /** A random number, 0 <= x < 1. */
  random(): number;
  /** Call back once; returns what `clearTimer` takes. */
  setTimer(callback: () => void, milliseconds: number): unknown;
  clearTimer(timer: unknown): void;
  /** A name that nobody else makes: an Idempotency-Key. */
  newKey(): string;
  /** Hear of the network and of the page; returns what ends it. */
  watch(listener: (signal: MachineSignal) => void): () => void;
  /** Take what a listener of the caller threw; nothing of ours stops for it. */
  report(error: unknown): void;
}

/** The real thing. Whatever the machine lacks is found out at its first use. */
export const MACHINE: Environment = {
  fetch: (url, init) => globalThis.fetch(url, init),
  openSocket: (url, protocols) => new WebSocket(url, [...protocols]),
  now: () => performance.now(),
  random: () => Math.random(),
  setTimer: (callback, milliseconds) =>
    setTimeout(callback, Math.min(Math.max(0, milliseconds), TIMER_MILLISECONDS_MAX)),
  clearTimer: (timer) => clearTimeout(timer as number),
  newKey,
  watch: watchPage,
  report: (error) => queueMicrotask(() => throwIt(error)),
};

/** Return the machine's environment with some of its parts replaced. */
export function environmentWith(parts: Partial<Environment> = {}): Environment {
  return { ...MACHINE, ...parts };
}

function newKey(): string {
  // `randomUUID` is missing on pages that came over plain HTTP from another machine.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function watchPage(listener: (signal: MachineSignal) => void): () => void {
  const page = typeof document === "undefined" ? null : document;
  if (page === null || typeof addEventListener !== "function") return () => undefined;
  const online = (): void => listener("online");
  const offline = (): void => listener("offline");
  const visible = (): void => {
    if (page.visibilityState === "visible") listener("visible");
  };
  addEventListener("online", online);
  addEventListener("offline", offline);
  page.addEventListener("visibilitychange", visible);
  return () => {
    removeEventListener("online", online);
    removeEventListener("offline", offline);
    page.removeEventListener("visibilitychange", visible);
  };
}

function throwIt(error: unknown): never {
  throw error;
}
