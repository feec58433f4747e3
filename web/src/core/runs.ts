/** The native protocol's short requests: start, state, cancel (protocol, sections 5.3 and 7). */

import { callUntilAnswered } from "./call.ts";
import type { Environment } from "./environment.ts";
import { FrameMalformed } from "./errors.ts";
import { isRecord } from "./events.ts";
import type { Message } from "./fold.ts";
import { readMessage } from "./fold.ts";
import { accepted, addressOf, readJson } from "./http.ts";
import { CANCEL_TRIES_MAX } from "./limits.ts";

/** Where the server is, and what every request to it carries, such as `Authorization`. */
export interface Place {
  /** Empty: the page's own origin. */
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A body of `POST /api/runs`: a model with messages, or an agent with its input. */
export type RunRequest = Readonly<Record<string, unknown>> &
  ({ readonly model: string } | { readonly agent: string });

/** A run as far as it has come; `message` goes on after `offset`. */
export interface Snapshot {
  readonly offset: string;
  readonly isEnded: boolean;
  readonly message: Message;
}

const OUTCOMES = ["finished", "cancelled", "failed"] as const;

/** Send a start once and return the run's id. The key makes a second time harmless. */
export async function sendStart(
  environment: Environment,
  place: Place,
  request: RunRequest,
  key: string,
  signal: AbortSignal,
): Promise<string> {
  const response = await environment.fetch(addressOf(place.baseUrl, "/api/runs"), {
    method: "POST",
    headers: {
      ...place.headers,
      "Content-Type": "application/json",
      "Idempotency-Key": key,
      "X-Potok-On-Disconnect": "keep",
    },
    body: JSON.stringify(request),
    signal,
  });
  const answer = await readJson(await accepted(response));
  if (!isRecord(answer) || typeof answer["id"] !== "string") {
    throw new FrameMalformed("the answer to a start names no run");
  }
  return answer["id"];
}

/** Fetch a run's state once. `path` is the one that a gap named, if it did. */
export async function fetchSnapshot(
  environment: Environment,
  place: Place,
  run: string,
  signal: AbortSignal,
  path: string | null = null,
): Promise<Snapshot> {
  // Only a path: what a server says must not send our key to another host.
  const known = path?.startsWith("/api/") === true ? path : `/api/runs/${encodeURIComponent(run)}`;
  const response = await environment.fetch(addressOf(place.baseUrl, known), {
    headers: { ...place.headers },
    signal,
  });
  const state = await readJson(await accepted(response));
  if (!isRecord(state) || typeof state["offset"] !== "string" || !isRecord(state["message"])) {
    throw new FrameMalformed("the state of a run has no offset or no message");
  }
  const outcome = OUTCOMES.find((known) => known === state["status"]) ?? null;
  const { usage, error } = state;
  const message = readMessage({ ...state["message"], run, usage, error: error ?? null, outcome });
  return { offset: state["offset"], isEnded: outcome !== null, message };
}

/**
 * Stop a run and return once the server has heard of it; repeatable, harmless after the end.
 *
 * @throws ServerRefused There is no such run of yours.
 * @throws ConnectionLost The run may still go on.
 */
export async function cancelRun(
  environment: Environment,
  place: Place,
  run: string,
): Promise<void> {
  const url = addressOf(place.baseUrl, `/api/runs/${encodeURIComponent(run)}/cancel`);
  const headers = { ...place.headers, "Content-Type": "application/json" };
  await callUntilAnswered(
    environment,
    async (signal) => {
      const init = { method: "POST", headers, body: "{}", signal, keepalive: true };
      await accepted(await environment.fetch(url, init));
      return true;
    },
    { triesMax: CANCEL_TRIES_MAX },
  );
}
