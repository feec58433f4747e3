import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { ConnectionLost, RunFailed, ServerRefused, VersionUnknown } from "./errors.ts";
import { textOf } from "./fold.ts";
import type { RunState } from "./runReader.ts";
import type { RunSession, StartOptions } from "./session.ts";
import { resumeRun, startRun } from "./session.ts";
import { answerOf, framesOf, HEARTBEAT, RUN, sse } from "./testing/nativeFrames.ts";
import type { ScriptedMachine } from "./testing/scriptedMachine.ts";
import { pass, scriptMachine } from "./testing/scriptedMachine.ts";

const EVENTS = `/api/runs/${RUN}/events?after=`;
const REQUEST = { model: "demo", messages: [{ role: "user", content: "hi" }] };
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

interface Watched {
  session: RunSession;
  /** Every event that the listener heard, as `id kind`. */
  heard: string[];
  states: RunState[];
}

function watch(make: (options: StartOptions) => RunSession, more: StartOptions = {}): Watched {
  const heard: string[] = [];
  const states: RunState[] = [];
  const session = make({
    environment: machine.environment,
    onEvents: (events) => heard.push(...events.map(({ id, event }) => `${id} ${event.event}`)),
    onState: (state) => states.push(state),
    ...more,
  });
  return { session, heard, states };
}

const start = (more?: StartOptions): Watched => watch((options) => startRun(REQUEST, options), more);
const resume = (after?: string, more?: StartOptions): Watched =>
  watch((options) => resumeRun(RUN, after === undefined ? options : { ...options, after }), more);

/** Bring a new session to its first open line. */
async function started(more?: StartOptions): Promise<Watched> {
  const watched = start(more);
  await pass();
  machine.fetch.last.json({ id: RUN, status: "running" }, 201);
  await pass();
  machine.fetch.last.stream();
  await pass();
  return watched;
}

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

  test("counts silence by the interval that the server tells", async () => {
    const { session } = resume();
    await pass();
    machine.fetch.last.stream({ "x-potok-heartbeat": "2" });
    await pass();

    await pass(6_000);

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

  test("follows the server's wish for the wait", async () => {
    await started();
    machine.fetch.last.send("retry: 8000\n\n");
    await pass();
    machine.fetch.last.cut();

    await pass(3_999);
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
    expect([result.error?.code, result.error?.message]).toEqual(["model_not_found", "No such model."]);
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

    const session = resumeRun(RUN, { after: after ?? "", message, environment: machine.environment });
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
    message: { role: "assistant", text: "Whole so far", parts: [{ type: "text", id: "t", text: "Whole so far" }] },
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
    line.send(sse(4, "text-end", { part: "t", cut: true }) + sse(5, "run-end", { outcome: "cancelled" }));
    const result = await session.done;
    await cancelled;

    expect([result.state, textOf(result.message), result.error]).toEqual(["cancelled", WORDS[0], null]);
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
    const [reading, cancelling] = machine.fetch.calls.slice(1).toSorted((a, b) => a.method.localeCompare(b.method));
    cancelling?.json({ status: "cancelled" });
    reading?.stream();
    reading?.send(sse(1, "run-start", { run: RUN, version: 1 }) + sse(2, "run-end", { outcome: "cancelled" }));

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
});

describe("a run that goes wrong", () => {
  test("says its own code and sentence", async () => {
    const { session } = await started();
    const failed = { outcome: "failed", code: "upstream_lost", message: "The model fell silent." };
    machine.fetch.last.send(sse(1, "run-start", { run: RUN, version: 1 }) + sse(2, "run-end", failed));
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

  test.each(["event: text-delta\ndata: {\nid: 2\n\n", sse(2, "text-delta"), "event: text-end\ndata: {}\n\n"])(
    "in its bytes is read again after the last good event: %j",
    async (broken) => {
      const { session } = await started();
      machine.fetch.last.send(FRAMES[0] + broken);
      await pass(500);

      expect(machine.fetch.last.url).toBe(`${EVENTS}1`);
      expect(session.state).toBe("connecting");
    },
  );

  test("with a frame over the bounds is given up, not asked for again", async () => {
    const { session, heard } = await started();
    machine.fetch.last.send(FRAMES[0] ?? "");
    machine.fetch.last.send(new Uint8Array(8 * 1024 * 1024 + 1).fill(0x78));
    const result = await session.done;

    expect(result.error?.code).toBe("frame_too_large");
    expect(heard).toEqual(["1 run-start"]);
  });
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

test("a proxy that holds the stream back is noticed", async () => {
  const { session } = await started();
  const line = machine.fetch.last;
  for (const _ of [1, 2]) {
    await pass(40_000);
    line.send(HEARTBEAT + HEARTBEAT);
    await pass();
  }

  expect(session.isBuffered).toBe(true);
});
