import { expect, test } from "vitest";

import { diffLines } from "./lineDiff.ts";

function marks(before: string, after: string): string[] {
  const signs = { same: " ", added: "+", removed: "-" };
  return diffLines(before, after).map(({ kind, text }) => signs[kind] + text);
}

test.each([
  ["a\nb\nc", "a\nb\nc", [" a", " b", " c"]],
  ["a\nb\nc", "a\nc", [" a", "-b", " c"]],
  ["a\nc", "a\nb\nc", [" a", "+b", " c"]],
  ["a\nb", "a\nx", [" a", "-b", "+x"]],
  ["", "a", ["-", "+a"]],
])("%j becomes %j", (before, after, expected) => {
  expect(marks(before, after)).toEqual(expected);
});

test("both texts can be told from it, whatever they are", () => {
  const texts = ["a\nb\nc\nd", "b\nd\ne", "x", "a\na\na\nb", "d\nc\nb\na"];
  for (const before of texts) {
    for (const after of texts) {
      const lines = diffLines(before, after);
      const old = lines.filter(({ kind }) => kind !== "added").map(({ text }) => text);
      const now = lines.filter(({ kind }) => kind !== "removed").map(({ text }) => text);

      expect(old.join("\n")).toBe(before);
      expect(now.join("\n")).toBe(after);
    }
  }
});
