import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { ConnectionLost, RunFailed, ServerRefused, StreamTimeout } from "./errors.ts";
import type { StreamOptions } from "./simpleChat.ts";
import { StreamingClient, streamChat, streamWithTimeout } from "./simpleChat.ts";
import type { StreamMessage } from "./simpleStream.ts";
import { HEARTBEAT, RUN } from "./testing/nativeFrames.ts";
import type { ScriptedMachine } from "./testing/scriptedMachine.ts";
import { pass, scriptMachine } from "./testing/scriptedMachine.ts";

const MESSAGES: StreamMessage[] = [{ role: "user", content: "hi" }];
const WORDS = ["Привет", ", ", "мир ", "🌍"];
const TEXT = WORDS.join("");
const OURS = { "x-potok-run": RUN };
const CANCEL = `POST /api/runs/${RUN}/cancel`;
const encoder = new TextEncoder();

/** Frames of the simple chat; their offsets jump, because not every event has one. */
const frame = (content: string, offset: number): string =>
  `data: ${JSON.stringify({ content })}\nid: ${RUN}.${offset}\n\n`;
const FRAMES = [...WORDS.map((word, index) => frame(word, 3 + 2 * index)), "data: [DONE]\n\n"];

let machine: ScriptedMachine;

beforeEach(() => {
  vi.useFakeTimers();
  machine = scriptMachine();
});

afterEach(() => {
  vi.useRealTimers();
});

interface Listening {
  heard: string[];
  options: StreamOptions;
}

function listen(more: Partial<StreamOptions> = {}): Listening {
  const heard: string[] = [];
  const options: StreamOptions = {
    environment: machine.environment,
    onToken: (token) => heard.push(token),
    onComplete: (text) => heard.push(`complete: ${text}`),
    onError: (error) => heard.push(`error: ${error.name}`),
    onAbort: (text) => heard.push(`aborted: ${text}`),
    ...more,
  };
  return { heard, options };
}

/** Start an answer and open its stream. */
async function opened(
  more: Partial<StreamOptions> = {},
): Promise<Listening & { done: Promise<void> }> {
  const listening = listen(more);
  const done = streamChat(MESSAGES, listening.options);
  await pass();
  machine.fetch.last.stream(OURS);
  await pass();
  return { ...listening, done };
}

describe("streamChat", () => {
  test("gives the tokens, then the whole text", async () => {
    const { heard, done } = await opened({ model: "demo" });
    machine.fetch.last.send(FRAMES.join(HEARTBEAT));
    await done;

    expect(heard).toEqual([...WORDS, `complete: ${TEXT}`]);
    const { url, method, body, headers } = machine.fetch.last;
    expect([method, url, body]).toEqual([
      "POST",
      "/api/chat/stream",
      { messages: MESSAGES, model: "demo" },
    ]);
    expect(headers.get("idempotency-key")).toBe("key-1");
    expect(headers.get("x-potok-on-disconnect")).toBe("keep");
    expect(headers.get("last-event-id")).toBeNull();
  });

  test("goes to the caller's server with the caller's headers, as its stop does", async () => {
    const controller = new AbortController();
    const place = { baseUrl: "https://potok.test", headers: { Authorization: "Bearer k" } };
    const { done } = await opened({ ...place, signal: controller.signal });
    controller.abort();
    await done;
    await pass();

    expect(machine.fetch.log).toEqual([
      "POST https://potok.test/api/chat/stream",
      `POST https://potok.test/api/runs/${RUN}/cancel`,
    ]);
    const keys = machine.fetch.calls.map((call) => call.headers.get("authorization"));
    expect(keys).toEqual(["Bearer k", "Bearer k"]);
  });

  test("gives the same wherever the bytes are cut", async () => {
    const body = encoder.encode(FRAMES.join(""));

    for (let cut = 0; cut <= body.length; cut += 1) {
      const { heard, done } = await opened();
      machine.fetch.last.send(body.subarray(0, cut));
      await pass();
      machine.fetch.last.send(body.subarray(cut));
      await done;
      expect(heard, `cut at ${cut}`).toEqual([...WORDS, `complete: ${TEXT}`]);
    }
  });

  test.each(["cut", "close"] as const)(
    "goes on after the last token when its line is lost (%s), with no token twice",
    async (end) => {
      for (let cut = 1; cut < FRAMES.length; cut += 1) {
        const { heard, done } = await opened();
        machine.fetch.last.send(FRAMES.slice(0, cut).join("") + 'data: {"content":');
        await pass();
        machine.fetch.last[end]();
        await pass(250);
        const again = machine.fetch.last;
        expect(again.headers.get("last-event-id"), `after ${cut}`).toBe(`${RUN}.${1 + 2 * cut}`);
        again.stream(OURS);
        // A server that repeats itself does no harm.
        again.send(FRAMES.slice(cut - 1).join(""));
        await done;
        expect(heard, `after ${cut}`).toEqual([...WORDS, `complete: ${TEXT}`]);
      }
    },
  );

  test("comes back by its key where frames have no ids, with no character twice", async () => {
    const bare = WORDS.map((content) => `data: ${JSON.stringify({ content })}\n\n`);
    const { heard, done } = await opened();
    machine.fetch.last.send(bare.slice(0, 2).join(""));
    await pass();
    machine.fetch.last.cut();
    await pass(250);
    const again = machine.fetch.last;
    again.stream(OURS);
    const joined = `data: ${JSON.stringify({ content: TEXT })}\n\n`;
    again.send(`${joined}data: [DONE]\n\n`);
    await done;

    expect(again.headers.get("last-event-id")).toBeNull();
    expect(again.headers.get("idempotency-key")).toBe("key-1");
    expect(heard).toEqual([...WORDS.slice(0, 2), "мир 🌍", `complete: ${TEXT}`]);
  });

  test("knows its run by the ids where the header is hidden", async () => {
    const { options, heard } = listen();
    const done = streamChat(MESSAGES, options);
    await pass();
    machine.fetch.last.stream();
    machine.fetch.last.send(FRAMES[0] ?? "");
    await pass();
    machine.fetch.last.cut();
    await pass(250);
    machine.fetch.last.stream();
    machine.fetch.last.send(FRAMES.slice(1).join(""));
    await done;

    expect(heard.at(-1)).toBe(`complete: ${TEXT}`);
  });

  test("does not ask a server that names no run for a second answer", async () => {
    const { options, heard } = listen();
    const done = streamChat(MESSAGES, options);
    await pass();
    machine.fetch.last.stream();
    machine.fetch.last.send('data: {"content":"a"}\n\n');
    await pass();
    machine.fetch.last.close();
    await done;

    expect(heard).toEqual(["a", "error: ConnectionLost"]);
    expect(machine.fetch.calls).toHaveLength(1);
  });

  test("is complete when all but the end mark came before the line was lost", async () => {
    const { heard, done } = await opened();
    machine.fetch.last.send(FRAMES.slice(0, -1).join(""));
    await pass();
    machine.fetch.last.cut();
    await pass(250);
    machine.fetch.last.json(null, 204);
    await done;

    expect(heard.at(-1)).toBe(`complete: ${TEXT}`);
  });

  test("fills a gap from the run's state", async () => {
    const { heard, done } = await opened();
    machine.fetch.last.send(FRAMES.slice(0, 2).join(""));
    await pass();
    machine.fetch.last.cut();
    await pass(250);
    const facts = { first: "9", snapshot: `/api/runs/${RUN}` };
    machine.fetch.last.json({ error: { code: "offset_expired", message: "Gone.", ...facts } }, 410);
    await pass();
    const parts = [{ type: "text", id: "t", text: TEXT }];
    machine.fetch.last.json({ offset: "12", status: "finished", message: { parts } });
    await done;

    expect(heard).toEqual([...WORDS.slice(0, 2), "мир 🌍", `complete: ${TEXT}`]);
  });

  test.each([
    ['{"error": "Stream failed"}', "Stream failed", "failed"],
    ['{"error": "Gone.", "code": "upstream_lost"}', "Gone.", "upstream_lost"],
    ['{"error": {"code": "upstream_lost", "message": "Gone."}}', "Gone.", "upstream_lost"],
  ])("says that the run failed, and does not ask again: %s", async (data, message, code) => {
    const onError = vi.fn<(error: Error) => void>();
    const { heard, done } = await opened({ onError });
    machine.fetch.last.send(`${FRAMES[0] ?? ""}data: ${data}\n\n`);
    await done;

    const error = onError.mock.calls[0]?.[0];
    expect(error).toBeInstanceOf(RunFailed);
    expect(error).toMatchObject({ message, code });
    expect([heard, machine.fetch.calls.length]).toEqual([[WORDS[0]], 1]);
  });

  test("an answer that was stopped elsewhere is complete with what it said", async () => {
    const { heard, done } = await opened();
    machine.fetch.last.send(`${FRAMES[0] ?? ""}data: {"cancelled": true}\n\ndata: [DONE]\n\n`);
    await done;

    expect(heard).toEqual([WORDS[0], `complete: ${WORDS[0]}`]);
  });

  test("a refusal is told with the server's own words", async () => {
    const onError = vi.fn<(error: Error) => void>();
    const { options } = listen({ onError });
    const done = streamChat(MESSAGES, options);
    await pass();
    machine.fetch.last.json({ error: "messages is missing" }, 400);
    await done;

    expect(onError.mock.calls[0]?.[0]).toBeInstanceOf(ServerRefused);
    expect(onError.mock.calls[0]?.[0].message).toBe("messages is missing");
    expect(machine.fetch.calls).toHaveLength(1);
  });

  test("a server that is not there is tried a few times with one key, then told", async () => {
    const { options, heard } = listen();
    const done = streamChat(MESSAGES, options);
    for (let tries = 0; tries < 4; tries += 1) {
      await pass(5_000);
      machine.fetch.last.fail();
    }
    await done;

    const keys = machine.fetch.calls.map((call) => call.headers.get("idempotency-key"));
    expect(keys).toEqual(["key-1", "key-1", "key-1", "key-1"]);
    expect(heard).toEqual(["error: ConnectionLost"]);
  });

  test("a listener that throws is reported, and the answer goes on", async () => {
    const onToken = (): never => {
      throw new Error("mine");
    };
    const { heard, done } = await opened({ onToken });
    machine.fetch.last.send(FRAMES.join(""));
    await done;

    expect(heard).toEqual([`complete: ${TEXT}`]);
    expect(machine.reported).toHaveLength(WORDS.length);
  });
});

describe("an abort", () => {
  test("is no error, stops the run, and nothing is heard after it", async () => {
    const controller = new AbortController();
    const { heard, done } = await opened({ signal: controller.signal });
    const line = machine.fetch.last;
    line.send(FRAMES[0] ?? "");
    await pass();
    controller.abort();
    await done;
    line.send(FRAMES.slice(1).join(""));
    await pass();

    expect(heard).toEqual([WORDS[0], `aborted: ${WORDS[0]}`]);
    expect(line.isAborted).toBe(true);
    expect(machine.fetch.log.at(-1)).toBe(CANCEL);
  });

  test("before the answer begins resolves at once and stops the run once it has a name", async () => {
    const controller = new AbortController();
    const { heard, options } = listen({ signal: controller.signal });
    const done = streamChat(MESSAGES, options);
    await pass();
    controller.abort();
    await done;
    const starting = machine.fetch.last;
    expect([heard, starting.isAborted]).toEqual([["aborted: "], false]);
    starting.stream(OURS);
    await pass();

    expect(machine.fetch.log.at(-1)).toBe(CANCEL);
    expect(starting.isAborted).toBe(true);
  });

  test("before an answer that never begins waits for it no longer than any start", async () => {
    const controller = new AbortController();
    const { options } = listen({ signal: controller.signal });
    const done = streamChat(MESSAGES, options);
    await pass();
    controller.abort();
    await done;
    await pass(60_000);

    expect(machine.fetch.calls).toHaveLength(1);
    expect(machine.fetch.last.isAborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("before the start asks for nothing", async () => {
    const { heard, options } = listen({ signal: AbortSignal.abort() });
    await streamChat(MESSAGES, options);

    expect([heard, machine.fetch.calls.length]).toEqual([["aborted: "], 0]);
  });

  test("while waiting for the next try asks no more", async () => {
    const controller = new AbortController();
    const { options } = listen({ signal: controller.signal });
    const done = streamChat(MESSAGES, options);
    await pass();
    machine.fetch.last.fail();
    await pass();
    controller.abort();
    await done;
    await pass(60_000);

    expect(machine.fetch.calls).toHaveLength(1);
  });

  test("that the server does not hear of is reported, not shown", async () => {
    const controller = new AbortController();
    const { heard, done } = await opened({ signal: controller.signal });
    controller.abort();
    await done;
    await pass();
    machine.fetch.last.json({ error: { code: "run_not_found", message: "No run." } }, 404);
    await pass();

    expect(heard).toEqual(["aborted: "]);
    expect(machine.reported).toHaveLength(1);
  });
});

describe("StreamingClient", () => {
  const retries = { maxRetries: 2, initialDelay: 1_000, maxDelay: 1_500, backoffMultiplier: 3 };

  test("has the budget that it was given, or the usual one", () => {
    expect(new StreamingClient(retries)).toMatchObject(retries);
    expect(new StreamingClient()).toMatchObject({
      maxRetries: 3,
      initialDelay: 1_000,
      maxDelay: 10_000,
      backoffMultiplier: 2,
    });
  });

  test("tries as often and waits as long as it was told", async () => {
    const { heard, options } = listen();
    const done = new StreamingClient(retries).streamWithRetry(MESSAGES, options);
    const counts: number[] = [];
    for (const wait of [0, 499, 1, 749, 1]) {
      await pass(wait);
      counts.push(machine.fetch.calls.length);
      if (wait < 2) machine.fetch.last.fail();
    }
    await done;

    expect(counts).toEqual([1, 1, 2, 2, 3]);
    expect(heard).toEqual(["error: ConnectionLost"]);
  });

  test("gives an answer that a retry saved", async () => {
    const { heard, options } = listen({ idempotencyKey: "mine" });
    const done = new StreamingClient(retries, { model: "demo" }).streamWithRetry(MESSAGES, options);
    await pass();
    machine.fetch.last.json({ error: { code: "upstream_busy", message: "Busy." } }, 503);
    await pass(500);
    machine.fetch.last.stream(OURS);
    machine.fetch.last.send(FRAMES.join(""));
    await done;

    expect(heard).toEqual([...WORDS, `complete: ${TEXT}`]);
    expect(machine.fetch.last.body).toMatchObject({ model: "demo" });
    expect(machine.fetch.last.headers.get("idempotency-key")).toBe("mine");
  });

  test("asks anew, with another key, for an answer that failed before its first token", async () => {
    const { heard, options } = listen();
    const done = new StreamingClient(retries).streamWithRetry(MESSAGES, options);
    await pass();
    machine.fetch.last.stream(OURS);
    machine.fetch.last.send('data: {"error": "No luck."}\n\n');
    await pass(500);
    machine.fetch.last.stream(OURS);
    machine.fetch.last.send(FRAMES.join(""));
    await done;

    const keys = machine.fetch.calls.map((call) => call.headers.get("idempotency-key"));
    expect(new Set(keys).size).toBe(2);
    expect(heard).toEqual([...WORDS, `complete: ${TEXT}`]);
  });

  test("does not repeat an answer that failed after its first token", async () => {
    const { heard, options } = listen();
    const done = new StreamingClient(retries).streamWithRetry(MESSAGES, options);
    await pass();
    machine.fetch.last.stream(OURS);
    machine.fetch.last.send(`${FRAMES[0] ?? ""}data: {"error": "No luck."}\n\n`);
    await done;

    expect(heard).toEqual([WORDS[0], "error: RunFailed"]);
  });

  test("gives up an answer that fails every time", async () => {
    const { heard, options } = listen();
    const done = new StreamingClient(retries).streamWithRetry(MESSAGES, options);
    for (let tries = 0; tries < 3; tries += 1) {
      await pass(1_500);
      machine.fetch.last.stream(OURS);
      machine.fetch.last.send('data: {"error": "No luck."}\n\n');
    }
    await done;

    expect([heard, machine.fetch.calls.length]).toEqual([["error: RunFailed"], 3]);
  });

  test("is stopped by an abort between two answers", async () => {
    const controller = new AbortController();
    const { heard, options } = listen({ signal: controller.signal });
    const done = new StreamingClient(retries).streamWithRetry(MESSAGES, options);
    await pass();
    machine.fetch.last.stream(OURS);
    machine.fetch.last.send('data: {"error": "No luck."}\n\n');
    await pass();
    controller.abort();
    await done;

    expect([heard, machine.fetch.calls.length]).toEqual([["aborted: "], 1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("has time for all its tries, however long they are", async () => {
    const patient = { maxRetries: 3, initialDelay: 600_000, maxDelay: 600_000 };
    const { options } = listen();
    void new StreamingClient(patient).streamWithRetry(MESSAGES, options);
    for (let tries = 0; tries < 4; tries += 1) {
      await pass(300_000);
      machine.fetch.last.fail();
    }

    expect(machine.fetch.calls).toHaveLength(4);
  });
});

describe("streamWithTimeout", () => {
  test("says that the time was up, stops the run, and hears no more", async () => {
    const onError = vi.fn<(error: Error) => void>();
    const { heard, options } = listen({ onError });
    const done = streamWithTimeout(MESSAGES, options, 30_000);
    await pass();
    const line = machine.fetch.last;
    line.stream(OURS);
    line.send(FRAMES[0] ?? "");
    await pass(30_000);
    await done;
    line.send(FRAMES[1] ?? "");
    await pass();

    expect(onError).toHaveBeenCalledOnce();
    expect(onError.mock.calls[0]?.[0]).toBeInstanceOf(StreamTimeout);
    expect(heard).toEqual([WORDS[0]]);
    expect(machine.fetch.log.at(-1)).toBe(CANCEL);
  });

  test("leaves no timer behind an answer in time", async () => {
    const { heard, options } = listen();
    const done = streamWithTimeout(MESSAGES, options, 30_000);
    await pass();
    machine.fetch.last.stream(OURS);
    machine.fetch.last.send(FRAMES.join(""));
    await done;

    expect(heard.at(-1)).toBe(`complete: ${TEXT}`);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([true, false])("passes the caller's abort on (aborted before: %s)", async (before) => {
    const controller = new AbortController();
    if (before) controller.abort();
    const { heard, options } = listen({ signal: controller.signal });
    const done = streamWithTimeout(MESSAGES, options, 30_000);
    await pass();
    controller.abort();
    await done;

    expect(heard).toEqual(["aborted: "]);
  });
});

test("errors can be told apart by their code", () => {
  expect(new ConnectionLost("x")).toMatchObject({ code: "connection_lost", retryable: true });
  expect(new StreamTimeout(5)).toMatchObject({ code: "stream_timeout", name: "StreamTimeout" });
});
