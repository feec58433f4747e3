import { expect, test } from "vitest";

import { FrameMalformed } from "./errors.ts";
import type { KnownEvent } from "./events.ts";
import { parseRecord, readEvent, readStoredEvent, SHAPES, writeEvent } from "./events.ts";

test("an absent field is its default, and a default is not written", () => {
  const event = readEvent("text-delta", { part: "t", text: "x" }) as KnownEvent;

  expect(event).toEqual({
    event: "text-delta",
    part: "t",
    text: "x",
    choice: 0,
    tokens: 1,
    logprobs: null,
    extra: null,
  });
  expect(writeEvent(event)).toEqual({ event: "text-delta", part: "t", text: "x" });
});

test("a kind of a later version is kept as it came", () => {
  expect(readEvent("hologram", { depth: 3 })).toEqual({
    event: "unknown",
    kind: "hologram",
    fields: { depth: 3 },
  });
});

test.each(["__proto__", "constructor", "unknown"])("%s is a kind like any other", (kind) => {
  expect(readEvent(kind, {})).toMatchObject({ event: "unknown", kind });
});

test.each(
  Object.entries(SHAPES).flatMap(([kind, shape]) =>
    Object.keys(shape.required).map((name) => [kind, name] as const),
  ),
)("%s without %s is malformed", (kind, missing) => {
  const required = SHAPES[kind as KnownEvent["event"]].required;
  const fields = Object.fromEntries(
    Object.entries(required).map(([name, type]) => [name, type === "string" ? "x" : 1]),
  );

  expect(readEvent(kind, fields)).toMatchObject({ event: kind });
  expect(() => readEvent(kind, { ...fields, [missing]: undefined })).toThrow(FrameMalformed);
  expect(() => readEvent(kind, { ...fields, [missing]: [] })).toThrow(FrameMalformed);
});

test.each([null, [], 7, "x"])("%j are no fields", (fields) => {
  expect(() => readEvent("status", fields)).toThrow(FrameMalformed);
});

test("a field cannot change an event's kind", () => {
  expect(readEvent("text-end", { part: "t", event: "run-end" })).toMatchObject({
    event: "text-end",
  });
});

test("a message of a socket has its id beside the event", () => {
  expect(readStoredEvent({ id: "7", event: "text-end", part: "t" })).toEqual({
    id: "7",
    event: { event: "text-end", part: "t", cut: false },
  });
});

test.each([{}, { id: 7, event: "x" }, { id: "7" }])("%j is no event with a place", (message) => {
  expect(() => readStoredEvent(message)).toThrow(FrameMalformed);
});

test.each(["", "{", "[]", "null", "7", '"x"'])("%j is no frame", (text) => {
  expect(() => parseRecord(text)).toThrow(FrameMalformed);
});
