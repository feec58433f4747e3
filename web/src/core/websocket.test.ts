import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { ConnectionLost, NotConnected, QueueFull, RunFailed } from "./errors.ts";
import { SOCKET_QUEUE_MAX } from "./limits.ts";
import type { ScriptedMachine } from "./testing/scriptedMachine.ts";
import { pass, scriptMachine } from "./testing/scriptedMachine.ts";
import type { ScriptedSocket } from "./testing/scriptedSocket.ts";
import { LLMWebSocketClient } from "./websocket.ts";

const URL = "ws://potok.test/ws";
const token = (content: string): Record<string, unknown> => ({ type: "token", content });
const DONE = { type: "done" };

let machine: ScriptedMachine;
let client: LLMWebSocketClient;

beforeEach(() => {
  vi.useFakeTimers();
  machine = scriptMachine();
  client = new LLMWebSocketClient({ environment: machine.environment });
});

afterEach(() => {
  vi.useRealTimers();
});

async function connected(): Promise<ScriptedSocket> {
  const connecting = client.connect(URL);
  await pass();
  machine.sockets.last.open();
  await connecting;
  return machine.sockets.last;
}

interface Asked {
  done: Promise<void>;
  heard: string[];
}

function ask(content: string): Asked {
  const heard: string[] = [];
  const done = client.streamChat(
    [{ role: "user", content }],
    (piece) => heard.push(piece),
    () => heard.push("complete"),
    (error) => heard.push(`error: ${error.message}`),
  );
  // Each test looks at the promise itself where it matters.
  done.catch(() => undefined);
  return { done, heard };
}

describe("an answer", () => {
  test("comes token by token and is complete", async () => {
    const socket = await connected();
    const { done, heard } = ask("hi");
    socket.receive(token("При"), token("вет"), DONE);
    await done;

    expect(socket.sent).toEqual([
      {
        messages: [{ role: "user", content: "hi" }],
        idempotency_key: "key-1",
        on_disconnect: "keep",
      },
    ]);
    expect(heard).toEqual(["При", "вет", "complete"]);
  });

  test("that fails is told and rejected", async () => {
    const socket = await connected();
    const { done, heard } = ask("hi");
    socket.receive(token("a"), { type: "error", message: "No luck.", code: "upstream_lost" });

    await expect(done).rejects.toThrow(RunFailed);
    await expect(done).rejects.toMatchObject({ code: "upstream_lost" });
    expect(heard).toEqual(["a", "error: No luck."]);
  });

  test("that is cancelled is complete", async () => {
    const socket = await connected();
    const { done, heard } = ask("hi");
    socket.receive(token("a"));
    client.cancel();
    socket.receive({ type: "done", cancelled: true });
    await done;

    expect(socket.sent.at(-1)).toEqual({ type: "cancel" });
    expect(heard).toEqual(["a", "complete"]);
  });

  test("is asked for with the caller's model and key", async () => {
    const socket = await connected();
    const nothing = (): void => undefined;
    const options = { model: "demo", idempotencyKey: "mine" };
    void client.streamChat([], nothing, nothing, nothing, options);
    await pass();

    expect(socket.sent).toMatchObject([{ messages: [], model: "demo", idempotency_key: "mine" }]);
  });

  test("that nobody asked for is passed over", async () => {
    const socket = await connected();
    socket.receive(token("a"), { type: "error", message: "Shutting down soon." }, {});
    const { done, heard } = ask("hi");
    socket.receive({ type: "novelty" }, token("a"), DONE);
    await done;

    expect([heard, socket.isClosed]).toEqual([["a", "complete"], false]);
  });

  test("whose listener throws goes on", async () => {
    const socket = await connected();
    let complete = false;
    const done = client.streamChat(
      [],
      () => {
        throw new Error("mine");
      },
      () => (complete = true),
      () => undefined,
    );
    socket.receive(token("a"), DONE);
    await done;

    expect([complete, machine.reported]).toEqual([true, [new Error("mine")]]);
  });
});

describe("the queue", () => {
  test("answers come one after the other", async () => {
    const socket = await connected();
    const [first, second] = [ask("one"), ask("two")];
    expect(socket.sent).toHaveLength(1);
    socket.receive(token("1"), DONE, token("2"), DONE);
    await Promise.all([first.done, second.done]);

    expect(socket.sent).toHaveLength(2);
    expect([first.heard, second.heard]).toEqual([
      ["1", "complete"],
      ["2", "complete"],
    ]);
  });

  test("holds what was asked before the socket opened", async () => {
    const connecting = client.connect(URL);
    const { done, heard } = ask("early");
    await pass();
    machine.sockets.last.open();
    await connecting;
    machine.sockets.last.receive(token("a"), DONE);
    await done;

    expect(heard).toEqual(["a", "complete"]);
  });

  test("is bounded", async () => {
    await connected();
    for (let number = 0; number < SOCKET_QUEUE_MAX; number += 1) ask(String(number));

    await expect(ask("one too many").done).rejects.toThrow(QueueFull);
  });
});

describe("a socket that is lost", () => {
  const WORDS = ["Привет", ", ", "мир ", "🌍"];
  const TEXT = WORDS.join("");

  test("asks again with the same key, and no character comes twice, wherever it was cut", async () => {
    for (let cut = 0; cut <= WORDS.length; cut += 1) {
      client = new LLMWebSocketClient({ environment: machine.environment });
      const first = await connected();
      const { done, heard } = ask("hi");
      first.receive(...WORDS.slice(0, cut).map(token));
      first.lose(1012);
      await pass(1_000);
      machine.sockets.last.open();
      const again = machine.sockets.last;
      // The stored text, cut into other pieces.
      again.receive(...Array.from(TEXT, token), DONE);
      await done;

      expect(again.sent, `cut after ${cut}`).toEqual(first.sent);
      expect(heard.join("")).toBe(`${TEXT}complete`);
    }
  });

  test("many times, with something new each time, is never given up", async () => {
    await connected();
    const { done, heard } = ask("hi");
    for (let cut = 1; cut <= 30; cut += 1) {
      machine.sockets.last.receive(...Array.from("x".repeat(cut), token));
      machine.sockets.last.lose();
      await pass(1_000);
      machine.sockets.last.open();
    }
    machine.sockets.last.receive(token("x".repeat(30)), DONE);
    await done;

    expect(heard.join("")).toBe(`${"x".repeat(30)}complete`);
  });

  test("holds what is asked meanwhile until it is back", async () => {
    const first = await connected();
    first.lose();
    const { done, heard } = ask("meanwhile");
    await pass(1_000);
    machine.sockets.last.open();
    machine.sockets.last.receive(token("a"), DONE);
    await done;

    expect([first.sent, heard]).toEqual([[], ["a", "complete"]]);
  });

  test("leaves what waits behind it in its place", async () => {
    const first = await connected();
    const asked = [ask("one"), ask("two")];
    first.receive(token("1"));
    first.lose();
    await pass(1_000);
    machine.sockets.last.open();
    machine.sockets.last.receive(token("1"), DONE, token("2"), DONE);
    await Promise.all(asked.map(({ done }) => done));

    expect(asked.map(({ heard }) => heard)).toEqual([
      ["1", "complete"],
      ["2", "complete"],
    ]);
  });

  test("for good fails everything that waits, once", async () => {
    const first = await connected();
    const asked = [ask("one"), ask("two")];
    first.lose();
    for (let tries = 0; tries < 12; tries += 1) {
      await pass(30_000);
      machine.sockets.last.lose();
    }

    for (const { done } of asked) await expect(done).rejects.toThrow(ConnectionLost);
    expect(asked.map(({ heard }) => heard.length)).toEqual([1, 1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("for good is opened anew by the next question", async () => {
    (await connected()).lose();
    for (let tries = 0; tries < 12; tries += 1) {
      await pass(30_000);
      machine.sockets.last.lose();
    }
    const { done, heard } = ask("again");
    await pass();
    machine.sockets.last.open();
    machine.sockets.last.receive(token("a"), DONE);
    await done;

    expect(heard).toEqual(["a", "complete"]);
  });
});

describe("connecting", () => {
  test.each([
    [{}, []],
    [{ Authorization: "Basic eDp5" }, []],
    [{ authorization: "Bearer k~ключ?" }, ["potok", "bearer.a37QutC70Y7Rhz8"]],
  ])("carries the key that a page cannot put into a header: %j", async (headers, protocols) => {
    client = new LLMWebSocketClient({ environment: machine.environment, headers });
    const socket = await connected();

    expect(socket.protocols).toEqual(protocols);
  });

  test("rejects when the first try fails, and tries no more", async () => {
    const failed = expect(client.connect(URL)).rejects.toThrow(ConnectionLost);
    await pass();
    machine.sockets.last.lose();

    await failed;
    await pass(600_000);
    expect(machine.sockets.sockets).toHaveLength(1);
  });

  test("rejects when nobody answers in time", async () => {
    const failed = expect(client.connect(URL)).rejects.toThrow(ConnectionLost);
    await pass(30_000);

    await failed;
    expect(machine.sockets.last.isClosed).toBe(true);
  });

  test("anew closes the socket before", async () => {
    const first = await connected();
    const second = await connected();

    expect([first.isClosed, second.isClosed]).toEqual([true, false]);
  });

  test("must come before a question", async () => {
    await expect(ask("hi").done).rejects.toThrow(NotConnected);
  });
});

describe("disconnecting", () => {
  test("gives up what is asked, which is no error", async () => {
    const socket = await connected();
    const { done, heard } = ask("hi");
    socket.receive(token("a"));
    client.disconnect();
    await done;
    socket.receive(token("b"), DONE);

    expect(heard).toEqual(["a"]);
    expect(socket.sent.at(-1)).toEqual({ type: "cancel" });
    expect([socket.isClosed, vi.getTimerCount(), machine.watchers.size]).toEqual([true, 0, 0]);
    await expect(ask("late").done).rejects.toThrow(NotConnected);
  });

  test("twice is harmless", async () => {
    await connected();
    client.disconnect();
    client.disconnect();

    expect(machine.sockets.sockets).toHaveLength(1);
  });
});
