/** Carries server-sent events from an open answer to the rules, chunk by chunk. */

import type { Driver, Line } from "./driver.ts";
import { FrameTooLarge } from "./errors.ts";
import type { SseEvent } from "./sse.ts";
import { SseDecoder } from "./sse.ts";

/** A frame as the rules see it, and what to do with it if it is new. */
export interface Frame {
  readonly id: string | null;
  readonly isEnd: boolean;
  take(): void;
}

/** How often the server says that it is there, if it tells. */
const HEARTBEAT_HEADER = "x-potok-heartbeat";

/**
 * Read an answer to its end, or until its line is dropped.
 *
 * @param read Makes a frame of an event. @throws FrameMalformed It cannot.
 * @param flushed Hears that a chunk is through, so that the screen is told once per chunk.
 */
export async function readSseLine(
  response: Response,
  line: Line,
  driver: Driver,
  read: (event: SseEvent) => Frame,
  flushed: () => void = () => undefined,
): Promise<void> {
  const heartbeat = Number(response.headers.get(HEARTBEAT_HEADER) ?? Number.NaN);
  line.tell({ input: "opened", heartbeatSeconds: heartbeat > 0 ? heartbeat : null });
  const reader = response.body?.getReader();
  const decoder = new SseDecoder();
  while (reader !== undefined && line.isCurrent) {
    const { done, value } = await reader.read();
    if (done) break;
    try {
      takeChunk(decoder, value, line, driver, read);
    } finally {
      flushed();
    }
  }
  line.tell({ input: "closed", isClean: true });
}

function takeChunk(
  decoder: SseDecoder,
  chunk: Uint8Array,
  line: Line,
  driver: Driver,
  read: (event: SseEvent) => Frame,
): void {
  const { comments, retryMilliseconds } = decoder;
  let fault: FrameTooLarge | null = null;
  let events: SseEvent[];
  try {
    events = decoder.feed(chunk);
  } catch (error) {
    if (!(error instanceof FrameTooLarge)) throw error;
    fault = error;
    events = decoder.eventsBeforeFault;
  }
  if (decoder.retryMilliseconds !== null && decoder.retryMilliseconds !== retryMilliseconds) {
    line.tell({ input: "retry_said", milliseconds: decoder.retryMilliseconds });
  }
  for (const event of events) {
    if (!line.isCurrent) return;
    const frame = read(event);
    line.tell({ input: "received", id: frame.id, isEnd: frame.isEnd }, () => frame.take());
  }
  for (let seen = comments; seen < decoder.comments; seen += 1) {
    line.tell({ input: "heartbeat_seen" });
  }
  if (fault !== null) {
    driver.blame(fault);
    line.tell({ input: "failed", kind: "too_large" });
  }
}
