/** What a person chose for this browser; all its tabs hear of it. */

import { useSyncExternalStore } from "react";

import type { Storage } from "./storage.ts";
import { browserStorage } from "./storage.ts";

export type Language = "en" | "ru";
export type Theme = "auto" | "light" | "dark";

export interface Preferences {
  readonly language: Language;
  readonly theme: Theme;
  /** Null: the first that the server lists. */
  readonly model: string | null;
}

const NAME = "potok.preferences";

export class PreferencesStore {
  readonly #storage: Storage;
  readonly #spoken: readonly string[];
  readonly #listeners = new Set<() => void>();
  #preferences: Preferences;

  constructor(storage: Storage, spoken: readonly string[]) {
    this.#storage = storage;
    this.#spoken = spoken;
    this.#preferences = this.#parse(storage.read(NAME));
    storage.watch((name, text) => {
      if (name === NAME) this.#show(this.#parse(text));
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly read = (): Preferences => this.#preferences;

  readonly change = (wish: Partial<Preferences>): void => {
    const changed = { ...this.#preferences, ...wish };
    this.#storage.write(NAME, JSON.stringify(changed));
    this.#show(changed);
  };

  #parse(text: string | null): Preferences {
    let kept: Partial<Record<keyof Preferences, unknown>> = {};
    try {
      kept = (JSON.parse(text ?? "{}") ?? {}) as typeof kept;
    } catch {
      // Written by something else; the defaults are good.
    }
    const { language, theme, model } = kept;
    return {
      language: language === "en" || language === "ru" ? language : languageOf(this.#spoken),
      theme: theme === "light" || theme === "dark" ? theme : "auto",
      model: typeof model === "string" ? model : null,
    };
  }

  #show(preferences: Preferences): void {
    this.#preferences = preferences;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Return the first of a person's languages that the page speaks. */
export function languageOf(spoken: readonly string[]): Language {
  for (const tag of spoken) {
    const [language = ""] = tag.toLowerCase().split("-");
    if (language === "ru" || language === "en") return language;
  }
  return "en";
}

const preferences = new PreferencesStore(
  browserStorage("localStorage"),
  typeof navigator === "undefined" ? [] : navigator.languages,
);

export function usePreferences(): [Preferences, (wish: Partial<Preferences>) => void] {
  const { subscribe, read, change } = preferences;
  return [useSyncExternalStore(subscribe, read, read), change];
}
