import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { environmentWith, MACHINE } from "./environment.ts";
import type { MachineSignal } from "./environment.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("parts of the machine can be replaced", () => {
  const random = (): number => 0.25;

  const environment = environmentWith({ random });

  expect([environment.random, environment.setTimer]).toEqual([random, MACHINE.setTimer]);
});

test("a timer rings once, and not before its time", () => {
  const ring = vi.fn();
  MACHINE.setTimer(ring, 100);
  MACHINE.clearTimer(MACHINE.setTimer(ring, 50));

  vi.advanceTimersByTime(99);
  expect(ring).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000);
  expect(ring).toHaveBeenCalledOnce();
});

test.each([2 ** 31, Number.POSITIVE_INFINITY])("a timer of %d ms does not ring at once", (ms) => {
  const ring = vi.fn();
  MACHINE.setTimer(ring, ms);

  vi.advanceTimersByTime(1_000);

  expect(ring).not.toHaveBeenCalled();
});

test("keys are long and never the same", () => {
  const keys = Array.from({ length: 100 }, () => MACHINE.newKey());

  expect(new Set(keys).size).toBe(100);
  expect(keys.every((key) => /^[0-9a-f]{32}$/.test(key))).toBe(true);
});

test("without a page there is nothing to watch", () => {
  expect(MACHINE.watch(() => undefined)).not.toThrow();
});

describe("a page", () => {
  const machine = new EventTarget();
  const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });

  beforeEach(() => {
    vi.stubGlobal("document", page);
    vi.stubGlobal("addEventListener", machine.addEventListener.bind(machine));
    vi.stubGlobal("removeEventListener", machine.removeEventListener.bind(machine));
  });

  function show(state: string): void {
    page.visibilityState = state;
    page.dispatchEvent(new Event("visibilitychange"));
  }

  test("says that it is online, offline, or looked at, until nobody listens", () => {
    const heard: MachineSignal[] = [];
    const stop = MACHINE.watch((signal) => heard.push(signal));
    const happen = (): void => {
      machine.dispatchEvent(new Event("offline"));
      machine.dispatchEvent(new Event("online"));
      show("visible");
    };

    happen();
    stop();
    happen();

    expect(heard).toEqual(["offline", "online", "visible"]);
  });

  test("that is hidden says nothing", () => {
    const hear = vi.fn();
    const stop = MACHINE.watch(hear);

    show("hidden");
    stop();

    expect(hear).not.toHaveBeenCalled();
  });
});
