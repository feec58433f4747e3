/** HTTP as the core uses it: addresses, bounded JSON bodies, and what a refusal says. */

import { isRecord } from "./events.ts";
import type { Refusal } from "./errors.ts";
import { FrameMalformed, FrameTooLarge, ServerRefused } from "./errors.ts";
import { ERROR_BYTES_MAX, REPLY_BYTES_MAX } from "./limits.ts";

const NO_CONTENT = 204;

/** Return the address of a path below `baseUrl`, which may be empty: the page's own origin. */
export function addressOf(baseUrl: string, path: string): string {
  return baseUrl.replace(/\/+$/, "") + path;
}

/** Return the answer if it is a good one. @throws ServerRefused It is an error. */
export async function accepted(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw new ServerRefused(await readRefusal(response));
}

/**
 * Return the JSON of an answer.
 *
 * @throws FrameMalformed It is no JSON: something else than Potok answers there.
 * @throws FrameTooLarge
 */
export async function readJson(response: Response): Promise<unknown> {
  const text = await readText(response, REPLY_BYTES_MAX);
  try {
    return JSON.parse(text);
  } catch {
    throw new FrameMalformed("an answer is no JSON");
  }
}

/** Return whether a stream of `type` begins. @throws FrameMalformed Something else came. */
export function isStream(response: Response, type: string): boolean {
  if (response.status === NO_CONTENT) return false;
  const found = response.headers.get("content-type") ?? "";
  if (found.toLowerCase().startsWith(type) && response.body !== null) return true;
  throw new FrameMalformed(`expected ${type}, got ${found || "no content type"}`);
}

async function readText(response: Response, bytesMax: number): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > bytesMax) {
      void reader.cancel().catch(() => undefined);
      throw new FrameTooLarge("answer", bytesMax);
    }
    text += decoder.decode(value, { stream: true });
  }
}

async function readRefusal(response: Response): Promise<Refusal> {
  const fallback = `The server answered with status ${response.status}.`;
  // A refusal whose words cannot be read is still one.
  const body: unknown = await readText(response, ERROR_BYTES_MAX)
    .then((text): unknown => JSON.parse(text))
    .catch(() => null);
  const whole = isRecord(body) ? body : {};
  const { error = null } = whole;
  const facts = isRecord(error) ? error : whole;
  const { code, message = error } = facts;
  // Agents write the code itself as `error`, beside their sentence.
  const named = typeof code === "string" ? code : message === error ? null : error;
  return {
    status: response.status,
    code: typeof named === "string" ? named : null,
    message: typeof message === "string" && message !== "" ? message : fallback,
    retryAfterSeconds: retryAfterOf(response.headers),
    isFinal: response.headers.get("x-should-retry") === "false",
    facts,
  };
}

/** Return the seconds of `Retry-After`, a number or a date against the server's own clock. */
export function retryAfterOf(headers: Headers): number | null {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^[0-9]{1,9}$/.test(value)) return Number(value);
  const seconds = (Date.parse(value) - Date.parse(headers.get("date") ?? "")) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}
