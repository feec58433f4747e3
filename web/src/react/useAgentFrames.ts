/** What the hooks over agents' streams have in common: one stream at a time, and its end. */

import { useCallback, useEffect, useRef, useState } from "react";

import type { AgentFrame, AgentRequest, SimpleOptions } from "../core/index.ts";
import { streamAgent } from "../core/index.ts";

export type AgentStreamOptions = Omit<SimpleOptions, "signal" | "model">;

export interface AgentFrames {
  /** Ask; what still streams is stopped. Resolves when the answer has ended, however it did. */
  ask(request: AgentRequest, onFrame: (frame: AgentFrame) => void): Promise<void>;
  /** Stop the run. That is no error. */
  stop(): void;
  readonly isLoading: boolean;
  readonly error: Error | null;
}

export function useAgentFrames(options: AgentStreamOptions): AgentFrames {
  const [running, setRunning] = useState(0);
  const [error, setError] = useState<Error | null>(null);
  const latest = useRef(options);
  latest.current = options;
  const controller = useRef<AbortController>(null);

  const stop = useCallback(() => controller.current?.abort(), []);
  useEffect(() => stop, [stop]);

  const ask = useCallback(
    async (request: AgentRequest, onFrame: (frame: AgentFrame) => void): Promise<void> => {
      stop();
      const own = new AbortController();
      controller.current = own;
      setError(null);
      setRunning((count) => count + 1);
      const { signal } = own;
      const ending = await streamAgent(request, onFrame, { ...latest.current, signal });
      setRunning((count) => count - 1);
      if (ending.how === "error" && controller.current === own) setError(ending.error);
    },
    [stop],
  );
  return { ask, stop, isLoading: running > 0, error };
}
