/** One answer by whatever way there is: WebSocket, then server-sent events, then plain JSON. */

import { callUntilAnswered } from "./call.ts";
import type { Environment } from "./environment.ts";
import { environmentWith } from "./environment.ts";
import {
  ConnectionLost,
  FrameMalformed,
  FrameTooLarge,
  NotConnected,
  ServerRefused,
} from "./errors.ts";
import { isRecord } from "./events.ts";
import { accepted, addressOf, readJson } from "./http.ts";
import {
  SIMPLE_ANSWER_SECONDS_MAX,
  SIMPLE_SECONDS,
  SIMPLE_TRIES_MAX,
  SOCKET_OPEN_SECONDS,
} from "./limits.ts";
import type { SimpleOptions, StreamMessage } from "./simpleStream.ts";
import { runSimpleStream } from "./simpleStream.ts";
import { LLMWebSocketClient } from "./websocket.ts";

export type Transport = "websocket" | "sse" | "json";

export interface AdaptiveOptions extends SimpleOptions {
  /** The ways to try, in order. */
  readonly transports?: readonly Transport[];
  /** Without it, `/ws` of the server, unless headers are needed that a socket does not carry. */
  readonly socketUrl?: string;
}

// A server, or something before it, that does not know the way.
const WAY_UNKNOWN = [404, 405, 406, 415, 426, 501];

interface Asked {
  readonly messages: readonly StreamMessage[];
  readonly options: AdaptiveOptions;
  readonly environment: Environment;
  readonly key: string;
  /** Show the text so far. */
  show(text: string): void;
}

/**
 * Return the whole answer; `onUpdate` hears the text so far, which only ever grows.
 *
 * All ways use one Idempotency-Key, so that a way taken over from another gives the same answer and
 * nothing is paid twice. After an abort it returns what there is.
 *
 * @throws RunFailed The answer failed.
 * @throws ServerRefused, ConnectionLost No way led to it.
 */
export async function adaptiveStreaming(
  messages: readonly StreamMessage[],
  onUpdate: (text: string) => void,
  options: AdaptiveOptions = {},
): Promise<string> {
  const environment = environmentWith(options.environment);
  const key = options.idempotencyKey ?? environment.newKey();
  let shown = "";
  const show = (text: string): void => {
    // The next way begins at the answer's start; what stands there already stays.
    if (text.length <= shown.length) return;
    shown = text;
    onUpdate(text);
  };
  const asked: Asked = { messages, options, environment, key, show };
  let last: unknown = new NotConnected();
  for (const transport of options.transports ?? ["websocket", "sse", "json"]) {
    if (options.signal?.aborted === true) return shown;
    try {
      if (await WAYS[transport](asked)) return shown;
    } catch (error) {
      if (!mayGoAnotherWay(error)) throw error;
      last = error;
    }
  }
  throw last;
}

/** Each resolves with whether there is such a way here. */
const WAYS: { readonly [T in Transport]: (asked: Asked) => Promise<boolean> } = {
  websocket: overSocket,
  sse: overEvents,
  json: overJson,
};

function mayGoAnotherWay(error: unknown): boolean {
  if (error instanceof ServerRefused) return error.retryable || WAY_UNKNOWN.includes(error.status);
  return [ConnectionLost, NotConnected, FrameMalformed, FrameTooLarge].some(
    (kind) => error instanceof kind,
  );
}

async function overSocket({ messages, options, environment, key, show }: Asked): Promise<boolean> {
  const url = socketUrlOf(options);
  if (url === null) return false;
  const rules = {
    baseSeconds: SIMPLE_SECONDS,
    triesMax: SIMPLE_TRIES_MAX,
    openSeconds: SOCKET_OPEN_SECONDS,
    ...options.rules,
  };
  const client = new LLMWebSocketClient({ environment, rules, headers: options.headers ?? {} });
  const stop = (): void => client.disconnect();
  options.signal?.addEventListener("abort", stop);
  try {
    await client.connect(url);
    let text = "";
    const onToken = (token: string): void => {
      text += token;
      show(text);
    };
    const nothing = (): void => undefined;
    const named = options.model === undefined ? {} : { model: options.model };
    const asking = { idempotencyKey: key, ...named };
    await client.streamChat(messages, onToken, nothing, nothing, asking);
  } catch (error) {
    if (options.signal?.aborted !== true) throw error;
  } finally {
    options.signal?.removeEventListener("abort", stop);
    client.disconnect();
  }
  return true;
}

function socketUrlOf(options: AdaptiveOptions): string | null {
  if (options.socketUrl !== undefined) return options.socketUrl;
  const origin = options.baseUrl || globalThis.location?.origin || "";
  const names = Object.keys(options.headers ?? {}).map((name) => name.toLowerCase());
  const isCarried = names.every((name) => name === "authorization");
  if (!isCarried || !/^https?:/.test(origin)) return null;
  return addressOf(origin.replace(/^http/, "ws"), "/ws");
}

async function overEvents({ messages, options, key, show }: Asked): Promise<boolean> {
  if (typeof ReadableStream === "undefined") return false;
  let text = "";
  const onToken = (token: string): void => {
    text += token;
    show(text);
  };
  const ending = await runSimpleStream(messages, onToken, { ...options, idempotencyKey: key });
  if (ending.how === "error") throw ending.error;
  return true;
}

async function overJson({ messages, options, environment, key, show }: Asked): Promise<boolean> {
  const { baseUrl = "", headers = {}, model, signal } = options;
  const body = JSON.stringify({ messages, ...(model === undefined ? {} : { model }) });
  const answer = await callUntilAnswered(
    environment,
    async (aborted) => {
      const response = await environment.fetch(addressOf(baseUrl, "/api/chat"), {
        method: "POST",
        headers: { ...headers, "Content-Type": "application/json", "Idempotency-Key": key },
        body,
        signal: aborted,
      });
      const read = await readJson(await accepted(response));
      if (isRecord(read) && typeof read["message"] === "string") return read["message"];
      throw new FrameMalformed("an answer has no message");
    },
    {
      baseSeconds: SIMPLE_SECONDS,
      triesMax: SIMPLE_TRIES_MAX,
      ...options.rules,
      openSeconds: SIMPLE_ANSWER_SECONDS_MAX,
    },
    signal,
  );
  if (answer !== null) show(answer);
  return true;
}
