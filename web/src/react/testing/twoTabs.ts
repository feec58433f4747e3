/**
 * The storage of one browser as its tabs see it. It does not imitate the delay of the events, nor
 * a limit unless `roomUnits` sets one.
 */

import type { Storage } from "../storage.ts";

export class SharedStorage {
  readonly kept = new Map<string, string>();
  roomUnits = Number.POSITIVE_INFINITY;
  readonly #tabs = new Map<Storage, Set<(name: string, text: string | null) => void>>();

  /** Return what one tab holds of it. */
  tab(): Storage {
    const listeners = new Set<(name: string, text: string | null) => void>();
    const tell = (name: string, text: string | null): void => {
      for (const [other, hearing] of this.#tabs) {
        if (other !== tab) hearing.forEach((listener) => listener(name, text));
      }
    };
    const tab: Storage = {
      read: (name) => this.kept.get(name) ?? null,
      write: (name, text) => {
        if (text.length > this.roomUnits) return false;
        this.kept.set(name, text);
        tell(name, text);
        return true;
      },
      remove: (name) => {
        if (this.kept.delete(name)) tell(name, null);
      },
      names: () => [...this.kept.keys()],
      watch: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    this.#tabs.set(tab, listeners);
    return tab;
  }
}
