/** Sessions whose listeners write down what they hear. */

import type { RunState } from "../runReader.ts";
import type { RunSession, StartOptions } from "../session.ts";
import { resumeRun, startRun } from "../session.ts";
import { RUN } from "./nativeFrames.ts";
import type { ScriptedMachine } from "./scriptedMachine.ts";
import { pass } from "./scriptedMachine.ts";

export const REQUEST = { model: "demo", messages: [{ role: "user", content: "hi" }] };

export interface Watched {
  readonly session: RunSession;
  /** Every event that the listener heard, as `id kind`. */
  readonly heard: string[];
  readonly states: RunState[];
}

function watch(
  machine: ScriptedMachine,
  make: (options: StartOptions) => RunSession,
  more: StartOptions = {},
): Watched {
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

export function watchStart(machine: ScriptedMachine, more?: StartOptions): Watched {
  return watch(machine, (options) => startRun(REQUEST, options), more);
}

export function watchResume(
  machine: ScriptedMachine,
  after?: string,
  more?: StartOptions,
): Watched {
  const place = after === undefined ? {} : { after };
  return watch(machine, (options) => resumeRun(RUN, { ...options, ...place }), more);
}

/** Bring a new session to its first open line. */
export async function watchStarted(
  machine: ScriptedMachine,
  more?: StartOptions,
): Promise<Watched> {
  const watched = watchStart(machine, more);
  await pass();
  machine.fetch.last.json({ id: RUN, status: "running" }, 201);
  await pass();
  machine.fetch.last.stream();
  await pass();
  return watched;
}
