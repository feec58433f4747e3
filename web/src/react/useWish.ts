import { useState } from "react";

import type { Desk } from "./desks.ts";
import { browserStorage } from "./storage.ts";

const storage = browserStorage("localStorage");

/** What a person last wished for at a desk, one of `wishes`; the first of them unless chosen. */
export function useWish(
  desk: Desk,
  wishes: readonly [string, ...string[]],
): [string, (wish: string) => void] {
  const name = `potok.desk.${desk}.wish`;
  const [chosen, setChosen] = useState(() => storage.read(name));
  const choose = (wish: string): void => {
    storage.write(name, wish);
    setChosen(wish);
  };
  const wish = chosen !== null && wishes.includes(chosen) ? chosen : wishes[0];
  return [wish, choose];
}
