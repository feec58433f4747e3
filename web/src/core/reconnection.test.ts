import { expect, test } from "vitest";

import { Cursor } from "./cursor.ts";
import { DEFAULT_RULES, Reconnection } from "./reconnection.ts";
import type { Input, Rules } from "./reconnectionWords.ts";
import { readRows } from "./testing/vectors.ts";

interface Row {
  name: string;
  after: string | null;
  rules?: Record<string, unknown>;
  steps: {
    at: number;
    input: Record<string, unknown>;
    fraction?: number;
    expect: Record<string, unknown>[];
  }[];
  left_at: string | null;
  is_buffered: boolean;
}

const ROWS = readRows<Row>("reconnection.json");
const FRACTION = 0.5;

/** Names of the rows' fields as this language writes them. */
function renamed<T>(fields: Record<string, unknown>): T {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  ) as T;
}

test.each(ROWS)("$name", (row) => {
  const reconnection = new Reconnection(row.after, renamed<Partial<Rules>>(row.rules ?? {}));

  for (const [number, step] of row.steps.entries()) {
    const heard = renamed<Input>(step.input);
    const said = reconnection.receive(heard, step.at, step.fraction ?? FRACTION);
    expect(said, `step ${number}`).toEqual(step.expect.map((command) => renamed(command)));
  }

  expect(reconnection.after).toBe(row.left_at);
  expect(reconnection.isBuffered).toBe(row.is_buffered);
});

test("the rows are there", () => {
  expect(ROWS.length).toBeGreaterThan(100);
});

test("the rows use the rules' names", () => {
  const names = ROWS.flatMap((row) => Object.keys(renamed<object>(row.rules ?? {})));

  expect(names.filter((name) => !(name in DEFAULT_RULES))).toEqual([]);
});

test.each(["yesterday", "-1", "1.", "1 ", "1\n"])("%j is no place to begin at", (after) => {
  expect(() => new Reconnection(after)).toThrow(RangeError);
});

test("a later reader can begin where a snapshot ends", () => {
  const cursor = new Cursor("7");

  expect([cursor.skipTo("6"), cursor.skipTo("?"), cursor.skipTo("9"), cursor.after]).toEqual([
    false,
    false,
    true,
    "9",
  ]);
});
