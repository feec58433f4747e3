// @vitest-environment happy-dom
import { act } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { CODING_BLOCKS, CODING_RUN } from "../core/testing/agentBodies.ts";
import type { ScriptedMachine } from "../core/testing/scriptedMachine.ts";
import { pass, scriptMachine } from "../core/testing/scriptedMachine.ts";
import type { AgentStream } from "./useAgentStream.ts";
import { useAgentStream } from "./useAgentStream.ts";

const CODE = "def count(text): 🌍\n";

let machine: ScriptedMachine;
let hook: AgentStream;
let unmount: () => Promise<void>;

beforeEach(async () => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.useFakeTimers();
  machine = scriptMachine();
  function Probe(): null {
    hook = useAgentStream({ environment: machine.environment });
    return null;
  }
  const root = createRoot(document.createElement("div"));
  await act(async () => root.render(<Probe />));
  unmount = () => act(async () => root.unmount());
});

afterEach(async () => {
  await unmount();
  vi.useRealTimers();
});

function stillness(isWanted: boolean): void {
  vi.stubGlobal("matchMedia", () => ({ matches: isWanted }));
}

async function ask(...blocks: string[]): Promise<void> {
  await act(async () => {
    void hook.sendMessage("Посчитай слова", { mode: "code" });
    await pass();
    machine.fetch.last.stream({ "x-potok-run": CODING_RUN });
    machine.fetch.last.send(blocks.join(""));
    await pass();
  });
}

test("stages, tokens and metadata are told as they come", async () => {
  stillness(true);
  await ask(...CODING_BLOCKS.slice(0, 4));
  expect(machine.fetch.last.body).toEqual({ message: "Посчитай слова", mode: "code" });
  expect(hook).toMatchObject({ response: "def count", isLoading: true, metadata: null });
  expect(hook.stages.map((one) => `${one.stage} ${one.state}`)).toEqual([
    "planner started",
    "planner finished",
    "coder started",
  ]);

  await act(async () => {
    machine.fetch.last.send(CODING_BLOCKS.slice(4).join(""));
    await pass();
  });

  expect(hook).toMatchObject({ response: CODE, partialResponse: CODE, isLoading: false });
  expect(hook.metadata).toMatchObject({ task_id: CODING_RUN, iterations: 1 });
  expect(hook.error).toBeNull();
});

test("characters follow one after another where motion is wanted", async () => {
  stillness(false);
  await ask(...CODING_BLOCKS.slice(0, 5));
  expect(hook.response).toBe(CODE);
  expect(hook.partialResponse.length).toBeLessThan(CODE.length);

  const seen: string[] = [];
  for (let frame = 0; frame < 100 && hook.partialResponse !== CODE; frame += 1) {
    await act(() => pass(16));
    seen.push(hook.partialResponse);
  }

  expect(hook.partialResponse).toBe(CODE);
  expect(seen.every((text) => CODE.startsWith(text))).toBe(true);
  expect(new Set(seen).size).toBeGreaterThan(5);
});

test("a stop ends it, keeps what came, and is no error", async () => {
  stillness(true);
  await ask(...CODING_BLOCKS.slice(0, 4));

  await act(async () => {
    hook.stop();
    await pass();
  });

  expect(hook).toMatchObject({ response: "def count", isLoading: false, error: null });
  expect(machine.fetch.log).toContain(`POST /api/runs/${CODING_RUN}/cancel`);
});

test("a failure is told", async () => {
  stillness(true);
  const failure = `event: failure\ndata: {"code":"x","message":"Сломалось."}\n\n`;
  await ask(CODING_BLOCKS[0] ?? "", failure);

  expect(hook.error?.message).toContain("Сломалось.");
  expect(hook.isLoading).toBe(false);
});

test("another message begins anew", async () => {
  stillness(true);
  await ask(...CODING_BLOCKS);
  await ask(CODING_BLOCKS[0] ?? "");

  expect(hook).toMatchObject({ response: "", metadata: null, isLoading: true });
  expect(hook.stages).toHaveLength(1);
});
