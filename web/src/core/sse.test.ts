import { describe, expect, test } from "vitest";

import { FrameTooLarge } from "./errors.ts";
import { SSEParser, SseDecoder } from "./sse.ts";
import { drawChunks, readRows } from "./testing/vectors.ts";

interface Event {
  event: string;
  data: string;
  id: string;
}

interface Row {
  name: string;
  base64?: string;
  events?: Event[];
  generate?: { kind: string; letter?: string; value?: string; count: number };
  retry_ms: number | null;
}

const encoder = new TextEncoder();
// Above this size every cut point would cost seconds; such rows are cut at drawn places.
const SHORT_BYTES_MAX = 512;

function generate(row: Row): { body: Uint8Array; events: Event[] } {
  const { kind, letter = "", value = "", count } = row.generate ?? { kind: "", count: 0 };
  const message = (data: string, id = ""): Event => ({ event: "message", data, id });
  const numbers = Array.from({ length: count }, (_, number) => String(number));
  switch (kind) {
    case "long_line": {
      const text = letter.repeat(count);
      return { body: encoder.encode(`data:${text}\n\n`), events: [message(text)] };
    }
    case "numbered_events": {
      const body = numbers.map((number) => `id:${number}\ndata:${number}\n\n`).join("");
      return { body: encoder.encode(body), events: numbers.map((n) => message(n, n)) };
    }
    case "repeated_data_lines": {
      const body = `data:${value}\n`.repeat(count) + "\n";
      const events = [message(Array(count).fill(value).join("\n"))];
      return { body: encoder.encode(body), events };
    }
    default:
      throw new Error(`no row is made by ${kind}`);
  }
}

function bodyOf(row: Row): { body: Uint8Array; events: Event[] } {
  if (row.generate !== undefined) return generate(row);
  const bytes = Uint8Array.from(atob(row.base64 ?? ""), (letter) => letter.charCodeAt(0));
  return { body: bytes, events: row.events ?? [] };
}

function read(chunks: Iterable<Uint8Array>): { events: Event[]; retry: number | null } {
  const decoder = new SseDecoder();
  const events = [...chunks].flatMap((chunk) => decoder.feed(chunk));
  return {
    events: events.map(({ event, data, id }) => ({ event, data, id })),
    retry: decoder.retryMilliseconds,
  };
}

function bytesOf(body: Uint8Array): Uint8Array[] {
  return Array.from(body, (byte) => Uint8Array.of(byte));
}

describe.each(readRows<Row>("sse.json"))("$name", (row) => {
  const { body, events } = bodyOf(row);
  const expected = { events, retry: row.retry_ms };

  test("is read whole", () => {
    expect(read([body])).toEqual(expected);
  });

  test("is read byte by byte", () => {
    expect(read(bytesOf(body))).toEqual(expected);
  });

  if (body.length <= SHORT_BYTES_MAX) {
    test("is read in two at every place", () => {
      for (let cut = 0; cut <= body.length; cut += 1) {
        const halves = [body.subarray(0, cut), body.subarray(cut)];
        expect(read(halves), `cut at ${cut}`).toEqual(expected);
      }
    });
  }

  test("is read in pieces of drawn sizes", () => {
    for (const [seed, bytesMax] of [1, 2, 3].flatMap((seed) => [7, 4_096].map((m) => [seed, m]))) {
      expect(read(drawChunks(body, seed ?? 0, bytesMax ?? 1)), `seed ${seed}`).toEqual(expected);
    }
  });
});

describe("bounds", () => {
  const bounds = { lineBytesMax: 12, eventBytesMax: 9 };

  function feedUntilFault(chunks: Uint8Array[]): { texts: string[]; fault: unknown } {
    const decoder = new SseDecoder(bounds);
    const texts: string[] = [];
    for (const chunk of chunks) {
      try {
        texts.push(...decoder.feed(chunk).map((event) => event.data));
      } catch (fault) {
        texts.push(...decoder.eventsBeforeFault.map((event) => event.data));
        expect(() => decoder.feed(chunk)).toThrow(FrameTooLarge);
        return { texts, fault };
      }
    }
    return { texts, fault: null };
  }

  test.each([
    ["a line that is too long", "data: a\n\ndata: 34567890\n\n"],
    ["a line that never ends", "data: a\n\ndata: 34567890"],
    ["an event that is too long", "data: a\n\ndata: 34567\ndata: 9abc\n\n"],
    ["empty data lines without end", `data: a\n\n${"data\n".repeat(11)}`],
    ["a comment that is too long", "data: a\n\n:" + "x".repeat(12)],
  ])("%s is a fault behind what came before it, wherever it is cut", (_name, text) => {
    const body = encoder.encode(text);

    for (let cut = 0; cut <= body.length; cut += 1) {
      const { texts, fault } = feedUntilFault([body.subarray(0, cut), body.subarray(cut)]);
      expect(fault, `cut at ${cut}`).toBeInstanceOf(FrameTooLarge);
      expect(texts, `cut at ${cut}`).toEqual(["a"]);
    }
  });

  test("what is just within the bounds is read", () => {
    const body = encoder.encode("data: 345678\n\ndata: 3456\ndata: 89ab\n\n");

    expect(feedUntilFault([body])).toEqual({ texts: ["345678", "3456\n89ab"], fault: null });
  });

  test("bounds count bytes, not letters", () => {
    const { fault } = feedUntilFault([encoder.encode("data: Привет\n\n")]);

    expect(fault).toBeInstanceOf(FrameTooLarge);
  });
});

test("the last id is known when its block has ended, also without data", () => {
  const decoder = new SseDecoder();

  const ids = ["id: 1\ndata: a\n", "\n", "id: 2\n", "\n"].map((text) => {
    decoder.feed(encoder.encode(text));
    return decoder.lastEventId;
  });

  expect(ids).toEqual(["", "1", "1", "2"]);
});

test("an event knows whether its id is its own", () => {
  const decoder = new SseDecoder();

  const events = decoder.feed(encoder.encode("data: a\nid: 1\n\ndata: b\n\nid\ndata: c\n\n"));

  expect(events.map(({ id, ownId }) => [id, ownId])).toEqual([
    ["1", "1"],
    ["1", null],
    ["", ""],
  ]);
});

test("heartbeats are counted", () => {
  const decoder = new SseDecoder();

  decoder.feed(encoder.encode(": hb\ndata: a\n: hb\n\n: hb"));

  expect(decoder.comments).toBe(2);
});

describe("SSEParser", () => {
  const STREAM =
    ': hb\ndata: {"content":"Привет, "}\n\ndata: {"content":"мир 🌍\u{10000}\u{10ffff}"}\r\n\r\nid: 3\ndata: a\r\ndata: b\n\ndata: [DONE]\n\n';
  const PAYLOADS = ['{"content":"Привет, "}', '{"content":"мир 🌍\u{10000}\u{10ffff}"}', "a\nb"];

  test("gives the data of whole events without the end mark", () => {
    expect(new SSEParser().parse(STREAM)).toEqual(PAYLOADS);
  });

  test("does not depend on where the text is cut, half letters included", () => {
    for (let cut = 0; cut <= STREAM.length; cut += 1) {
      const parser = new SSEParser();
      const payloads = [...parser.parse(STREAM.slice(0, cut)), ...parser.parse(STREAM.slice(cut))];
      expect([...payloads, ...parser.flush()], `cut at ${cut}`).toEqual(PAYLOADS);
    }
  });

  test("gives the same unit by unit", () => {
    const parser = new SSEParser();

    const payloads = STREAM.split("").flatMap((unit) => parser.parse(unit));

    expect(payloads).toEqual(PAYLOADS);
  });

  test("keeps an unfinished event until more of it comes", () => {
    const parser = new SSEParser();

    expect(parser.parse("data: hel")).toEqual([]);
    expect(parser.parse("lo\n")).toEqual([]);
    expect(parser.parse("\n")).toEqual(["hello"]);
  });

  test.each(["data: last", "data: last\n", "data: last\r", "data: last\r\n", "data:last\n"])(
    "flush gives what the stream's end left open: %j",
    (text) => {
      const parser = new SSEParser();
      parser.parse(text);

      expect(parser.flush()).toEqual(["last"]);
      expect(parser.flush()).toEqual([]);
    },
  );

  test("flush does not give the end mark", () => {
    const parser = new SSEParser();
    parser.parse("data: [DONE]");

    expect(parser.flush()).toEqual([]);
  });

  test("is new after flush", () => {
    const parser = new SSEParser();
    parser.parse("event: x\ndata: old");
    parser.flush();

    // A byte order mark is only passed over at a stream's start.
    expect(parser.parse("\ufeffdata: new\n\n")).toEqual(["new"]);
  });
});
