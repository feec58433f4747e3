import { useEffect, useState } from "react";

import type { Desk } from "../react/desks.ts";
import { DESKS } from "../react/desks.ts";

/** The desk that the address names behind its `#`; other marks of the page change nothing. */
export function useDeskTab(): Desk {
  const [desk, setDesk] = useState<Desk>(() => deskOf(location.hash) ?? DESKS[0]);
  useEffect(() => {
    const look = (): void => setDesk((last) => deskOf(location.hash) ?? last);
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return desk;
}

function deskOf(hash: string): Desk | null {
  return DESKS.find((desk) => `#${desk}` === hash) ?? null;
}
