import { expect, test } from "vitest";

import { EN } from "./en.ts";
import { numbersOf, wordsOf } from "./index.ts";
import { RU } from "./ru.ts";

test("every word is there in every language, and none is the other's", () => {
  const shared = ["title"];
  for (const [name, english] of Object.entries(EN)) {
    const russian = RU[name as keyof typeof RU];
    expect(typeof russian).toBe(typeof english);
    if (!shared.includes(name)) expect(russian, name).not.toEqual(english);
  }
  expect(Object.keys(RU)).toEqual(Object.keys(EN));
});

test.each([
  [1, "1 токен"],
  [2, "2 токена"],
  [5, "5 токенов"],
  [11, "11 токенов"],
  [21, "21 токен"],
])("%i is counted in Russian as %s", (value, text) => {
  expect(numbersOf("ru").count(value, RU.tokens)).toBe(text);
});

test("an unknown language is answered in English", () => {
  expect(wordsOf("xx")).toBe(EN);
});
