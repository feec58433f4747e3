import { describe, expect, test } from "vitest";

import { FrameMalformed } from "./errors.ts";
import type { PotokEvent } from "./events.ts";
import { readEvent } from "./events.ts";
import type { Message } from "./fold.ts";
import { Fold, readMessage, reasoningOf, textOf, writeMessage } from "./fold.ts";
import { readRows } from "./testing/vectors.ts";

type Wire = Record<string, unknown> & { event: string };

interface Row {
  name: string;
  events: Wire[];
  message: unknown;
  text: string;
}

const ROWS = readRows<Row>("fold.json");

function read({ event, ...fields }: Wire): PotokEvent {
  return readEvent(event, fields);
}

function fold(events: Wire[], from?: Message): Message {
  const folding = new Fold(from);
  for (const event of events) folding.feed(read(event));
  return folding.message;
}

/** What a message looks like after it was stored and read again. */
function stored(message: Message): Message {
  return readMessage(JSON.parse(JSON.stringify(writeMessage(message))) as unknown);
}

describe.each(ROWS)("$name", (row) => {
  test("folds into its message", () => {
    const message = fold(row.events);

    expect(writeMessage(message)).toEqual(row.message);
    expect(textOf(message)).toBe(row.text);
  });

  test("goes on from a stored message at every place", () => {
    for (let cut = 0; cut <= row.events.length; cut += 1) {
      const before = stored(fold(row.events.slice(0, cut)));
      const message = fold(row.events.slice(cut), before);
      expect(writeMessage(message), `stored after ${cut}`).toEqual(row.message);
    }
  });

  test("comes back from its stored form", () => {
    expect(readMessage(row.message)).toEqual(fold(row.events));
  });
});

test("the table has rows", () => {
  expect(ROWS.length).toBeGreaterThan(20);
});

const START: Wire[] = [
  { event: "run-start", run: "run0000000000001", version: 1 },
  { event: "text-start", part: "t" },
];

test.each([
  [1, "🌍"],
  [2, "🌍я"],
  [3, "🌍я\uffff"],
  [5, "🌍я\uffff🌍a"],
  [99, "🌍я\uffff🌍a"],
])("part-discard keeps %i code points, not halves of letters", (keep, text) => {
  const said: Wire[] = [
    { event: "text-delta", part: "t", text: "🌍я\uffff🌍a" },
    { event: "part-discard", part: "t", reason: "overlap", keep },
  ];

  expect(textOf(fold([...START, ...said]))).toBe(text);
});

test("letters that come in halves are joined", () => {
  const said: Wire[] = ["\ud83c", "\udf0d"].map((text) => ({
    event: "text-delta",
    part: "t",
    text,
  }));

  expect(textOf(fold([...START, ...said]))).toBe("🌍");
});

test("thinking is apart from the answer", () => {
  const said: Wire[] = [
    { event: "reasoning-start", part: "r" },
    { event: "reasoning-delta", part: "r", text: "hm" },
    { event: "text-delta", part: "t", text: "yes" },
  ];

  const message = fold([...START, ...said]);

  expect([textOf(message), reasoningOf(message), reasoningOf(message, 1)]).toEqual([
    "yes",
    "hm",
    "",
  ]);
});

test("a delta of a part that never began is said, not guessed", () => {
  expect(() => fold([...START, { event: "text-delta", part: "u", text: "x" }])).toThrow(
    FrameMalformed,
  );
});

test("a part that was taken back takes no more text", () => {
  const gone: Wire = { event: "part-discard", part: "t", reason: "restart" };

  expect(() => fold([...START, gone, { event: "text-delta", part: "t", text: "x" }])).toThrow(
    FrameMalformed,
  );
});

test("the end of a stage ends the open attempt of that stage", () => {
  const said: Wire[] = [
    { event: "stage-start", stage: "a" },
    { event: "stage-end", stage: "a" },
    { event: "stage-start", stage: "a", attempt: 2 },
    { event: "stage-start", stage: "b" },
    { event: "stage-end", stage: "a", outcome: "failed" },
  ];

  expect(fold([...START, ...said]).stages.map(({ outcome }) => outcome)).toEqual([
    "finished",
    "failed",
    null,
  ]);
});

test("names of the language's own objects are names like any other", () => {
  const said: Wire[] = ["__proto__", "constructor", "toString"].flatMap((part) => [
    { event: "text-start", part },
    { event: "text-delta", part, text: part },
  ]);

  expect(textOf(fold([...START, ...said]))).toBe("__proto__constructortoString");
});

test.each([null, [], "text", 7])("%j is no message", (json) => {
  expect(() => readMessage(json)).toThrow(FrameMalformed);
});
