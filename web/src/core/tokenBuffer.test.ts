import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { BUFFER_UNITS_MAX } from "./limits.ts";
import { StreamBuffer, TokenBuffer } from "./tokenBuffer.ts";

let given: string[];
const give = (text: string): number => given.push(text);

beforeEach(() => {
  vi.useFakeTimers();
  given = [];
});

afterEach(() => {
  vi.useRealTimers();
});

describe("TokenBuffer", () => {
  test("gives tokens joined, 50 ms after the first of them", () => {
    const buffer = new TokenBuffer(give);
    ["a", "b", "c"].forEach((token) => buffer.add(token));

    vi.advanceTimersByTime(49);
    expect(given).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(given).toEqual(["abc"]);
  });

  test("gives again for later tokens, and nothing where there are none", () => {
    const buffer = new TokenBuffer(give, 20);
    buffer.add("a");
    vi.advanceTimersByTime(500);
    buffer.add("b");
    vi.advanceTimersByTime(20);

    expect(given).toEqual(["a", "b"]);
  });

  test("flush gives at once, and not twice", () => {
    const buffer = new TokenBuffer(give);
    buffer.add("a");
    buffer.flush();
    buffer.flush();
    vi.advanceTimersByTime(500);

    expect(given).toEqual(["a"]);
  });

  test("stop gives the rest and leaves no timer", () => {
    const buffer = new TokenBuffer(give);
    buffer.add("a");
    buffer.stop();
    buffer.stop();

    expect(given).toEqual(["a"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("an idle buffer keeps no timer", () => {
    const buffer = new TokenBuffer(give);
    buffer.add("a");
    vi.advanceTimersByTime(50);

    expect(vi.getTimerCount()).toBe(0);
  });

  test("much text is given at once: timers of hidden pages are slow", () => {
    const buffer = new TokenBuffer(give);
    buffer.add("x".repeat(BUFFER_UNITS_MAX - 1));
    expect(given).toEqual([]);
    buffer.add("x");

    expect(given.map((text) => text.length)).toEqual([BUFFER_UNITS_MAX]);
  });

  test("what a flush adds waits for the next one", () => {
    const buffer: TokenBuffer = new TokenBuffer((text) => {
      if (given.push(text) === 1) buffer.add("b");
    });
    buffer.add("a");
    vi.advanceTimersByTime(100);

    expect(given).toEqual(["a", "b"]);
  });
});

describe("StreamBuffer", () => {
  test("gives ten pieces at once", () => {
    const buffer = new StreamBuffer(give);
    Array.from("0123456789x").forEach((piece) => buffer.add(piece));

    expect(given).toEqual(["0123456789"]);
  });

  test("gives fewer after 100 ms", () => {
    const buffer = new StreamBuffer(give);
    buffer.add("a");
    vi.advanceTimersByTime(99);
    expect(given).toEqual([]);
    vi.advanceTimersByTime(1);

    expect(given).toEqual(["a"]);
  });

  test("takes the caller's size and time", () => {
    const buffer = new StreamBuffer(give, 2, 10);
    ["a", "b", "c"].forEach((piece) => buffer.add(piece));
    vi.advanceTimersByTime(10);

    expect(given).toEqual(["ab", "c"]);
  });

  test("flush gives the end", () => {
    const buffer = new StreamBuffer(give);
    buffer.add("end");
    buffer.flush();

    expect(given).toEqual(["end"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
