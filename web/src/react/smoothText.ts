/** Text that came in lumps, shown character by character. */

import { useEffect, useState } from "react";

import { SMOOTH_SECONDS } from "./limits.ts";

/**
 * Return how much of `text` to show after another `seconds`, in UTF-16 units.
 *
 * What waits is shown within about `SMOOTH_SECONDS`, so a fast answer is never far behind.
 */
export function nextLength(text: string, shown: number, seconds: number): number {
  const waiting = text.length - shown;
  if (waiting <= 0) return text.length;
  const step = Math.max(1, Math.ceil((waiting * seconds) / SMOOTH_SECONDS));
  const next = Math.min(text.length, shown + step);
  // Never between the two halves of one letter.
  const last = text.charCodeAt(next - 1);
  return last >= 0xd800 && last <= 0xdbff ? Math.min(text.length, next + 1) : next;
}

/** Return what of a growing text to show now. Where motion is not wanted, all of it. */
export function useSmoothText(text: string): string {
  const [shown, setShown] = useState(0);
  const isWanted = !prefersStillness();
  // A text that began anew is another one.
  const from = Math.min(shown, text.length);
  useEffect(() => {
    if (!isWanted || from >= text.length) return;
    const began = performance.now();
    const frame = requestAnimationFrame(() => {
      setShown(nextLength(text, from, (performance.now() - began) / 1000));
    });
    return () => cancelAnimationFrame(frame);
  }, [text, from, isWanted]);
  return isWanted ? text.slice(0, from) : text;
}

function prefersStillness(): boolean {
  return typeof matchMedia !== "function" || matchMedia("(prefers-reduced-motion: reduce)").matches;
}
