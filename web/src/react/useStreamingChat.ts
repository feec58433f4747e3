import { useCallback, useEffect, useRef, useState } from "react";

import type { SimpleOptions, StreamMessage } from "../core/index.ts";
import { TokenBuffer, streamChat } from "../core/index.ts";

export interface StreamingChatOptions extends Omit<SimpleOptions, "signal"> {
  /** What a start does while an answer streams: end that one, or wait for it. */
  readonly whenBusy?: "cancel" | "queue";
  readonly onComplete?: (fullText: string) => void;
}

export interface StreamingChat {
  /** Resolves when its answer has ended, however it did. */
  startStream(messages: readonly StreamMessage[]): Promise<void>;
  /** Stop the answer and what waits behind it. That is no error. */
  cancelStream(): void;
  readonly isStreaming: boolean;
  /** The newest answer, as far as it has come. */
  readonly response: string;
  readonly error: Error | null;
}

/** One answer at a time over the simple chat (`POST /api/chat/stream`). */
export function useStreamingChat(options: StreamingChatOptions = {}): StreamingChat {
  const [response, setResponse] = useState("");
  const [error, setError] = useState<Error | null>(null);
  const [running, setRunning] = useState(0);
  const latest = useRef(options);
  latest.current = options;
  // What runs or waits, oldest first.
  const queue = useRef<{ controller: AbortController; done: Promise<void> }[]>([]);

  const cancelStream = useCallback(() => {
    for (const { controller } of queue.current) controller.abort();
  }, []);
  useEffect(() => cancelStream, [cancelStream]);

  const startStream = useCallback(
    (messages: readonly StreamMessage[]): Promise<void> => {
      const { whenBusy = "cancel" } = latest.current;
      if (whenBusy === "cancel") cancelStream();
      const before = queue.current.at(-1)?.done ?? Promise.resolve();
      const controller = new AbortController();
      const run = async (): Promise<void> => {
        await before;
        if (controller.signal.aborted) return;
        setResponse("");
        setError(null);
        const buffer = new TokenBuffer((text) => setResponse((last) => last + text));
        await streamChat(messages, {
          ...latest.current,
          signal: controller.signal,
          onToken: (token) => buffer.add(token),
          onComplete: (text) => {
            buffer.stop();
            latest.current.onComplete?.(text);
          },
          onError: (failure) => {
            buffer.stop();
            setError(failure);
          },
          onAbort: () => buffer.stop(),
        });
      };
      setRunning((count) => count + 1);
      const done = run().finally(() => {
        queue.current = queue.current.filter((one) => one.controller !== controller);
        setRunning((count) => count - 1);
      });
      queue.current.push({ controller, done });
      return done;
    },
    [cancelStream],
  );
  return { startStream, cancelStream, isStreaming: running > 0, response, error };
}
