/** A WebSocket that a test plays the server of. It does not imitate frames, sizes or ready states. */

import type { SocketLike } from "../environment.ts";

type Handler<E> = ((event: E) => void) | null;

export class ScriptedSocket implements SocketLike {
  onopen: Handler<never> = null;
  onmessage: Handler<never> = null;
  onerror: Handler<never> = null;
  onclose: Handler<never> = null;
  readonly url: string;
  readonly protocols: readonly string[];
  readonly sent: Record<string, unknown>[] = [];
  isClosed = false;

  constructor(url: string, protocols: readonly string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  send(text: string): void {
    if (this.isClosed) throw new Error("the socket is closed");
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.isClosed = true;
  }

  /** What was sent, without pings. */
  get asked(): Record<string, unknown>[] {
    return this.sent.filter((message) => message["op"] !== "ping");
  }

  open(): void {
    this.onopen?.({} as never);
  }

  receive(...messages: (Record<string, unknown> | string)[]): void {
    for (const message of messages) {
      const data = typeof message === "string" ? message : JSON.stringify(message);
      this.onmessage?.({ data } as never);
    }
  }

  /** Lose the connection, or close it with a code. */
  lose(code = 1006): void {
    this.isClosed = true;
    this.onerror?.({} as never);
    this.onclose?.({ code } as never);
  }
}

export class ScriptedSockets {
  readonly sockets: ScriptedSocket[] = [];

  readonly openSocket = (url: string, protocols: readonly string[]): ScriptedSocket => {
    const socket = new ScriptedSocket(url, protocols);
    this.sockets.push(socket);
    return socket;
  };

  /** The newest socket. */
  get last(): ScriptedSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened yet");
    return socket;
  }
}
