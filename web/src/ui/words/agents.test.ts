import { expect, test } from "vitest";

import { AGENTS_EN, AGENTS_RU, agentWordsOf } from "./agents.ts";

/** Every text with the way to it; wishes of starters are no words. */
function textsOf(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return path.endsWith(".wish") ? [] : [[path, value]];
  return Object.entries(value as object).flatMap(([name, inner]) =>
    textsOf(inner, `${path}.${name}`),
  );
}

test("every word of the agents is there in both languages, and none is the other's", () => {
  const russian = new Map(textsOf(AGENTS_RU));
  const english = textsOf(AGENTS_EN);
  // Plural forms differ by language.
  const paths = (texts: Iterable<[string, string]>): string[] =>
    [...texts].map(([path]) => path).filter((path) => !path.startsWith(".rounds"));

  expect(paths(russian)).toEqual(paths(english));
  for (const [path, text] of english) {
    expect(text, path).not.toBe("");
    expect(russian.get(path), path).not.toBe(text);
    expect(russian.get(path) ?? "", path).toMatch(/[а-яё…]/i);
  }
});

test("an unknown language is answered in English", () => {
  expect(agentWordsOf("xx")).toBe(AGENTS_EN);
});
