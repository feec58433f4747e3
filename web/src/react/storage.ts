/** What the browser keeps for this origin. Where it keeps nothing, this tab's memory does. */

export interface Storage {
  read(name: string): string | null;
  /** Whether it was kept: the browser's room may be full. */
  write(name: string, text: string): boolean;
  remove(name: string): void;
  names(): readonly string[];
  /** Hear of another tab's writes; returns what ends it. */
  watch(listener: (name: string, text: string | null) => void): () => void;
}

/** Return a storage that forgets with the tab. */
export function memoryStorage(): Storage {
  const kept = new Map<string, string>();
  return {
    read: (name) => kept.get(name) ?? null,
    write: (name, text) => {
      kept.set(name, text);
      return true;
    },
    remove: (name) => kept.delete(name),
    names: () => [...kept.keys()],
    watch: () => () => undefined,
  };
}

/** Return one of the browser's own, or memory where the browser refuses. */
export function browserStorage(which: "localStorage" | "sessionStorage"): Storage {
  let area: globalThis.Storage;
  try {
    area = globalThis[which];
    area.getItem("");
  } catch {
    return memoryStorage();
  }
  return {
    read: (name) => area.getItem(name),
    write: (name, text) => {
      try {
        area.setItem(name, text);
        return true;
      } catch {
        return false;
      }
    },
    remove: (name) => area.removeItem(name),
    names: () => Object.keys(area),
    watch: (listener) => {
      const hear = (event: StorageEvent): void => {
        if (event.storageArea === area && event.key !== null) listener(event.key, event.newValue);
      };
      addEventListener("storage", hear);
      return () => removeEventListener("storage", hear);
    },
  };
}
