import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { AgentEnding, AgentFrame } from "./agentWire.ts";
import { streamAgent } from "./agentWire.ts";
import { RunFailed } from "./errors.ts";
import { CODING_BLOCKS, CODING_RUN, JEWELRY_BLOCKS, JEWELRY_RUN } from "./testing/agentBodies.ts";
import type { ScriptedMachine } from "./testing/scriptedMachine.ts";
import { pass, scriptMachine } from "./testing/scriptedMachine.ts";

const REQUEST = { path: "/api/agent/stream", body: { message: "Привет", mode: "code" } };
const encoder = new TextEncoder();
// Longer than the longest wait before the second try.
const WAIT = 2_000;

let machine: ScriptedMachine;

beforeEach(() => {
  vi.useFakeTimers();
  machine = scriptMachine();
});

afterEach(() => {
  vi.useRealTimers();
});

interface Listening {
  readonly heard: AgentFrame[];
  readonly done: Promise<AgentEnding>;
}

async function opened(headers: Record<string, string>, signal?: AbortSignal): Promise<Listening> {
  const heard: AgentFrame[] = [];
  const { environment } = machine;
  const more = signal === undefined ? {} : { signal };
  const done = streamAgent(REQUEST, (frame) => heard.push(frame), { environment, ...more });
  await pass();
  machine.fetch.last.stream(headers);
  await pass();
  return { heard, done };
}

/** What a server still has to write after the id that a reader names. */
function blocksAfter(blocks: readonly string[], id: string | null): string {
  const at = blocks.findIndex((block) => block.includes(`\nid: ${id ?? ""}\n`));
  return blocks.slice(at + 1).join("");
}

/** The id of the last block that is whole. */
function lastIdIn(bytes: Uint8Array): string | null {
  const blocks = new TextDecoder().decode(bytes).split("\n\n").slice(0, -1);
  return /\nid: (.*)$/.exec(blocks.at(-1) ?? "")?.[1] ?? null;
}

function framesOf(blocks: readonly string[]): AgentFrame[] {
  return blocks.map((block) => {
    const name = /^event: (\w+)/.exec(block)?.[1];
    const fields = JSON.parse(/data: (.*)/.exec(block)?.[1] ?? "") as Record<string, string>;
    return { name: name ?? fields["type"] ?? "", fields };
  });
}

const RECORDED = [
  ["the coding agent", CODING_BLOCKS, CODING_RUN],
  ["the jewelry house", JEWELRY_BLOCKS, JEWELRY_RUN],
] as const;

test.each(RECORDED)(
  "the frames of %s are told, wherever their bytes are cut",
  async (_, blocks) => {
    const body = encoder.encode(blocks.join(""));
    const wanted = framesOf(blocks);
    for (let cut = 0; cut <= body.length; cut += 1) {
      machine = scriptMachine();
      const { heard, done } = await opened({});
      machine.fetch.last.send(body.subarray(0, cut));
      await pass();
      machine.fetch.last.send(body.subarray(cut));

      expect((await done).how).toBe("complete");
      expect(heard).toEqual(wanted);
    }
  },
);

test.each(RECORDED)(
  "a stream of %s that breaks anywhere goes on behind its last frame",
  async (_, blocks, run) => {
    const body = encoder.encode(blocks.join(""));
    const wanted = framesOf(blocks);
    for (let cut = 0; cut < body.length - 1; cut += 3) {
      machine = scriptMachine();
      const { heard, done } = await opened({ "x-potok-run": run });
      const first = machine.fetch.last;
      first.send(body.subarray(0, cut));
      await pass();
      first.cut();
      await pass(WAIT);
      const second = machine.fetch.last;
      expect(second).not.toBe(first);
      expect(second.headers.get("last-event-id")).toBe(lastIdIn(body.subarray(0, cut)));
      expect(second.headers.get("idempotency-key")).toBe(first.headers.get("idempotency-key"));
      second.stream({ "x-potok-run": run });
      second.send(blocksAfter(blocks, second.headers.get("last-event-id")));

      expect(await done).toEqual({ how: "complete", run });
      expect(heard).toEqual(wanted);
    }
  },
);

test("a request carries the body as it is, and asks to be kept", async () => {
  await opened({});

  const { method, url, body, headers } = machine.fetch.last;
  expect([method, url, body]).toEqual(["POST", "/api/agent/stream", REQUEST.body]);
  expect(headers.get("x-potok-on-disconnect")).toBe("keep");
  expect(headers.get("last-event-id")).toBeNull();
});

test.each([
  [
    `event: failure\ndata: {"code":"agent_failed","message":"No."}\nid: run0000000000001.3\n\n`,
    "agent_failed",
  ],
  [
    `data: {"type":"error","error":"agent_failed","message":"No."}\nid: run0000000000001.3\n\n`,
    "agent_failed",
  ],
  [`event: failure\ndata: {}\nid: run0000000000001.3\n\n`, "failed"],
])("a failure is an error with its code: %s", async (frame, code) => {
  const { heard, done } = await opened({});
  machine.fetch.last.send(frame);

  const ending = await done;
  expect(ending.how === "error" && (ending.error as RunFailed).code).toBe(code);
  expect(heard).toHaveLength(1);
});

test("an abort stops the run, is no error, and nothing more is told", async () => {
  const controller = new AbortController();
  const { heard, done } = await opened({ "x-potok-run": CODING_RUN }, controller.signal);
  machine.fetch.last.send(CODING_BLOCKS[0] ?? "");
  await pass();

  controller.abort();
  machine.fetch.last.send(CODING_BLOCKS[1] ?? "");
  await pass();

  expect(await done).toEqual({ how: "aborted", run: CODING_RUN });
  expect(heard).toHaveLength(1);
  expect(machine.fetch.log).toContain(`POST /api/runs/${CODING_RUN}/cancel`);
});

test("a refusal is an error that is not tried again", async () => {
  const heard: AgentFrame[] = [];
  const { environment } = machine;
  const done = streamAgent(REQUEST, (frame) => heard.push(frame), { environment });
  await pass();
  machine.fetch.last.json(
    { type: "error", error: "invalid_request", message: "Напишите сообщение." },
    400,
  );
  await pass(WAIT);

  const ending = await done;
  expect(ending.how === "error" && ending.error.message).toContain("Напишите сообщение.");
  expect(machine.fetch.calls).toHaveLength(1);
});

test("what is not kept any more is an error, not a silence", async () => {
  const { done } = await opened({ "x-potok-run": CODING_RUN });
  machine.fetch.last.send(CODING_BLOCKS[0] ?? "");
  await pass();
  machine.fetch.last.cut();
  await pass(WAIT);
  machine.fetch.last.json({ code: "offset_expired", message: "gone", first: "9" }, 410);
  await pass(WAIT);

  expect((await done).how).toBe("error");
});
