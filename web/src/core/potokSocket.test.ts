import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { QueueFull, ServerRefused } from "./errors.ts";
import { textOf } from "./fold.ts";
import { SOCKET_RUNS_MAX } from "./limits.ts";
import { PotokSocket } from "./potokSocket.ts";
import type { ScriptedSocket } from "./testing/scriptedSocket.ts";
import { answerOf, RUN } from "./testing/nativeFrames.ts";
import type { ScriptedMachine } from "./testing/scriptedMachine.ts";
import { pass, scriptMachine } from "./testing/scriptedMachine.ts";

const URL = "wss://potok.test/api/ws";
const REQUEST = { model: "demo", messages: [] };
const OTHER = "run0000000000002";

let machine: ScriptedMachine;
let socket: PotokSocket;

beforeEach(() => {
  vi.useFakeTimers();
  machine = scriptMachine();
  socket = new PotokSocket(URL, { environment: machine.environment });
});

afterEach(() => {
  vi.useRealTimers();
});

function messagesOf(run: string, words: string[], after = 0): Record<string, unknown>[] {
  return answerOf(words)
    .map(([event, fields], index) => ({ run, id: String(index + 1), event, ...fields }))
    .map((message) => ({ ...message, run }))
    .slice(after);
}

/** Open the newest socket. */
async function open(): Promise<ScriptedSocket> {
  await pass();
  machine.sockets.last.open();
  await pass();
  return machine.sockets.last;
}

describe("one socket", () => {
  test("opens when the first run needs it, and carries all of them", async () => {
    expect(machine.sockets.sockets).toHaveLength(0);
    const one = socket.start(REQUEST);
    const two = socket.subscribe(OTHER, { after: "3" });
    const line = await open();
    line.receive({ op: "started", ref: "1", run: RUN });
    line.receive(...messagesOf(RUN, ["a", "b"]));

    expect(machine.sockets.sockets.map(({ url }) => url)).toEqual([URL]);
    expect(line.asked).toEqual([
      { op: "start", ref: "1", run: REQUEST, idempotency_key: "key-1" },
      { op: "subscribe", ref: "2", run: OTHER, after: "3" },
    ]);
    const result = await one.done;
    expect([one.run, result.state, textOf(result.message)]).toEqual([RUN, "finished", "ab"]);
    expect(two.state).toBe("open");
  });

  test("carries the key that a page cannot put into a header", async () => {
    const headers = { Authorization: "Bearer k" };
    new PotokSocket(URL, { environment: machine.environment, headers }).subscribe(RUN);
    const line = await open();

    expect(line.protocols).toEqual(["potok", "bearer.aw"]);
  });

  test("gives each run its own events, mixed as they come", async () => {
    const readers = [RUN, OTHER].map((run) => socket.subscribe(run));
    const line = await open();
    const [mine = [], others = []] = [messagesOf(RUN, ["a", "b"]), messagesOf(OTHER, ["x", "y"])];
    mine.forEach((message, index) => line.receive(message, others[index] ?? {}));

    const results = await Promise.all(readers.map((reader) => reader.done));
    expect(results.map(({ message }) => textOf(message))).toEqual(["ab", "xy"]);
  });

  test("that is lost comes back and goes on after the last event of each run", async () => {
    const readers = [RUN, OTHER].map((run) => socket.subscribe(run));
    const first = await open();
    first.receive(
      ...messagesOf(RUN, ["a", "b"]).slice(0, 3),
      ...messagesOf(OTHER, ["x"]).slice(0, 1),
    );
    first.lose(1012);
    await pass(1_000);
    const second = await open();
    await pass(1_000);

    const asked = second.asked.map(({ op, run, after }) => [op, run, after]);
    expect(asked).toEqual([
      ["subscribe", RUN, "3"],
      ["subscribe", OTHER, "1"],
    ]);
    second.receive(...messagesOf(RUN, ["a", "b"], 1), ...messagesOf(OTHER, ["x"], 1));
    const results = await Promise.all(readers.map((reader) => reader.done));
    expect(results.map(({ message }) => textOf(message))).toEqual(["ab", "x"]);
  });

  test("that is lost before a start was answered sends it again with the same key", async () => {
    socket.start(REQUEST, { idempotencyKey: "mine" });
    (await open()).lose();
    await pass(1_000);
    const line = await open();
    await pass(1_000);

    expect(line.asked).toEqual([
      { op: "start", ref: expect.any(String), run: REQUEST, idempotency_key: "mine" },
    ]);
  });

  test("that was lost after the start was answered subscribes, and does not start", async () => {
    socket.start(REQUEST);
    const first = await open();
    first.receive({ op: "started", ref: "1", run: RUN });
    first.lose();
    await pass(1_000);
    const line = await open();
    await pass(1_000);

    expect(line.asked).toMatchObject([{ op: "subscribe", run: RUN, after: "0" }]);
  });

  test("that gives no sign for three pings is dead", async () => {
    const run = socket.subscribe(RUN);
    const line = await open();

    await pass(44_999);
    expect(line.isClosed).toBe(false);
    await pass(1);

    expect([line.isClosed, run.state]).toEqual([true, "waiting"]);
  });

  test("whose pings are answered lives, however quiet its runs are", async () => {
    const run = socket.subscribe(RUN);
    const line = await open();

    for (let minute = 0; minute < 40; minute += 1) {
      await pass(15_000);
      line.receive({ op: "pong" });
    }

    expect([line.isClosed, run.state]).toEqual([false, "open"]);
    expect(line.sent.filter(({ op }) => op === "ping").length).toBeGreaterThanOrEqual(40);
  });

  test.each([
    "no JSON",
    "[]",
    { run: RUN },
    { id: "1", event: "text-end" },
    { op: "started", ref: "1" },
  ])("that says what makes no sense is replaced: %j", async (nonsense) => {
    socket.start(REQUEST);
    socket.subscribe(RUN);
    const line = await open();
    line.receive(nonsense);
    await pass(1_000);

    expect(line.isClosed).toBe(true);
    expect(machine.sockets.sockets).toHaveLength(2);
  });

  test("that nobody answers is not tried for ever, and its runs are told", async () => {
    socket = new PotokSocket(URL, { environment: machine.environment, rules: { triesMax: 2 } });
    const run = socket.subscribe(RUN, { rules: { triesMax: 2, openSeconds: 5 } });
    for (let tries = 0; tries < 60; tries += 1) {
      await pass(1_000);
      machine.sockets.last.lose();
    }

    const result = await run.done;
    expect([result.state, result.error?.code]).toEqual(["lost", "connection_lost"]);
    const count = machine.sockets.sockets.length;
    await pass(600_000);
    expect(machine.sockets.sockets).toHaveLength(count);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("opens anew for a run that comes after it was given up", async () => {
    socket.subscribe(RUN);
    const first = await open();
    expect(socket.state).toBe("open");
    socket.close();
    await pass();
    expect(socket.state).toBe("idle");
    socket.subscribe(OTHER);
    const line = await open();

    expect(line).not.toBe(first);
    expect(line.asked).toMatchObject([{ op: "subscribe", run: OTHER }]);
  });

  test("that is given up tells its runs at once", async () => {
    socket = new PotokSocket(URL, { environment: machine.environment, rules: { triesMax: 0 } });
    const run = socket.subscribe(RUN);
    await pass();
    machine.sockets.last.lose();
    await pass();

    expect(run.state).toBe("waiting");
  });

  test("passes over what it does not know", async () => {
    const run = socket.subscribe(RUN);
    const line = await open();
    line.receive({ op: "novelty", ref: "1" }, { op: "novelty", ref: 7 }, { op: "novelty" });
    line.receive(...messagesOf(RUN, ["a"]));

    expect((await run.done).state).toBe("finished");
  });
});

describe("leaving and stopping", () => {
  test("a run that is left is unsubscribed, and goes on", async () => {
    const run = socket.subscribe(RUN);
    const line = await open();
    run.leave();
    line.receive(...messagesOf(RUN, ["late"]));

    expect((await run.done).state).toBe("left");
    expect(line.asked.slice(1)).toMatchObject([{ op: "unsubscribe", run: RUN }]);
    expect(run.message.parts).toEqual([]);
  });

  test("a run that was left can be read again, from a stored message on", async () => {
    const first = socket.subscribe(RUN);
    const line = await open();
    line.receive(...messagesOf(RUN, ["a", "b"]).slice(0, 3));
    first.leave();
    await pass();
    const onEvents = vi.fn();
    const stored = { after: first.after ?? "", message: first.message };
    const second = socket.subscribe(RUN, { ...stored, onEvents });
    await pass();
    line.receive(...messagesOf(RUN, ["a", "b"], 3));
    const result = await second.done;

    expect(line.asked.at(-1)).toMatchObject({ op: "subscribe", run: RUN, after: "3" });
    expect([result.state, textOf(result.message)]).toEqual(["finished", "ab"]);
    expect(onEvents).toHaveBeenCalledTimes(3);
  });

  test("a run that was left can be started again by its key", async () => {
    const first = socket.start(REQUEST, { idempotencyKey: "mine" });
    const line = await open();
    line.receive({ op: "started", ref: "1", run: RUN });
    first.leave();
    await pass();
    const second = socket.start(REQUEST, { idempotencyKey: "mine" });
    await pass();
    line.receive({ op: "started", ref: line.asked.at(-1)?.["ref"], run: RUN });
    line.receive(...messagesOf(RUN, ["a"]));

    expect((await second.done).state).toBe("finished");
  });

  test("a run that has ended needs no unsubscribe", async () => {
    const run = socket.subscribe(RUN);
    const line = await open();
    line.receive(...messagesOf(RUN, ["a"]));
    await run.done;

    expect(line.asked.map(({ op }) => op)).toEqual(["subscribe"]);
  });

  test("a stop goes over the socket and resolves with its answer", async () => {
    const run = socket.subscribe(RUN);
    const line = await open();
    const timers = vi.getTimerCount();
    const cancelled = run.cancel();
    expect(line.asked.at(-1)).toEqual({ op: "cancel", ref: "2", run: RUN });
    line.receive({ op: "cancelled", ref: "2", run: RUN });

    await cancelled;
    expect(machine.fetch.calls).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(timers);
  });

  test("a stop goes over HTTP at once while the socket is away", async () => {
    const run = socket.subscribe(RUN);
    (await open()).lose();
    void run.cancel();
    await pass();

    expect(machine.fetch.log).toEqual([`POST /api/runs/${RUN}/cancel`]);
  });

  test.each(["lost", "silent"])("a stop goes over HTTP when the socket is %s", async (how) => {
    const run = socket.subscribe(RUN);
    const line = await open();
    const cancelled = run.cancel();
    if (how === "lost") line.lose();
    else await pass(30_000);
    await pass();
    expect(machine.fetch.log).toEqual([`POST /api/runs/${RUN}/cancel`]);
    machine.fetch.last.json({ status: "cancelled" });

    await cancelled;
  });

  test("a stop that is refused is said to whoever asked", async () => {
    const run = socket.subscribe(RUN);
    const line = await open();
    const refused = expect(run.cancel()).rejects.toThrow(ServerRefused);
    line.receive({ op: "error", ref: "2", code: "run_not_found", message: "No run." });

    await refused;
  });

  test("close leaves every run and the socket", async () => {
    const runs = [RUN, OTHER].map((run) => socket.subscribe(run));
    const line = await open();
    socket.close();

    expect((await Promise.all(runs.map((run) => run.done))).map(({ state }) => state)).toEqual([
      "left",
      "left",
    ]);
    expect([line.isClosed, vi.getTimerCount(), machine.watchers.size]).toEqual([true, 0, 0]);
  });
});

describe("what the server refuses", () => {
  test("ends that run with its code, and no other", async () => {
    const [gone, well] = [socket.subscribe(RUN), socket.subscribe(OTHER)];
    const line = await open();
    line.receive({ op: "error", ref: "1", code: "run_not_found", message: "No run." });
    const result = await gone.done;

    expect([result.state, result.error?.code, result.error?.message]).toEqual([
      "lost",
      "run_not_found",
      "No run.",
    ]);
    expect([well.state, line.isClosed]).toEqual(["open", false]);
  });

  test("for a while is asked for again", async () => {
    const run = socket.subscribe(RUN);
    const line = await open();
    line.receive({ op: "error", ref: "1", code: "server_draining", message: "Later." });
    await pass(500);

    expect(line.asked.map(({ op, run }) => [op, run])).toEqual([
      ["subscribe", RUN],
      ["unsubscribe", RUN],
      ["subscribe", RUN],
    ]);
    expect(run.state).toBe("open");
  });

  test("because the events are gone is filled from the snapshot", async () => {
    const onGap = vi.fn();
    const run = socket.subscribe(RUN, { after: "3", onGap });
    const line = await open();
    const facts = { first: "9", snapshot: `/api/runs/${RUN}` };
    line.receive({ op: "error", ref: "1", code: "offset_expired", message: "Gone.", ...facts });
    await pass();
    const parts = [{ type: "text", id: "t", text: "Whole" }];
    machine.fetch.last.json({ offset: "20", status: "running", message: { parts } });
    await pass();

    expect(line.asked.at(-1)).toMatchObject({ op: "subscribe", run: RUN, after: "20" });
    expect(onGap).toHaveBeenCalledOnce();
    expect(textOf(run.message)).toBe("Whole");
  });

  test("a run that was read to its end already is finished", async () => {
    const run = socket.subscribe(RUN, { after: "9" });
    const line = await open();
    line.receive({ op: "error", ref: "none of ours", code: "x" });
    line.receive({ op: "ended", ref: "1", run: RUN });
    await pass();
    machine.fetch.calls[0]?.json({ offset: "9", status: "finished", message: { parts: [] } });

    expect((await run.done).state).toBe("finished");
  });
});

describe("bounds", () => {
  test("a run is read once over one socket", async () => {
    socket.subscribe(RUN);

    expect(() => socket.subscribe(RUN)).toThrow(RangeError);
  });

  test("a start that leads to a run that is read already is refused", async () => {
    socket.subscribe(RUN);
    const twin = socket.start(REQUEST);
    const line = await open();
    line.receive({ op: "started", ref: "2", run: RUN });

    expect((await twin.done).error?.code).toBe("already_subscribed");
  });

  test("more runs than a socket carries are refused", () => {
    for (let number = 10; number < SOCKET_RUNS_MAX + 10; number += 1) {
      socket.subscribe(`run${String(number).padStart(13, "0")}`);
    }

    expect(() => socket.subscribe(RUN)).toThrow(QueueFull);
  });
});
