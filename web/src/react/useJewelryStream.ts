import { useCallback, useState } from "react";

import type { Json } from "../core/index.ts";
import type { AgentStreamOptions } from "./useAgentFrames.ts";
import { useAgentFrames } from "./useAgentFrames.ts";
import type { AgentTurn } from "./useAgentStream.ts";

export interface JewelryWish {
  readonly conversation_history?: readonly AgentTurn[];
  /** Whom the orchestrator asks, instead of choosing by itself. */
  readonly explicit_task_type?: string;
  readonly model?: string;
}

export interface JewelryStream {
  /** Resolves when the answer has ended, however it did. */
  sendMessage(message: string, wish?: JewelryWish): Promise<void>;
  /** Stop the run. That is no error. */
  stop(): void;
  /** All words so far; of several agents in the order in which they came. */
  readonly response: string;
  /** The words of each agent that speaks; a consultation has none. */
  readonly responses: Readonly<Record<string, string>>;
  /** What happens now. */
  readonly status: string | null;
  readonly metadata: Readonly<Record<string, Json>> | null;
  readonly isLoading: boolean;
  readonly error: Error | null;
}

/** The jewelry house, at `POST /api/consultation/{user}/stream` or at its orchestrator. */
export function useJewelryStream(
  userId: string,
  endpoint: "consultation" | "orchestrator" = "consultation",
  options: AgentStreamOptions = {},
): JewelryStream {
  const { ask, stop, isLoading, error } = useAgentFrames(options);
  const [response, setResponse] = useState("");
  const [responses, setResponses] = useState<JewelryStream["responses"]>({});
  const [status, setStatus] = useState<string | null>(null);
  const [metadata, setMetadata] = useState<JewelryStream["metadata"]>(null);
  const path = `/api/${endpoint}/${encodeURIComponent(userId)}/stream`;

  const sendMessage = useCallback(
    (message: string, wish: JewelryWish = {}): Promise<void> => {
      setResponse("");
      setResponses({});
      setStatus(null);
      setMetadata(null);
      return ask({ path, body: { message, ...wish } }, ({ name, fields }) => {
        const { agent, content, message: said } = fields;
        if (name === "token" && typeof content === "string") {
          setResponse((last) => last + content);
          if (typeof agent === "string") {
            setResponses((last) => ({ ...last, [agent]: (last[agent] ?? "") + content }));
          }
        } else if (name === "status" && typeof said === "string") setStatus(said);
        else if (name === "metadata") setMetadata(fields);
      });
    },
    [ask, path],
  );
  return { sendMessage, stop, response, responses, status, metadata, isLoading, error };
}
