import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { ConnectionLost, ServerRefused } from "./errors.ts";
import { textOf } from "./fold.ts";
import type { StartOptions } from "./session.ts";
import { resumeRun } from "./session.ts";
import { answerOf, framesOf, HEARTBEAT, RUN, sse } from "./testing/nativeFrames.ts";
import type { ScriptedMachine } from "./testing/scriptedMachine.ts";
import { pass, scriptMachine } from "./testing/scriptedMachine.ts";
import type { Watched } from "./testing/watchedSession.ts";
import { REQUEST, watchResume, watchStart, watchStarted } from "./testing/watchedSession.ts";

const EVENTS = `/api/runs/${RUN}/events?after=`;
const WORDS = ["Привет", ", ", "мир ", "🌍"];
const ANSWER = answerOf(WORDS);
const FRAMES = framesOf(ANSWER);
const encoder = new TextEncoder();

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
const resume = (after?: string, more?: StartOptions): Watched => watchResume(machine, after, more);

const ALL = ANSWER.map(([kind], index) => `${index + 1} ${kind}`);

describe("a run that nothing disturbs", () => {
  test("is started with a key, read from its start, and finished", async () => {
    const { session, heard, states } = await started();

    machine.fetch.last.send(FRAMES.join(""));
    await pass();

    const result = await session.done;
    expect(machine.fetch.log).toEqual(["POST /api/runs", `GET ${EVENTS}0`]);
    expect(machine.fetch.calls[0]?.headers.get("idempotency-key")).toBe("key-1");
    expect(machine.fetch.calls[0]?.headers.get("x-potok-on-disconnect")).toBe("keep");
    expect(machine.fetch.calls[0]?.body).toEqual(REQUEST);
    expect(heard).toEqual(ALL);
    expect(states).toEqual(["starting", "connecting", "open", "finished"]);
    expect([result.state, textOf(result.message), result.error]).toEqual([
      "finished",
      WORDS.join(""),
      null,
    ]);
  });

  test("is read the same wherever its bytes are cut", async () => {
    const body = encoder.encode(HEARTBEAT + FRAMES.join(HEARTBEAT));

    for (let cut = 0; cut <= body.length; cut += 1) {
      const { session, heard } = resume();
      await pass();
      const call = machine.fetch.last;
      call.stream();
      call.send(body.subarray(0, cut));
      await pass();
      call.send(body.subarray(cut));
      await pass();
      expect(heard, `cut at ${cut}`).toEqual(ALL);
      expect(textOf(session.message)).toBe(WORDS.join(""));
    }
  });

  test("tells its listener once for all events of one piece", async () => {
    const onEvents = vi.fn();
    await started({ onEvents });

    machine.fetch.last.send(FRAMES.join(""));
    await pass();

    expect(onEvents).toHaveBeenCalledTimes(1);
  });

  test("leaves nothing behind: no timer, no watcher, no open body", async () => {
    const { session } = await started();
    machine.fetch.last.send(FRAMES.join(""));
    await session.done;

    expect(vi.getTimerCount()).toBe(0);
    expect(machine.watchers.size).toBe(0);
    expect(machine.fetch.last.isAborted).toBe(true);
  });

  test("carries the caller's headers and address to every request", async () => {
    await started({ baseUrl: "https://potok.test/", headers: { Authorization: "Bearer k" } });

    expect(machine.fetch.log).toEqual([
      "POST https://potok.test/api/runs",
      `GET https://potok.test${EVENTS}0`,
    ]);
    const keys = machine.fetch.calls.map((call) => call.headers.get("authorization"));
    expect(keys).toEqual(["Bearer k", "Bearer k"]);
  });
});

describe("a line that is lost", () => {
  test.each(["cut", "close"] as const)(
    "is opened again after the last event, whatever it broke in: %s",
    async (end) => {
      for (let cut = 0; cut < FRAMES.length; cut += 1) {
        const { session, heard } = await started();
        machine.fetch.last.send(FRAMES.slice(0, cut).join(""));
        machine.fetch.last.send("event: text-delta\ndata: {");
        await pass();
        machine.fetch.last[end]();
        await pass(500);
        expect(machine.fetch.last.url, `after ${cut}`).toBe(`${EVENTS}${cut}`);
        machine.fetch.last.stream();
        machine.fetch.last.send(FRAMES.slice(cut).join(""));
        await session.done;
        expect(heard, `after ${cut}`).toEqual(ALL);
      }
    },
  );

  test("waits longer from try to try, and says so", async () => {
    const { session, states } = await started();
    const waits: number[] = [];

    machine.fetch.last.cut();
    for (const wait of [500, 1_000, 2_000]) {
      await pass(wait - 1);
      waits.push(machine.fetch.calls.length);
      await pass(1);
      waits.push(machine.fetch.calls.length);
      machine.fetch.last.fail();
    }
    await pass();

    expect(waits).toEqual([2, 3, 3, 4, 4, 5]);
    expect(session.tries).toBe(4);
    expect(states.slice(-3)).toEqual(["waiting", "connecting", "waiting"]);
  });

  test("again and again keeps its place", async () => {
    const { session, heard } = await started();
    machine.fetch.last.send(FRAMES.slice(0, 3).join(""));
    await pass();
    machine.fetch.last.cut();
    await pass(500);
    machine.fetch.last.fail();
    await pass(1_000);
    machine.fetch.last.stream();
    await pass();
    machine.fetch.last.close();
    await pass(2_000);
    machine.fetch.last.stream();
    machine.fetch.last.send(FRAMES.slice(3).join(""));
    await session.done;

    expect(machine.fetch.log.slice(2)).toEqual(Array(3).fill(`GET ${EVENTS}3`));
    expect(heard).toEqual(ALL);
  });

  test("that sends events twice gives each of them once", async () => {
    const { session, heard } = await started();
    machine.fetch.last.send(FRAMES.slice(0, 3).join(""));
    await pass();
    machine.fetch.last.cut();
    await pass(500);

    machine.fetch.last.stream();
    machine.fetch.last.send(FRAMES.slice(1).join(""));
    await session.done;

    expect(heard).toEqual(ALL);
    expect(textOf(session.message)).toBe(WORDS.join(""));
  });

  test("that stays silent for three heartbeats is dropped and opened again", async () => {
    await started();
    const dead = machine.fetch.last;

    await pass(75_000);
    expect(dead.isAborted).toBe(true);
    await pass(500);

    expect(machine.fetch.last).not.toBe(dead);
  });

  test("that shows heartbeats is kept, however long the model thinks", async () => {
    await started();
    const line = machine.fetch.last;

    for (let minute = 0; minute < 10; minute += 1) {
      line.send(HEARTBEAT);
      await pass(60_000);
    }

    expect(line.isAborted).toBe(false);
  });

  test.each([
    ["2", 6_000],
    ["0", 75_000],
    ["soon", 75_000],
  ])("counts silence by the interval that the server tells: %s", async (told, milliseconds) => {
    const { session } = resume();
    await pass();
    machine.fetch.last.stream({ "x-potok-heartbeat": told });
    await pass(milliseconds - 1);
    expect(session.state).toBe("open");
    await pass(1);

    expect(session.state).toBe("waiting");
  });

  test("comes back at once when the page is looked at again", async () => {
    await started();
    machine.fetch.last.cut();
    await pass();
    machine.signal("visible");
    await pass();

    expect(machine.fetch.calls.length).toBe(3);
  });

  test("that a phone froze is replaced when the page is looked at again", async () => {
    await started();
    const frozen = machine.fetch.last;
    await pass(30_000);

    machine.signal("visible");
    await pass();

    expect([frozen.isAborted, machine.fetch.calls.length]).toEqual([true, 3]);
  });

  test.each([
    ["retry: 8000\n", 4_000],
    ["", 500],
  ])("follows the server's wish for the wait: %j", async (wish, wait) => {
    await started();
    machine.fetch.last.send(`${FRAMES[0] ?? ""}${wish}\n`);
    await pass();
    machine.fetch.last.cut();

    await pass(wait - 1);
    expect(machine.fetch.calls.length).toBe(2);
    await pass(1);
    expect(machine.fetch.calls.length).toBe(3);
  });

  test("for good is said, and what came before stays", async () => {
    const { session } = await started({ rules: { triesMax: 2 } });
    machine.fetch.last.send(FRAMES.slice(0, 3).join(""));
    await pass();
    machine.fetch.last.cut();
    for (const wait of [500, 1_000]) {
      await pass(wait);
      machine.fetch.last.fail();
    }
    const result = await session.done;

    expect(result.state).toBe("lost");
    expect(result.error).toBeInstanceOf(ConnectionLost);
    expect(result.error?.message).toContain("failed to fetch");
    expect(textOf(result.message)).toBe(WORDS[0]);
    expect(session.after).toBe("3");
  });
});

describe("a start", () => {
  test("whose answer was lost is sent again with the same key", async () => {
    start({ idempotencyKey: "mine" });
    await pass();
    machine.fetch.last.fail();
    await pass(500);

    expect(machine.fetch.log).toEqual(["POST /api/runs", "POST /api/runs"]);
    expect(machine.fetch.calls.map((call) => call.headers.get("idempotency-key"))).toEqual([
      "mine",
      "mine",
    ]);
  });

  test("is not sent again once it was answered, even if its first line fails", async () => {
    start();
    await pass();
    machine.fetch.last.json({ id: RUN }, 201);
    await pass();
    machine.fetch.last.fail();
    await pass(500);

    expect(machine.fetch.log.slice(1)).toEqual([`GET ${EVENTS}0`, `GET ${EVENTS}0`]);
  });

  test("that the server refuses is not sent again", async () => {
    const { session } = start();
    await pass();
    const error = { code: "model_not_found", message: "No such model.", param: "model" };
    machine.fetch.last.json({ error }, 404);
    const result = await session.done;

    expect(result.state).toBe("lost");
    expect(result.error).toBeInstanceOf(ServerRefused);
    expect([result.error?.code, result.error?.message]).toEqual([
      "model_not_found",
      "No such model.",
    ]);
    expect(machine.fetch.calls.length).toBe(1);
  });

  test("that a busy server sends away waits as long as it was told", async () => {
    start();
    await pass();
    machine.fetch.last.json({ error: { code: "upstream_busy" } }, 503, { "retry-after": "7" });
    await pass(7_499);
    expect(machine.fetch.calls.length).toBe(1);
    await pass(1);

    expect(machine.fetch.calls.length).toBe(2);
  });

  test("that something else than Potok answers is tried again, not believed", async () => {
    start();
    await pass();
    machine.fetch.last.json({ hello: "I am a captive portal" });
    await pass(500);

    expect(machine.fetch.log).toEqual(["POST /api/runs", "POST /api/runs"]);
  });
});

describe("an answer that is no stream", () => {
  test("is not taken for an empty one", async () => {
    const { session } = resume();
    await pass();
    machine.fetch.last.json({ hello: "I am a captive portal" });
    await pass();

    expect(session.state).toBe("waiting");
  });
});

describe("a run that was read before", () => {
  test("goes on from a stored place and a stored message", async () => {
    const first = await started();
    machine.fetch.last.send(FRAMES.slice(0, 4).join(""));
    await pass();
    const { after, message } = first.session;
    first.session.leave();

    const session = resumeRun(RUN, {
      after: after ?? "",
      message,
      environment: machine.environment,
    });
    await pass();
    machine.fetch.last.stream();
    machine.fetch.last.send(FRAMES.slice(4).join(""));
    const result = await session.done;

    expect(machine.fetch.last.url).toBe(`${EVENTS}4`);
    expect(textOf(result.message)).toBe(WORDS.join(""));
  });

  test("to its end learns the outcome from the run's state", async () => {
    const { session } = resume("8");
    await pass();
    machine.fetch.last.json(null, 204);
    await pass();
    machine.fetch.last.json({ offset: "8", status: "cancelled", message: { text: "", parts: [] } });
    const result = await session.done;

    expect(result.state).toBe("cancelled");
    expect(machine.fetch.last.url).toBe(`/api/runs/${RUN}`);
  });

  test("to its end, and whose state is gone, too, is lost", async () => {
    const { session } = resume("8");
    await pass();
    machine.fetch.last.json(null, 204);
    await pass();
    machine.fetch.last.json({ error: { code: "run_not_found", message: "No run." } }, 404);

    expect(await session.done).toMatchObject({ state: "lost", error: { code: "run_not_found" } });
  });

  test("and is another's now cannot be told from one that never was", async () => {
    const { session } = resume("3");
    await pass();
    machine.fetch.last.json({ error: { code: "run_not_found", message: "No run." } }, 404);

    expect((await session.done).error?.code).toBe("run_not_found");
  });
});

describe("a gap", () => {
  const expired = {
    error: {
      code: "offset_expired",
      message: "Gone.",
      first: "9",
      snapshot: `/api/runs/${RUN}`,
    },
  };
  const snapshot = {
    id: RUN,
    status: "running",
    offset: "20",
    message: {
      role: "assistant",
      text: "Whole so far",
      parts: [{ type: "text", id: "t", text: "Whole so far" }],
    },
    usage: null,
    error: null,
  };

  test("is said and filled from the snapshot, and reading goes on behind it", async () => {
    const onGap = vi.fn();
    const { session, heard, states } = resume("3", { onGap });
    await pass();
    machine.fetch.last.json(expired, 410);
    await pass();
    machine.fetch.last.json(snapshot);
    await pass();
    machine.fetch.last.stream();
    machine.fetch.last.send(sse(21, "text-delta", { part: "t", text: "!" }));
    await pass();

    expect(machine.fetch.log).toEqual([
      `GET ${EVENTS}3`,
      `GET /api/runs/${RUN}`,
      `GET ${EVENTS}20`,
    ]);
    expect(onGap).toHaveBeenCalledExactlyOnceWith({ first: "9", message: session.message });
    expect(textOf(session.message)).toBe("Whole so far!");
    expect(heard).toEqual(["21 text-delta"]);
    expect(states).toContain("mending");
  });

  test("in the middle of a line is never passed over", async () => {
    const { session, heard } = await started();
    machine.fetch.last.send(FRAMES[0] + sse(4, "text-delta", { part: "t", text: "lost its head" }));
    await pass();
    machine.fetch.last.json({ ...snapshot, status: "finished" });
    const result = await session.done;

    expect(heard).toEqual(["1 run-start"]);
    expect([result.state, textOf(result.message)]).toEqual(["finished", "Whole so far"]);
  });

  test("is filled from the path that the server names", async () => {
    resume("3");
    await pass();
    const snapshot = `/api/runs/${RUN}?whole=1`;
    machine.fetch.last.json({ error: { ...expired.error, snapshot } }, 410);
    await pass();

    expect(machine.fetch.last.url).toBe(snapshot);
  });

  test.each([{ ...snapshot, offset: undefined }, { ...snapshot, message: null }, []])(
    "is not filled from what is no run's state: %j",
    async (state) => {
      const { session } = resume("3");
      await pass();
      machine.fetch.last.json(expired, 410);
      await pass();
      machine.fetch.last.json(state);
      await pass();
      expect(session.state).toBe("waiting");
      await pass(500);

      expect(machine.fetch.last.url).toBe(`/api/runs/${RUN}`);
    },
  );

  test("whose snapshot is on another host does not send our key there", async () => {
    resume("3", { headers: { Authorization: "Bearer k" } });
    await pass();
    const snapshot = "https://evil.test/api";
    machine.fetch.last.json({ error: { ...expired.error, snapshot } }, 410);
    await pass();

    expect(machine.fetch.last.url).toBe(`/api/runs/${RUN}`);
  });

  test("that the store tore ends it with its own code", async () => {
    const { session } = resume("3");
    await pass();
    machine.fetch.last.json({ error: { code: "log_lost", message: "Lost." } }, 410);

    expect((await session.done).error?.code).toBe("log_lost");
  });
});

test("events are told before the end that they lead to", async () => {
  const told: string[] = [];
  const { session } = await started({
    onEvents: (events) => told.push(`${events.length} events`),
    onState: (state) => told.push(state),
  });
  machine.fetch.last.send(FRAMES.join(""));
  await session.done;

  expect(told.slice(-2)).toEqual(["8 events", "finished"]);
});

test("a listener that throws is reported and stops nothing", async () => {
  const { session } = await started({
    onEvents: () => {
      throw new Error("mine");
    },
  });
  machine.fetch.last.send(FRAMES.join(""));

  expect((await session.done).state).toBe("finished");
  expect(machine.reported).toEqual([new Error("mine")]);
});

test.each([
  [HEARTBEAT + HEARTBEAT, true],
  [HEARTBEAT, false],
  ["", false],
])("a proxy that holds the stream back is noticed: %j", async (late, isBuffered) => {
  const { session, states } = await started();
  for (const frame of FRAMES.slice(0, 4)) {
    await pass(20_000);
    machine.fetch.last.send(late);
    await pass(20_000);
    machine.fetch.last.send(frame);
    await pass();
  }

  expect(session.isBuffered).toBe(isBuffered);
  expect(states).toEqual(["starting", "connecting", "open"]);
});
