// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { textOf } from "../core/index.ts";
import { RUN, answerOf, framesOf } from "../core/testing/nativeFrames.ts";
import type { ScriptedMachine } from "../core/testing/scriptedMachine.ts";
import { pass, scriptMachine } from "../core/testing/scriptedMachine.ts";
import type { ScriptedSocket } from "../core/testing/scriptedSocket.ts";
import { Chat } from "./chat.ts";
import { Connection } from "./connection.ts";
import { messageOf } from "./conversation.ts";
import { ConversationStore } from "./conversationStore.ts";
import { PEER_START_MILLISECONDS } from "./limits.ts";
import { SharedStorage } from "./testing/twoTabs.ts";

const WORDS = ["One ", "two ", "three."];

interface Tab {
  readonly machine: ScriptedMachine;
  readonly chat: Chat;
  readonly connection: Connection;
  close(): void;
}

let storage: SharedStorage;
const tabs: Tab[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  storage = new SharedStorage();
});

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.close();
  vi.useRealTimers();
});

function openTab(): Tab {
  const machine = scriptMachine();
  const connection = new Connection(null, machine.environment);
  const chat = new Chat(new ConversationStore(storage.tab()), connection);
  connection.open();
  const end = chat.begin();
  const close = (): void => {
    end();
    connection.close();
  };
  const tab = { machine, chat, connection, close };
  tabs.push(tab);
  return tab;
}

async function lineOf({ machine }: Tab): Promise<ScriptedSocket> {
  await pass();
  machine.sockets.last.open();
  await pass();
  return machine.sockets.last;
}

function events(from: number, to: number): Record<string, unknown>[] {
  return answerOf(WORDS)
    .map(([event, fields], index) => ({ ...fields, run: RUN, id: String(index + 1), event }))
    .slice(from, to);
}

/** Ask over an open line, and hear the first events. */
async function ask(tab: Tab, until = 4): Promise<ScriptedSocket> {
  const line = await lineOf(tab);
  tab.chat.send("Hello", "demo", "en");
  await pass();
  const start = line.asked.find((message) => message["op"] === "start");
  line.receive({ op: "started", ref: start?.["ref"], run: RUN, created: true });
  line.receive(...events(0, until));
  await pass(100);
  return line;
}

function shown(tab: Tab): string {
  const { answer } = tab.chat.conversation.exchanges.at(-1) ?? {};
  if (answer === undefined) return "";
  if (answer.message !== null) return textOf(messageOf(answer.message));
  const live = tab.chat.liveOf(answer.id);
  return live === null ? "" : textOf(live.view.message);
}

describe("an answer", () => {
  test("grows, ends, and is kept", async () => {
    const tab = openTab();
    const line = await ask(tab);
    expect(shown(tab)).toBe("One two ");

    line.receive(...events(4, 7));
    await pass();

    const [exchange] = tab.chat.conversation.exchanges;
    expect(exchange?.answer).toMatchObject({ run: RUN, ending: "finished" });
    expect(shown(tab)).toBe("One two three.");
    expect(tab.chat.isBusy).toBe(false);
    expect([...storage.kept.keys()]).toEqual(["potok.conversation"]);
  });

  test("is one at a time", async () => {
    const tab = openTab();
    await ask(tab);

    expect(tab.chat.send("More", "demo", "en")).toBe(false);
    expect(tab.chat.conversation.exchanges).toHaveLength(1);
  });

  test("is painted at most every 50 milliseconds", async () => {
    const tab = openTab();
    const line = await ask(tab, 2);
    let painted = 0;
    const { answer } = tab.chat.conversation.exchanges[0] ?? {};
    tab.chat.liveOf(answer?.id ?? "")?.subscribe(() => (painted += 1));

    for (const event of events(2, 5)) line.receive(event);
    await pass(49);
    expect(painted).toBe(0);
    await pass(1);

    expect(painted).toBe(1);
    expect(shown(tab)).toBe("One two three.");
  });

  test("that failed is asked for anew, with another key", async () => {
    const tab = openTab();
    const line = await ask(tab);
    line.receive({
      run: RUN,
      id: "5",
      event: "run-end",
      outcome: "failed",
      code: "x",
      message: "No.",
    });
    await pass();
    const first = tab.chat.conversation.exchanges[0]?.answer;
    expect(first).toMatchObject({ ending: "failed", error: { code: "x", message: "No." } });

    tab.chat.retry("demo", "en");
    await pass();

    const second = tab.chat.conversation.exchanges[0]?.answer;
    expect(second).toMatchObject({ ending: null, run: null });
    expect(second?.key).not.toBe(first?.key);
  });

  test("that the server refused to start says so, and its key is used again", async () => {
    const tab = openTab();
    const line = await lineOf(tab);
    tab.chat.send("Hello", "demo", "en");
    await pass();
    const start = line.asked[0];
    line.receive({ op: "error", ref: start?.["ref"], code: "model_not_found", message: "None." });
    await pass();
    const first = tab.chat.conversation.exchanges[0]?.answer;
    expect(first).toMatchObject({ ending: "lost", run: null, error: { code: "model_not_found" } });

    tab.chat.retry("demo", "en");
    await pass();

    expect(line.asked.at(-1)).toMatchObject({ op: "start", idempotency_key: first?.key });
  });

  test("is stopped at the server, and ends when the server says so", async () => {
    const tab = openTab();
    const line = await ask(tab);

    tab.chat.stop();
    await pass();
    expect(line.asked.at(-1)).toMatchObject({ op: "cancel", run: RUN });
    line.receive({ op: "cancelled", ref: line.asked.at(-1)?.["ref"], run: RUN });
    line.receive({ run: RUN, id: "5", event: "run-end", outcome: "cancelled" });
    await pass();

    expect(tab.chat.conversation.exchanges[0]?.answer.ending).toBe("cancelled");
    expect(shown(tab)).toBe("One two ");
  });
});

describe("coming back", () => {
  test("a reload goes on after the last id that was kept", async () => {
    const tab = openTab();
    await ask(tab);
    dispatchEvent(new Event("pagehide"));
    tab.close();

    const again = openTab();
    expect(shown(again)).toBe("One two ");
    const line = await lineOf(again);

    expect(line.asked[0]).toMatchObject({ op: "subscribe", run: RUN, after: "4" });
    line.receive(...events(4, 7));
    await pass();
    expect(shown(again)).toBe("One two three.");
  });

  test("a reload before the run was named starts it again with the same key", async () => {
    const tab = openTab();
    const line = await lineOf(tab);
    tab.chat.send("Hello", "demo", "en");
    await pass();
    const key = line.asked[0]?.["idempotency_key"];
    tab.close();

    const again = openTab();
    const next = await lineOf(again);

    expect(next.asked[0]).toMatchObject({ op: "start", idempotency_key: key });
    expect(next.asked[0]?.["run"]).toEqual(line.asked[0]?.["run"]);
  });

  test.each([
    "{",
    "null",
    '{"after":7,"message":{}}',
    '{"after":"7","message":[]}',
    '{"after":"x","message":{}}',
  ])("the copy %s is no reason to lose the answer", async (copy) => {
    const tab = openTab();
    await ask(tab);
    tab.close();
    const [exchange] = tab.chat.conversation.exchanges;
    storage.kept.set(`potok.answer.${exchange?.answer.id}`, copy);

    const again = openTab();
    const line = await lineOf(again);

    expect(line.asked[0]).toMatchObject({ op: "subscribe", run: RUN, after: "0" });
  });

  test("another tab reads along, and does not start the run a second time", async () => {
    const [one, two] = [openTab(), openTab()];
    const other = await lineOf(two);
    const line = await lineOf(one);
    one.chat.send("Hello", "demo", "en");
    await pass(PEER_START_MILLISECONDS / 2);
    expect(other.asked).toEqual([]);

    line.receive({ op: "started", ref: line.asked[0]?.["ref"], run: RUN, created: true });
    await pass();
    expect(other.asked).toMatchObject([{ op: "subscribe", run: RUN }]);
    other.receive(...events(0, 4));
    await pass(PEER_START_MILLISECONDS);

    expect(shown(two)).toBe("One two ");
    expect(other.asked).toHaveLength(1);
  });

  test("a tab that died before its run was named is stood in for, by its key", async () => {
    const [one, two] = [openTab(), openTab()];
    const other = await lineOf(two);
    const line = await lineOf(one);
    one.chat.send("Hello", "demo", "en");
    await pass();
    one.close();

    await pass(PEER_START_MILLISECONDS);

    const key = line.asked[0]?.["idempotency_key"];
    expect(other.asked).toMatchObject([{ op: "start", idempotency_key: key }]);
  });

  test("a new chat in one tab empties the others, and stops what was under way", async () => {
    const [one, two] = [openTab(), openTab()];
    await lineOf(two);
    const line = await ask(one);

    one.chat.clear();
    await pass();

    expect(line.asked).toContainEqual(expect.objectContaining({ op: "cancel", run: RUN }));
    expect(two.chat.conversation.exchanges).toEqual([]);
    expect(two.chat.isBusy).toBe(false);
  });
});

test("a chat that was left in the middle of an answer can be brought back", async () => {
  const tab = openTab();
  const line = await ask(tab);

  tab.chat.clear();
  await pass();
  tab.chat.restore();
  await pass();

  expect(line.asked.map((message) => message["op"])).toEqual([
    "start",
    "cancel",
    "unsubscribe",
    "subscribe",
  ]);
  line.receive(...events(0, 4), { run: RUN, id: "5", event: "run-end", outcome: "cancelled" });
  await pass();
  expect(tab.chat.conversation.exchanges[0]?.answer.ending).toBe("cancelled");
});

describe("the line", () => {
  test("is HTTP where no socket comes through", async () => {
    const tab = openTab();
    tab.chat.send("Hello", "demo", "en");
    for (let tried = 0; tried < 2; tried += 1) {
      await pass();
      tab.machine.sockets.last.lose();
      await pass(2_000);
    }
    const probe = tab.machine.fetch.calls.find((call) => call.url === "/healthz");
    probe?.json({ status: "ok" });
    await pass();
    expect(tab.connection.usesHttp).toBe(true);

    tab.machine.fetch.last.json({ id: RUN }, 201);
    await pass();
    tab.machine.fetch.last.stream();
    await pass();
    for (const frame of framesOf(answerOf(WORDS))) tab.machine.fetch.last.send(frame);
    await pass(100);

    expect(shown(tab)).toBe("One two three.");
    expect(tab.machine.fetch.log).toContain("POST /api/runs");
  });

  test("stays a socket while the server is away", async () => {
    const tab = openTab();
    for (let tried = 0; tried < 2; tried += 1) {
      await pass();
      tab.machine.sockets.last.lose();
      await pass(2_000);
    }
    tab.machine.fetch.calls.find((call) => call.url === "/healthz")?.fail();
    await pass();

    expect(tab.connection.usesHttp).toBe(false);
    expect(tab.connection.state).toBe("waiting");
  });

  test("is a new one as soon as the machine has a network again", async () => {
    const tab = openTab();
    await ask(tab);

    dispatchEvent(new Event("online"));
    const line = await lineOf(tab);

    expect(tab.machine.sockets.sockets).toHaveLength(2);
    expect(line.asked[0]).toMatchObject({ op: "subscribe", run: RUN, after: "4" });
    line.receive(...events(4, 7));
    await pass();
    expect(shown(tab)).toBe("One two three.");
  });

  test("that is lost for good leaves the answer to be fetched later", async () => {
    const tab = openTab();
    await ask(tab);
    for (let tried = 0; tried < 40; tried += 1) {
      tab.machine.sockets.last.lose();
      await pass(60_000);
    }
    const { answer } = tab.chat.conversation.exchanges[0] ?? {};
    expect(answer?.ending).toBeNull();
    expect(tab.chat.lossOf(answer?.id ?? "")?.code).toBe("connection_lost");

    tab.chat.reconnect();
    const line = await lineOf(tab);

    expect(line.asked[0]).toMatchObject({ op: "subscribe", run: RUN, after: "4" });
    expect(shown(tab)).toBe("One two ");
  });

  test("carries a key as a subprotocol, and in headers", async () => {
    const asked: unknown[] = [];
    const fake = class {
      constructor(url: string, protocols: string[]) {
        asked.push([new URL(url).pathname, protocols]);
      }
      close(): void {}
    };
    vi.stubGlobal("WebSocket", fake);
    const connection = new Connection("ключ?>~");

    connection.open();
    await pass();
    connection.close();

    expect(asked).toEqual([["/api/ws", ["potok", "bearer.0LrQu9GO0Yc_Pn4"]]]);
    expect(connection.headers).toEqual({ Authorization: "Bearer ключ?>~" });
  });
});
