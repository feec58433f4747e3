/** Carries text messages between a WebSocket and the rules; what they say is decided above. */

import type { Line } from "./driver.ts";
import type { Environment } from "./environment.ts";
import { FrameMalformed, FrameTooLarge } from "./errors.ts";
import { parseRecord } from "./events.ts";
import { SOCKET_MESSAGE_UNITS_MAX } from "./limits.ts";

/** Where a socket goes; of `headers` only a key in `Authorization` can be sent. */
export interface SocketPlace {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type SocketMessage = Readonly<Record<string, unknown>>;

/** What happens on a socket while its line is the current one. */
export interface SocketListener {
  opened(send: (message: SocketMessage) => void): void;
  /** @throws FrameMalformed The message makes no sense; the line is then lost. */
  received(message: SocketMessage): void;
  /** The line is gone, whoever ended it; once, also if it never opened. */
  gone(): void;
}

const DONE = 1000;

/**
 * Return the subprotocols that carry the key of an `Authorization` header, which a page cannot set
 * on a socket; none where there is no such header (protocol, section 9.3).
 */
export function protocolsOf(headers: Readonly<Record<string, string>>): string[] {
  const named = Object.entries(headers).find(([name]) => name.toLowerCase() === "authorization");
  const key = /^Bearer (.+)$/i.exec(named?.[1] ?? "")?.[1];
  if (key === undefined) return [];
  const bytes = new TextEncoder().encode(key);
  const base64 = btoa(String.fromCharCode(...bytes));
  const safe = base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return ["potok", `bearer.${safe}`];
}

/**
 * Open a socket on a line. The promise settles when the line is gone; it rejects with what broke it.
 */
export function runSocketLine(
  environment: Environment,
  { url, headers = {} }: SocketPlace,
  line: Line,
  listener: SocketListener,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = environment.openSocket(url, protocolsOf(headers));
    let isGone = false;
    const leave = (error?: unknown): void => {
      if (isGone) return;
      isGone = true;
      line.signal.removeEventListener("abort", dropped);
      socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
      try {
        socket.close(DONE);
      } finally {
        listener.gone();
        if (error === undefined) resolve();
        else reject(error);
      }
    };
    const dropped = (): void => leave();
    line.signal.addEventListener("abort", dropped);
    socket.onopen = () => {
      line.tell({ input: "opened" });
      if (line.isCurrent) listener.opened((message) => socket.send(JSON.stringify(message)));
    };
    socket.onmessage = (event: { readonly data: unknown }) => {
      try {
        listener.received(readMessage(event.data));
      } catch (error) {
        leave(error);
      }
    };
    // A browser says why only in its console; the close that follows is what counts.
    socket.onerror = () => undefined;
    socket.onclose = () => {
      line.tell({ input: "closed" });
      leave();
    };
  });
}

function readMessage(data: unknown): SocketMessage {
  if (typeof data !== "string") throw new FrameMalformed("a message on the socket is no text");
  if (data.length > SOCKET_MESSAGE_UNITS_MAX) {
    throw new FrameTooLarge("message", SOCKET_MESSAGE_UNITS_MAX);
  }
  return parseRecord(data);
}
