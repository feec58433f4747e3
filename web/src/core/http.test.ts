import { describe, expect, test } from "vitest";

import { FrameMalformed, FrameTooLarge, ServerRefused } from "./errors.ts";
import { accepted, addressOf, isStream, readJson, retryAfterOf } from "./http.ts";
import { ERROR_BYTES_MAX } from "./limits.ts";

async function refusalOf(response: Response): Promise<ServerRefused> {
  const error: unknown = await accepted(response).catch((thrown: unknown) => thrown);
  if (error instanceof ServerRefused) return error;
  throw new Error("it was accepted");
}

test.each([
  ["", "/api/runs"],
  ["https://potok.test", "https://potok.test/api/runs"],
  ["https://potok.test/", "https://potok.test/api/runs"],
  ["https://potok.test/below//", "https://potok.test/below/api/runs"],
])("an address below %j is %j", (baseUrl, address) => {
  expect(addressOf(baseUrl, "/api/runs")).toBe(address);
});

describe("a refusal", () => {
  test.each([
    ['{"error": {"code": "c", "message": "m", "first": "9"}}', "c", "m"],
    ['{"error": "m"}', "http_400", "m"],
    ['{"error": "m", "code": "c"}', "c", "m"],
    ['{"type": "error", "error": "c", "message": "m"}', "c", "m"],
    ['{"error": {"message": "m"}}', "http_400", "m"],
    ['{"code": "c", "message": "m"}', "c", "m"],
    ['{"detail": "m"}', "http_400", "The server answered with status 400."],
    ["<html>", "http_400", "The server answered with status 400."],
    ["", "http_400", "The server answered with status 400."],
    ["[1]", "http_400", "The server answered with status 400."],
  ])("says %j in its own words", async (body, code, message) => {
    const error = await refusalOf(new Response(body, { status: 400 }));

    expect([error.code, error.message, error.status]).toEqual([code, message, 400]);
  });

  test("without end is still a refusal", async () => {
    const body = "x".repeat(ERROR_BYTES_MAX + 1);

    expect((await refusalOf(new Response(body, { status: 502 }))).status).toBe(502);
  });

  test.each([
    [503, {}, true],
    [429, {}, true],
    [503, { "x-should-retry": "false" }, false],
    [404, {}, false],
  ])("%i with %j may pass: %s", async (status, headers, retryable) => {
    const error = await refusalOf(new Response("{}", { status, headers }));

    expect(error.retryable).toBe(retryable);
  });
});

test.each([
  [{ "retry-after": "7" }, 7],
  [{ "retry-after": " 0 " }, 0],
  [{ "retry-after": "-1" }, null],
  [{ "retry-after": "soon" }, null],
  [{}, null],
  [{ "retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", date: "Sat, 21 Nov 2026 10:00:00 GMT" }, 30],
  [{ "retry-after": "Sat, 21 Nov 2026 09:00:00 GMT", date: "Sat, 21 Nov 2026 10:00:00 GMT" }, 0],
  [{ "retry-after": "Sat, 21 Nov 2026 10:00:30 GMT" }, null],
])("Retry-After of %j is %j seconds", (headers, seconds) => {
  expect(retryAfterOf(new Headers(headers))).toBe(seconds);
});

test("JSON is read letter by letter safely, and bounded", async () => {
  const bytes = new TextEncoder().encode('{"a": "🌍"}');
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      bytes.forEach((byte) => controller.enqueue(Uint8Array.of(byte)));
      controller.close();
    },
  });

  expect(await readJson(new Response(body))).toEqual({ a: "🌍" });
  await expect(readJson(new Response("nothing"))).rejects.toThrow(FrameMalformed);
});

test("an answer without end is not read to its end", async () => {
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(16 * 1024 * 1024)),
    cancel: () => {
      isCancelled = true;
    },
  });

  await expect(readJson(new Response(body))).rejects.toThrow(FrameTooLarge);
  expect(isCancelled).toBe(true);
});

test("a stream is known by its type", () => {
  const type = "text/event-stream";
  const of = (headers: HeadersInit, status = 200): Response =>
    new Response(status === 204 ? null : "", { headers, status });

  expect(isStream(of({ "content-type": "Text/Event-Stream; charset=utf-8" }), type)).toBe(true);
  expect(isStream(of({}, 204), type)).toBe(false);
  expect(() => isStream(of({ "content-type": "text/html" }), type)).toThrow(FrameMalformed);
});
