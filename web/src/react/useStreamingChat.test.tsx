// @vitest-environment happy-dom
import { act } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { ScriptedMachine } from "../core/testing/scriptedMachine.ts";
import { pass, scriptMachine } from "../core/testing/scriptedMachine.ts";
import type { StreamingChat, StreamingChatOptions } from "./useStreamingChat.ts";
import { useStreamingChat } from "./useStreamingChat.ts";

const HELLO = [{ role: "user", content: "Hello" }] as const;

let machine: ScriptedMachine;
let hook: StreamingChat;
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

async function show(options: StreamingChatOptions = {}): Promise<void> {
  function Probe(): null {
    hook = useStreamingChat({ environment: machine.environment, ...options });
    return null;
  }
  const root = createRoot(document.createElement("div"));
  await act(async () => root.render(<Probe />));
  unmount = () => act(async () => root.unmount());
}

function start(): Promise<void> {
  return act(async () => {
    void hook.startStream(HELLO);
    await pass();
  });
}

/** Answer the newest call. */
function answer(...frames: string[]): Promise<void> {
  return act(async () => {
    machine.fetch.last.stream();
    for (const frame of frames) machine.fetch.last.send(`data: ${frame}\n\n`);
    await pass(100);
  });
}

test("an answer streams, and ends", async () => {
  await show();
  await start();
  expect(hook.isStreaming).toBe(true);
  await answer('{"content":"One "}');
  expect(hook.response).toBe("One ");

  await act(async () => {
    machine.fetch.last.send('data: {"content":"two."}\n\ndata: [DONE]\n\n');
    await pass(100);
  });

  expect(hook).toMatchObject({ response: "One two.", isStreaming: false, error: null });
});

test("a cancel ends it, keeps the text, and is no error", async () => {
  await show();
  await start();
  await answer('{"content":"One "}');

  await act(async () => {
    hook.cancelStream();
    await pass(100);
  });

  expect(hook).toMatchObject({ response: "One ", isStreaming: false, error: null });
});

test("a start while one streams ends that one", async () => {
  await show();
  await start();
  await answer('{"content":"One "}');
  const first = machine.fetch.last;

  await start();
  await act(() => pass(100));
  await answer('{"content":"Another."}', "[DONE]");

  expect(first.isAborted).toBe(true);
  expect(hook).toMatchObject({ response: "Another.", isStreaming: false });
});

test("where it is wished, a start waits for its turn", async () => {
  await show({ whenBusy: "queue" });
  await start();
  await answer('{"content":"One."}');
  await start();
  const waiting = machine.fetch.calls.filter((call) => call.url === "/api/chat/stream").length;

  await act(async () => {
    machine.fetch.last.send("data: [DONE]\n\n");
    await pass(100);
  });
  await answer('{"content":"Two."}', "[DONE]");

  expect(waiting).toBe(1);
  expect(hook).toMatchObject({ response: "Two.", isStreaming: false });
});

test("a failure is told", async () => {
  await show();
  await start();

  await answer('{"error":"It broke.","code":"x"}');

  expect(hook.error?.message).toContain("It broke.");
  expect(hook.isStreaming).toBe(false);
});
