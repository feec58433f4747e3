import { expect, test } from "vitest";

import { nextLength } from "./smoothText.ts";

test("what waits is shown step by step, and all of it in the end", () => {
  const text = "слово ".repeat(20);
  const seen: number[] = [];
  for (let shown = 0; shown < text.length;) {
    shown = nextLength(text, shown, 0.016);
    seen.push(shown);
  }

  expect(seen.length).toBeGreaterThan(10);
  expect(seen.at(-1)).toBe(text.length);
  expect(seen).toEqual([...seen].sort((one, other) => one - other));
});

test("a slow page is not left behind", () => {
  expect(nextLength("a".repeat(1_000), 0, 0.3)).toBe(1_000);
});

test("no letter is shown by halves", () => {
  const text = "🌍🌍🌍";
  for (let shown = 0; shown < text.length;) {
    shown = nextLength(text, shown, 0.001);
    expect(shown % 2).toBe(0);
  }
});

test("a text that began anew is shown from its start", () => {
  expect(nextLength("", 7, 0.016)).toBe(0);
});
