/**
 * Every error that the core makes on purpose. `code` is stable and for machines; the message is a
 * sentence for people. An abort is none of them: stopping is not a fault.
 */

/** Base of all; `retryable` tells whether the same call may succeed later. */
export class PotokError extends Error {
  readonly code: string;
  readonly retryable: boolean;

  constructor(message: string, facts: { code: string; retryable?: boolean; cause?: unknown }) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = facts.code;
    this.retryable = facts.retryable ?? false;
  }
}

/** What a server says when it refuses: its own code and words, and facts such as `first`. */
export interface Refusal {
  status: number;
  code: string | null;
  message: string;
  retryAfterSeconds: number | null;
  isFinal: boolean;
  facts: Readonly<Record<string, unknown>>;
}

/** The server answered with an error. */
export class ServerRefused extends PotokError {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message, {
      code: refusal.code ?? `http_${refusal.status}`,
      retryable:
        !refusal.isFinal && (refusal.status >= 500 || [408, 425, 429].includes(refusal.status)),
    });
    this.refusal = refusal;
  }

  /** The HTTP status. */
  get status(): number {
    return this.refusal.status;
  }
}

/** The line was lost and did not come back within the granted tries; what came before stays. */
export class ConnectionLost extends PotokError {
  constructor(why: string, cause?: unknown) {
    super(`The connection was lost and did not come back (${why}). Try again later.`, {
      code: "connection_lost",
      retryable: true,
      cause,
    });
  }
}

/** The run itself failed; its text so far is kept. The code and the sentence are the server's. */
export class RunFailed extends PotokError {
  constructor(facts: { code: string; message: string }) {
    super(facts.message, { code: facts.code });
  }
}

/** The other end sent one line, event or answer over its limit. */
export class FrameTooLarge extends PotokError {
  constructor(what: string, limit: number) {
    super(`The other end sent one ${what} over the limit of ${limit}, so reading it was stopped.`, {
      code: "frame_too_large",
    });
  }
}

/** The other end sent something that its protocol does not know. */
export class FrameMalformed extends PotokError {
  constructor(why: string) {
    super(`The server sent something that cannot be read: ${why}.`, { code: "frame_malformed" });
  }
}

/** The run was written by a newer Potok than this page understands. */
export class VersionUnknown extends PotokError {
  constructor(version: unknown) {
    super(`This run has version ${String(version)}. Reload the page to get its newer client.`, {
      code: "version_unknown",
    });
  }
}

/** The answer did not end within the caller's time. */
export class StreamTimeout extends PotokError {
  constructor(milliseconds: number) {
    super(`The answer did not end within ${milliseconds} ms, so it was stopped.`, {
      code: "stream_timeout",
      retryable: true,
    });
  }
}

/** Too much waits for its turn already. */
export class QueueFull extends PotokError {
  constructor(what: string, limit: number) {
    super(`${limit} ${what} wait already. Let one of them end first.`, {
      code: "queue_full",
      retryable: true,
    });
  }
}

/** Nobody called `connect`, or `disconnect` was called since. */
export class NotConnected extends PotokError {
  constructor() {
    super("The socket is not connected. Call connect first.", { code: "not_connected" });
  }
}

/** Whether an error only says that somebody aborted. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** Return what was thrown as an `Error`. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
