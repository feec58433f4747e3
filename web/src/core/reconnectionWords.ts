/**
 * What a client's rules of reconnection hear and say; the rules are `reconnection.ts`. A *line* is
 * one connection that carries the stream: an HTTP answer, or a socket.
 */

export type Input =
  /** The reader wants the stream; heard once, first. */
  | { readonly input: "begun" }
  /**
   * The line is open. 204: nothing will ever follow; a socket may say so on an open line, too.
   * `heartbeatSeconds` is the server's own word for its interval.
   */
  | {
      readonly input: "opened";
      readonly status?: number;
      readonly heartbeatSeconds?: number | null;
    }
  /** A frame came; `id` is its own id, null if it has none. `isEnd`: the stream ends with it. */
  | { readonly input: "received"; readonly id: string | null; readonly isEnd?: boolean }
  /** A sign of life came that carries nothing. */
  | { readonly input: "heartbeat_seen" }
  /** The server wished for a wait before reconnects (`retry:`). */
  | { readonly input: "retry_said"; readonly milliseconds: number }
  /** The line ended. Before the stream's end a clean close is a cut like any other. */
  | { readonly input: "closed"; readonly isClean?: boolean }
  /** There is no line, or what came over it cannot be read. */
  | {
      readonly input: "failed";
      readonly kind: "network" | "timeout" | "malformed" | "too_large";
    }
  /**
   * The server answered with an error status, or a socket with an error that stands for one.
   * `isFinal`: it said that sending the same again is useless.
   */
  | {
      readonly input: "refused";
      readonly status: number;
      readonly code?: string | null;
      readonly retryAfterSeconds?: number | null;
      readonly isFinal?: boolean;
      readonly first?: string | null;
      readonly snapshot?: string | null;
    }
  /** After `gap_said`: the reader has the whole message up to `offset`. */
  | { readonly input: "snapshot_taken"; readonly offset: string; readonly isEnded?: boolean }
  /** The moment of the last `wait_until` has come. */
  | { readonly input: "time_passed" }
  /** The machine says that it has no network, or has one again. */
  | { readonly input: "offline" }
  | { readonly input: "online" }
  /** Somebody looks at the page again; its line may have been frozen meanwhile. */
  | { readonly input: "visible" }
  /** The reader wants no more of the stream. */
  | { readonly input: "cancelled" };

export type Command =
  /** Open a line after `after`; null: nothing was seen, send the very first request again. */
  | { readonly command: "connect"; readonly after: string | null }
  /** Say `time_passed` at that moment; it takes the place of an earlier one. */
  | { readonly command: "wait_until"; readonly at: number }
  /** Hand on the frame or the snapshot just told; without this command it is of no use. */
  | { readonly command: "deliver" }
  /** Drop the line, or the call for the snapshot; nothing that still comes of it is told. */
  | { readonly command: "abort" }
  /** Events up to `first` are missing: read the snapshot, then say `snapshot_taken`. */
  | Gap
  | GiveUp
  | Finished;

export interface Gap {
  readonly command: "gap_said";
  readonly first: string | null;
  /** Its path, if the server named one. */
  readonly snapshot: string | null;
}

/**
 * Nothing more is tried. `reason` is the server's code, or `tries_spent`, `time_spent`,
 * `frame_too_large`, `http_<status>`; `status` the last refusal's, null if there was none.
 */
export interface GiveUp {
  readonly command: "give_up";
  readonly reason: string;
  readonly status: number | null;
}

/** The reader has all there is, or (`cancelled`) all it wanted. `already-read` is a 204. */
export interface Finished {
  readonly command: "finished";
  readonly how: "run-end" | "already-read" | "snapshot" | "cancelled";
}

/** What one reader grants; seconds, and tries in a row with nothing new between them. */
export interface Rules {
  readonly baseSeconds: number;
  readonly multiplier: number;
  readonly maxSeconds: number;
  readonly triesMax: number;
  readonly outageSecondsMax: number;
  readonly openSeconds: number;
  /** Null: the line shows no heartbeats, so its silence says nothing. */
  readonly heartbeatSeconds: number | null;
  /** Whether every event has a frame in this protocol, so that a jump means a loss. */
  readonly isDense: boolean;
}

/** Where a reader is; `mending`: it fetches a snapshot. */
export type ReaderState = "idle" | "connecting" | "open" | "waiting" | "mending" | "over";
