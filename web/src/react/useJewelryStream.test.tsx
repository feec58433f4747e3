// @vitest-environment happy-dom
import { act } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { JEWELRY_BLOCKS, JEWELRY_RUN } from "../core/testing/agentBodies.ts";
import type { ScriptedMachine } from "../core/testing/scriptedMachine.ts";
import { pass, scriptMachine } from "../core/testing/scriptedMachine.ts";
import type { JewelryStream } from "./useJewelryStream.ts";
import { useJewelryStream } from "./useJewelryStream.ts";

let machine: ScriptedMachine;
let hook: JewelryStream;
let unmount: () => Promise<void>;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.useFakeTimers();
  machine = scriptMachine();
});

afterEach(async () => {
  await unmount();
  vi.useRealTimers();
});

async function show(endpoint?: "consultation" | "orchestrator"): Promise<void> {
  function Probe(): null {
    hook = useJewelryStream("анна/1", endpoint, { environment: machine.environment });
    return null;
  }
  const root = createRoot(document.createElement("div"));
  await act(async () => root.render(<Probe />));
  unmount = () => act(async () => root.unmount());
}

async function ask(blocks: readonly string[]): Promise<void> {
  await act(async () => {
    void hook.sendMessage("Что в моде?", { explicit_task_type: "trend" });
    await pass();
    machine.fetch.last.stream({ "x-potok-run": JEWELRY_RUN });
    machine.fetch.last.send(blocks.join(""));
    await pass();
  });
}

test("the orchestrator's agents are told apart", async () => {
  await show("orchestrator");
  await ask(JEWELRY_BLOCKS.slice(0, 3));
  expect(machine.fetch.last.url).toBe(`/api/orchestrator/${encodeURIComponent("анна/1")}/stream`);
  expect(machine.fetch.last.body).toEqual({
    message: "Что в моде?",
    explicit_task_type: "trend",
  });
  expect(hook).toMatchObject({ status: "Обрабатываю запрос...", isLoading: true });

  await act(async () => {
    machine.fetch.last.send(JEWELRY_BLOCKS.slice(3).join(""));
    await pass();
  });

  expect(hook.responses).toEqual({ analysis: "Всего 800 клиентов", trend: "Броши" });
  expect(hook.response).toBe("ВсегоБроши 800 клиентов");
  expect(hook.metadata).toMatchObject({ completed_agents: ["analysis", "trend"] });
  expect(hook).toMatchObject({ isLoading: false, error: null });
});

test("a consultation has one response, and what breaks goes on", async () => {
  await show();
  await ask([`data: {"type":"token","content":"Я "}\nid: ${JEWELRY_RUN}.8\n\n`]);
  const first = machine.fetch.last;
  expect(first.url).toContain("/api/consultation/");

  await act(async () => {
    first.cut();
    await pass(2_000);
    machine.fetch.last.stream({ "x-potok-run": JEWELRY_RUN });
    machine.fetch.last.send(
      `data: {"type":"token","content":"ищу"}\nid: ${JEWELRY_RUN}.9\n\ndata: {"type":"done"}\n\n`,
    );
    await pass();
  });

  expect(machine.fetch.last.headers.get("last-event-id")).toBe(`${JEWELRY_RUN}.8`);
  expect(hook).toMatchObject({ response: "Я ищу", responses: {}, isLoading: false, error: null });
});

test("an error of the house is told", async () => {
  await show();
  await ask([`data: {"type":"error","error":"agent_failed","message":"Извините."}\n\n`]);

  expect(hook.error?.message).toContain("Извините.");
});
