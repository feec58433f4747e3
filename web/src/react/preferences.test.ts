import { expect, test } from "vitest";

import { PreferencesStore, languageOf } from "./preferences.ts";
import { SharedStorage } from "./testing/twoTabs.ts";

test.each([
  [["ru-RU", "en"], "ru"],
  [["de", "RU"], "ru"],
  [["en-GB", "ru"], "en"],
  [["de"], "en"],
  [[], "en"],
])("somebody who speaks %j reads %s", (spoken, language) => {
  expect(languageOf(spoken)).toBe(language);
});

test("a choice is kept, and comes to other tabs", () => {
  const storage = new SharedStorage();
  const one = new PreferencesStore(storage.tab(), ["ru"]);
  const two = new PreferencesStore(storage.tab(), ["ru"]);

  one.change({ theme: "dark", model: "demo" });

  expect(two.read()).toEqual({ language: "ru", theme: "dark", model: "demo" });
  expect(new PreferencesStore(storage.tab(), ["en"]).read().language).toBe("ru");
});

test.each(["{", "null", '{"language":"xx","theme":7,"model":{}}'])("%s is no choice", (text) => {
  const storage = new SharedStorage();
  storage.kept.set("potok.preferences", text);

  const store = new PreferencesStore(storage.tab(), ["ru"]);

  expect(store.read()).toEqual({ language: "ru", theme: "auto", model: null });
});
