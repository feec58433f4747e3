import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { ConnectionLost, FrameTooLarge, RunFailed, VersionUnknown } from "./errors.ts";
import { textOf } from "./fold.ts";
import type { StartOptions } from "./session.ts";
import { answerOf, framesOf, HEARTBEAT, RUN, sse } from "./testing/nativeFrames.ts";
import type { ScriptedMachine } from "./testing/scriptedMachine.ts";
import { pass, scriptMachine } from "./testing/scriptedMachine.ts";
import type { Watched } from "./testing/watchedSession.ts";
import { watchStart, watchStarted } from "./testing/watchedSession.ts";

const EVENTS = `/api/runs/${RUN}/events?after=`;
const WORDS = ["Привет", ", ", "мир ", "🌍"];
const FRAMES = framesOf(answerOf(WORDS));

let machine: ScriptedMachine;

beforeEach(() => {
  vi.useFakeTimers();
  machine = scriptMachine();
});

afterEach(() => {
  vi.useRealTimers();
});

const start = (more?: StartOptions): Watched => watchStart(machine, more);
const started = (more?: StartOptions): Promise<Watched> => watchStarted(machine, more);

describe("stopping", () => {
  const cancel = `POST /api/runs/${RUN}/cancel`;

  test("stops the run, keeps its text and is no error", async () => {
    const { session } = await started();
    const line = machine.fetch.last;
    line.send(FRAMES.slice(0, 3).join(""));
    await pass();
    const cancelled = session.cancel();
    await pass();
    expect(machine.fetch.log.at(-1)).toBe(cancel);
    machine.fetch.last.json({ status: "cancelled" });
    line.send(
      sse(4, "text-end", { part: "t", cut: true }) + sse(5, "run-end", { outcome: "cancelled" }),
    );
    const result = await session.done;
    await cancelled;

    expect([result.state, textOf(result.message), result.error]).toEqual([
      "cancelled",
      WORDS[0],
      null,
    ]);
  });

  test("is tried again when its request is lost", async () => {
    const { session } = await started();
    void session.cancel();
    await pass();
    machine.fetch.last.fail();
    await pass(500);

    expect(machine.fetch.log.filter((line) => line === cancel)).toHaveLength(2);
  });

  test("that the server never hears of is said to whoever asked", async () => {
    const { session } = await started();
    const cancelled = session.cancel();
    const failing = expect(cancelled).rejects.toThrow(ConnectionLost);
    for (let tries = 0; tries < 6; tries += 1) {
      await pass();
      machine.fetch.last.fail();
      await pass(30_000);
      machine.fetch.calls[1]?.send(HEARTBEAT);
    }

    await failing;
  });

  test("before the start was answered stops the run as soon as it has a name", async () => {
    const { session } = start();
    await pass();
    void session.cancel();
    machine.fetch.last.json({ id: RUN }, 201);
    await pass();
    const calls = machine.fetch.log.slice(1);
    expect(new Set(calls)).toEqual(new Set([cancel, `GET ${EVENTS}0`]));
    const [reading, cancelling] = machine.fetch.calls
      .slice(1)
      .toSorted((a, b) => a.method.localeCompare(b.method));
    cancelling?.json({ status: "cancelled" });
    reading?.stream();
    reading?.send(
      sse(1, "run-start", { run: RUN, version: 1 }) + sse(2, "run-end", { outcome: "cancelled" }),
    );

    expect((await session.done).state).toBe("cancelled");
  });

  test("before a start that fails sends it no second time", async () => {
    const { session } = start();
    await pass();
    const cancelled = session.cancel();
    machine.fetch.last.fail();
    await cancelled;
    await pass(60_000);

    expect(session.state).toBe("cancelled");
    expect(machine.fetch.calls.length).toBe(1);
  });

  test("before a start that is refused has nothing to stop", async () => {
    const { session } = start();
    await pass();
    const cancelled = session.cancel();
    machine.fetch.last.json({ error: { code: "model_not_found", message: "No." } }, 404);
    await cancelled;

    expect(await session.done).toMatchObject({ state: "lost", error: { code: "model_not_found" } });
  });

  test("twice, and after the end, is harmless", async () => {
    const { session } = await started();
    machine.fetch.last.send(FRAMES.join(""));
    await session.done;

    await session.cancel();
    await session.cancel();

    expect(machine.fetch.calls.length).toBe(2);
  });
});

describe("leaving", () => {
  test("drops the line and stops nothing", async () => {
    const { session, states } = await started();
    session.leave();
    const result = await session.done;

    expect([result.state, result.error]).toEqual(["left", null]);
    expect(machine.fetch.calls[1]?.isAborted).toBe(true);
    expect(machine.fetch.calls.length).toBe(2);
    expect(states.at(-1)).toBe("left");
  });

  test.each([true, false])("by a signal is no error (aborted before: %s)", async (before) => {
    const controller = new AbortController();
    if (before) controller.abort();
    const { session } = start({ signal: controller.signal });
    await pass();
    controller.abort();

    expect((await session.done).state).toBe("left");
    expect(machine.fetch.calls.length).toBe(before ? 0 : 1);
  });

  test("is not asked of a signal any more after the end", async () => {
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, "removeEventListener");
    const { session } = start({ signal });
    session.leave();
    await session.done;

    expect(removed).toHaveBeenCalledOnce();
  });
});

describe("a run that goes wrong", () => {
  test("says its own code and sentence", async () => {
    const { session } = await started();
    const failed = { outcome: "failed", code: "upstream_lost", message: "The model fell silent." };
    machine.fetch.last.send(
      sse(1, "run-start", { run: RUN, version: 1 }) + sse(2, "run-end", failed),
    );
    const result = await session.done;

    expect(result.state).toBe("failed");
    expect(result.error).toBeInstanceOf(RunFailed);
    expect([result.error?.code, result.error?.message]).toEqual([failed.code, failed.message]);
  });

  test("of a newer version is not guessed at", async () => {
    const { session } = await started();
    machine.fetch.last.send(sse(1, "run-start", { run: RUN, version: 2 }));

    expect((await session.done).error).toBeInstanceOf(VersionUnknown);
  });

  test("passes over kinds of later versions, and counts them", async () => {
    const { session } = await started();
    machine.fetch.last.send(FRAMES[0] + sse(2, "hologram", { depth: 3 }));
    await pass();

    expect(session.after).toBe("2");
    expect(session.state).toBe("open");
  });

  test.each([
    "event: text-delta\ndata: {\nid: 2\n\n",
    sse(2, "text-delta"),
    'event: text-start\ndata: {"part":"t"}\n\n',
  ])("in its bytes is read again after the last good event: %j", async (broken) => {
    const { session } = await started();
    machine.fetch.last.send(FRAMES[0] + broken);
    await pass(500);

    expect(machine.fetch.last.url).toBe(`${EVENTS}1`);
    expect(session.state).toBe("connecting");
  });

  test("with a frame over the bounds is given up, not asked for again", async () => {
    const { session, heard } = await started();
    machine.fetch.last.send(FRAMES[0] ?? "");
    machine.fetch.last.send(new Uint8Array(8 * 1024 * 1024 + 1).fill(0x78));
    const result = await session.done;

    expect(result.error).toBeInstanceOf(FrameTooLarge);
    expect(heard).toEqual(["1 run-start"]);
  });
});
