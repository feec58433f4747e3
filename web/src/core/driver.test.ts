import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Ending, Line, Port } from "./driver.ts";
import { Driver } from "./driver.ts";
import { FrameTooLarge, ServerRefused } from "./errors.ts";
import type { ScriptedMachine } from "./testing/scriptedMachine.ts";
import { pass, scriptMachine } from "./testing/scriptedMachine.ts";

let machine: ScriptedMachine;
let lines: Line[];
let changes: string[];
let endings: Ending[];

beforeEach(() => {
  vi.useFakeTimers();
  machine = scriptMachine();
  [lines, changes, endings] = [[], [], []];
});

afterEach(() => {
  vi.useRealTimers();
});

/** A driver whose lines stay as they are until the test tells something over them. */
async function drive(port: Partial<Port> = {}, triesMax = 10): Promise<Driver> {
  const driver: Driver = new Driver(
    machine.environment,
    {
      open: (_after, line) => void lines.push(line),
      changed: () => changes.push(driver.state),
      ended: (ending) => endings.push(ending),
      ...port,
    },
    { after: "0", rules: { triesMax } },
  );
  driver.begin();
  await pass();
  return driver;
}

const lineAt = (index: number): Line => lines.at(index) as Line;

test("says each change once, and the end by itself", async () => {
  await drive();

  lineAt(0).tell({ input: "opened" });
  lineAt(0).tell({ input: "heartbeat_seen" });
  lineAt(0).tell({ input: "received", id: "1" });
  lineAt(0).tell({ input: "received", id: "2", isEnd: true });

  expect(changes).toEqual(["connecting", "open"]);
  expect(endings).toEqual([{ how: "run-end", error: null }]);
});

test.each(["closed", "failed"] as const)("a line that said %s is heard no more", async (input) => {
  const driver = await drive();
  lineAt(0).tell({ input: "opened" });
  lineAt(0).tell(input === "failed" ? { input, kind: "network" } : { input });
  const take = vi.fn();

  lineAt(0).tell({ input: "received", id: "1" }, take);

  expect([lineAt(0).isCurrent, lineAt(0).signal.aborted, driver.state]).toEqual([
    false,
    true,
    "waiting",
  ]);
  expect(take).not.toHaveBeenCalled();
});

test("a line that comes too late is not opened", async () => {
  const driver = await drive();
  lineAt(0).tell({ input: "closed" });
  vi.advanceTimersByTime(500);
  driver.cancel();
  await pass();

  expect(lines).toHaveLength(1);
});

test("there is one line at a time", async () => {
  await drive();
  await pass(30_000);
  await pass(500);

  expect(lines.map((line) => [line.isCurrent, line.signal.aborted])).toEqual([
    [false, true],
    [true, false],
  ]);
});

test("there is one timer at a time", async () => {
  await drive();
  lineAt(0).tell({ input: "opened" });
  expect(vi.getTimerCount()).toBe(1);
  lineAt(0).tell({ input: "closed" });

  expect(vi.getTimerCount()).toBe(1);
});

test("a port that throws has lost its line", async () => {
  const driver = await drive({
    open: () => {
      throw new TypeError("no such host");
    },
  });

  expect([driver.state, driver.lastError?.message]).toEqual(["waiting", "no such host"]);
});

test("what a dropped line throws later is nobody's fault", async () => {
  let fail: (error: Error) => void = () => undefined;
  const driver = await drive({ open: () => new Promise((_, reject) => (fail = reject)) });
  driver.cancel();
  fail(new Error("late"));
  await pass();

  expect(driver.lastError).toBeNull();
});

test("a frame over the bounds ends it with that very error", async () => {
  const fault = new FrameTooLarge("SSE line", 8);
  await drive({ open: () => Promise.reject(fault) });

  expect(endings).toEqual([{ how: "lost", error: fault }]);
});

test("a refusal ends it with that very error", async () => {
  const error = new ServerRefused({
    status: 404,
    code: "run_not_found",
    message: "No run.",
    retryAfterSeconds: null,
    isFinal: false,
    facts: {},
  });
  await drive({ open: () => Promise.reject(error) });

  expect(endings).toEqual([{ how: "lost", error }]);
});

test("a refusal without its words still says its code", async () => {
  await drive();
  lineAt(0).tell({ input: "refused", status: 403 });

  expect(endings[0]?.error).toMatchObject({ code: "http_403", status: 403 });
});

test("spent tries name what broke the last one", async () => {
  await drive({ open: () => Promise.reject(new TypeError("no such host")) }, 0);

  expect(endings[0]?.error).toMatchObject({ code: "connection_lost" });
  expect(endings[0]?.error?.message).toContain("no such host");
  expect(endings[0]?.error?.cause).toBeInstanceOf(TypeError);
});

test("nothing is kept after the end", async () => {
  const driver = await drive();
  driver.cancel();
  driver.cancel();

  expect([vi.getTimerCount(), machine.watchers.size, endings.length]).toEqual([0, 0, 1]);
});
