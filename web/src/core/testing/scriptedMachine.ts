/** An environment without chance and network, for tests with vitest's fake timers. */

import { vi } from "vitest";

import type { Environment, MachineSignal } from "../environment.ts";
import { MACHINE } from "../environment.ts";
import { ScriptedFetch } from "./scriptedFetch.ts";
import { ScriptedSockets } from "./scriptedSocket.ts";

export interface ScriptedMachine {
  readonly environment: Environment;
  readonly fetch: ScriptedFetch;
  readonly sockets: ScriptedSockets;
  /** What listeners threw. */
  readonly reported: unknown[];
  /** Listeners that nobody has taken back. */
  readonly watchers: Set<(signal: MachineSignal) => void>;
  /** Say something about the network or the page. */
  signal(signal: MachineSignal): void;
}

/** Each random number is one half, so that a wait is half of its longest. */
export function scriptMachine(): ScriptedMachine {
  const fetch = new ScriptedFetch();
  const sockets = new ScriptedSockets();
  const reported: unknown[] = [];
  const watchers = new Set<(signal: MachineSignal) => void>();
  let keys = 0;
  const environment: Environment = {
    ...MACHINE,
    fetch: fetch.fetch,
    openSocket: sockets.openSocket,
    random: () => 0.5,
    newKey: () => `key-${(keys += 1)}`,
    watch: (listener) => {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
    report: (error) => reported.push(error),
  };
  const signal = (said: MachineSignal): void => [...watchers].forEach((hear) => hear(said));
  return { environment, fetch, sockets, reported, watchers, signal };
}

/** Let time pass, and everything that follows from it. */
export async function pass(milliseconds = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
  // Bodies of answers are read in several turns.
  await vi.advanceTimersByTimeAsync(0);
}
