import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { AdaptiveOptions } from "./adaptive.ts";
import { adaptiveStreaming } from "./adaptive.ts";
import { ConnectionLost, RunFailed, ServerRefused } from "./errors.ts";
import type { StreamMessage } from "./simpleStream.ts";
import { RUN } from "./testing/nativeFrames.ts";
import type { ScriptedMachine } from "./testing/scriptedMachine.ts";
import { pass, scriptMachine } from "./testing/scriptedMachine.ts";

const MESSAGES: StreamMessage[] = [{ role: "user", content: "hi" }];
const BASE = "https://potok.test";
const OURS = { "x-potok-run": RUN };
const token = (content: string): Record<string, unknown> => ({ type: "token", content });
const frame = (content: string, offset: number): string =>
  `data: ${JSON.stringify({ content })}\nid: ${RUN}.${offset}\n\n`;

let machine: ScriptedMachine;

beforeEach(() => {
  vi.useFakeTimers();
  machine = scriptMachine();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function ask(more: AdaptiveOptions = {}): { shown: string[]; done: Promise<string> } {
  const shown: string[] = [];
  const options = { environment: machine.environment, baseUrl: BASE, ...more };
  const done = adaptiveStreaming(MESSAGES, (text) => shown.push(text), options);
  done.catch(() => undefined);
  return { shown, done };
}

/** Let every try of the way that is being tried fail. */
async function failSockets(): Promise<void> {
  await pass();
  machine.sockets.last.lose();
  await pass();
}

async function failFetches(url: string): Promise<void> {
  for (let tries = 0; tries < 4; tries += 1) {
    expect(machine.fetch.last.url).toBe(url);
    machine.fetch.last.fail();
    await pass(5_000);
  }
}

describe("the ways, in their order", () => {
  test("a socket that works is enough", async () => {
    const { shown, done } = ask({ model: "demo" });
    await pass();
    const socket = machine.sockets.last;
    socket.open();
    await pass();
    socket.receive(token("a"), token("b"), { type: "done" });

    expect(await done).toBe("ab");
    expect(shown).toEqual(["a", "ab"]);
    expect(socket.url).toBe("wss://potok.test/ws");
    expect(socket.sent).toMatchObject([
      { messages: MESSAGES, model: "demo", idempotency_key: "key-1" },
    ]);
    expect([socket.isClosed, machine.fetch.calls.length, vi.getTimerCount()]).toEqual([true, 0, 0]);
  });

  test("without a socket events are taken, with the same key", async () => {
    const { shown, done } = ask();
    await failSockets();
    const call = machine.fetch.last;
    call.stream(OURS);
    call.send(`${frame("a", 3)}${frame("b", 4)}data: [DONE]\n\n`);

    expect(await done).toBe("ab");
    expect(shown).toEqual(["a", "ab"]);
    expect([call.url, call.headers.get("idempotency-key")]).toEqual([
      `${BASE}/api/chat/stream`,
      "key-1",
    ]);
  });

  test("without events plain JSON is taken, with the same key", async () => {
    const { shown, done } = ask({ model: "demo" });
    await failSockets();
    await failFetches(`${BASE}/api/chat/stream`);
    const call = machine.fetch.last;
    call.json({ message: "ab", model: "demo", run: RUN });

    expect(await done).toBe("ab");
    expect(shown).toEqual(["ab"]);
    expect([call.method, call.url, call.headers.get("idempotency-key"), call.body]).toEqual([
      "POST",
      `${BASE}/api/chat`,
      "key-1",
      { messages: MESSAGES, model: "demo" },
    ]);
  });

  test("a socket that hangs is left after a short while", async () => {
    ask();
    await pass(3_000);

    expect(machine.sockets.last.isClosed).toBe(true);
    expect(machine.fetch.last.url).toBe(`${BASE}/api/chat/stream`);
  });

  test("the last error is told when no way is left", async () => {
    const { done } = ask();
    await failSockets();
    await failFetches(`${BASE}/api/chat/stream`);
    await failFetches(`${BASE}/api/chat`);

    await expect(done).rejects.toThrow(ConnectionLost);
  });

  test.each([
    ["no address is known", { baseUrl: "" }],
    ["headers are needed, which a socket does not carry", { headers: { "X-Team": "k" } }],
    ["nobody wants one", { transports: ["sse", "json"] as const }],
  ])("no socket is tried where %s", async (_why, options) => {
    ask(options);
    await pass();

    expect(machine.sockets.sockets).toHaveLength(0);
    expect(machine.fetch.last.url).toMatch("/api/chat/stream");
  });

  test("where the browser gives no streams, plain JSON is taken", async () => {
    vi.stubGlobal("ReadableStream", undefined);
    ask({ transports: ["sse", "json"] });
    await pass();

    expect(machine.fetch.log).toEqual([`POST ${BASE}/api/chat`]);
  });

  test("the page's own server is taken where no other is named", async () => {
    vi.stubGlobal("location", { origin: "https://page.test" });
    ask({ baseUrl: "" });
    await pass();

    expect(machine.sockets.last.url).toBe("wss://page.test/ws");
  });

  test("a socket carries the key", async () => {
    ask({ headers: { Authorization: "Bearer k" } });
    await pass();

    expect(machine.sockets.last.protocols).toEqual(["potok", "bearer.aw"]);
  });

  test("a socket's own address is taken as it is", async () => {
    ask({ baseUrl: "", socketUrl: "ws://elsewhere.test/" });
    await pass();

    expect(machine.sockets.last.url).toBe("ws://elsewhere.test/");
  });
});

describe("a way that breaks in the middle", () => {
  test("is taken over by the next one without a step back", async () => {
    const { shown, done } = ask({ rules: { triesMax: 0 } });
    await pass();
    machine.sockets.last.open();
    await pass();
    machine.sockets.last.receive(token("При"), token("вет"));
    machine.sockets.last.lose();
    await pass();
    // The run is the same; its answer is given from the start.
    machine.fetch.last.stream(OURS);
    machine.fetch.last.send(
      `${frame("Прив", 3)}${frame("ет", 4)}${frame(", ми", 5)}${frame("р", 6)}`,
    );
    machine.fetch.last.send("data: [DONE]\n\n");

    expect(await done).toBe("Привет, мир");
    expect(shown).toEqual(["При", "Привет", "Привет, ми", "Привет, мир"]);
    const { idempotency_key: key } = machine.sockets.last.sent[0] ?? {};
    expect(machine.fetch.last.headers.get("idempotency-key")).toBe(key);
  });
});

describe("what no other way can help", () => {
  test("a run that failed is not asked for again", async () => {
    const { done } = ask();
    await pass();
    machine.sockets.last.open();
    await pass();
    machine.sockets.last.receive({ type: "error", message: "No luck." });

    await expect(done).rejects.toThrow(RunFailed);
    expect(machine.fetch.calls).toHaveLength(0);
  });

  test.each([400, 401, 403, 409, 422])("a %i is told at once", async (status) => {
    const { done } = ask({ transports: ["sse", "json"] });
    await pass();
    machine.fetch.last.json({ error: { code: "no", message: "No." } }, status);

    await expect(done).rejects.toThrow(ServerRefused);
    expect(machine.fetch.calls).toHaveLength(1);
  });

  test.each([404, 405, 501])("a %i only says that this way is unknown", async (status) => {
    const { done } = ask({ transports: ["sse", "json"], rules: { triesMax: 0 } });
    await pass();
    machine.fetch.last.json({ error: { code: "path_unknown", message: "No." } }, status);
    await pass();
    machine.fetch.last.json({ message: "ab" });

    expect(await done).toBe("ab");
  });
});

describe("an abort", () => {
  test.each(["websocket", "sse", "json"] as const)("gives what there is (%s)", async (way) => {
    const controller = new AbortController();
    const { done } = ask({ transports: [way], signal: controller.signal });
    await pass();
    let text = "";
    if (way === "websocket") {
      machine.sockets.last.open();
      await pass();
      machine.sockets.last.receive(token("a"));
      text = "a";
    } else if (way === "sse") {
      machine.fetch.last.stream(OURS);
      machine.fetch.last.send(frame("a", 3));
      text = "a";
    }
    await pass();
    controller.abort();

    expect(await done).toBe(text);
    if (way === "websocket") expect(machine.sockets.last.sent.at(-1)).toEqual({ type: "cancel" });
    if (way === "json") expect(machine.fetch.last.isAborted).toBe(true);
  });

  test.each([true, false])(
    "before anything came asks no other way (before the start: %s)",
    async (before) => {
      const controller = new AbortController();
      if (before) controller.abort();
      const { done } = ask({ signal: controller.signal });
      await pass();
      controller.abort();

      expect(await done).toBe("");
      expect(machine.fetch.calls).toHaveLength(0);
      expect(machine.sockets.sockets).toHaveLength(before ? 0 : 1);
    },
  );
});

test("an answer in JSON without its message is not taken for an empty one", async () => {
  const { done } = ask({ transports: ["json"], rules: { triesMax: 0 } });
  await pass();
  machine.fetch.last.json({ hello: "I am a captive portal" });

  await expect(done).rejects.toThrow(ConnectionLost);
});
