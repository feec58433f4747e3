import { expect, test } from "vitest";

import { Replay } from "./replay.ts";

const TEXT = "Привет, мир 🌍";

test("text that comes again is given once, wherever it broke and however it is cut", () => {
  for (let broken = 0; broken <= TEXT.length; broken += 1) {
    for (let cut = 0; cut <= TEXT.length; cut += 1) {
      const replay = new Replay();
      const given = [replay.take(TEXT.slice(0, broken))];
      replay.restart();
      given.push(replay.take(TEXT.slice(0, cut)), replay.take(TEXT.slice(cut)));
      expect(given.join(""), `broken at ${broken}, cut at ${cut}`).toBe(TEXT);
    }
  }
});

test("text that breaks again before the place where it broke first is given once, too", () => {
  const replay = new Replay();
  const given = ["abcd"].map((piece) => replay.take(piece));
  replay.restart();
  given.push(replay.take("ab"));
  replay.restart();
  given.push(replay.take("abc"), replay.take("def"));

  expect(given).toEqual(["abcd", "", "", "ef"]);
  expect(replay.text).toBe("abcdef");
});
