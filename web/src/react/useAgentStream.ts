import { useCallback, useState } from "react";

import type { Json } from "../core/index.ts";
import type { AgentStreamOptions } from "./useAgentFrames.ts";
import { useAgentFrames } from "./useAgentFrames.ts";
import { useSmoothText } from "./smoothText.ts";

export interface AgentTurn {
  readonly role: "user" | "assistant" | "system";
  readonly content: string;
}

/** What an agent is asked beside the message. */
export interface AgentWish {
  readonly mode?: "chat" | "code";
  readonly conversation_history?: readonly AgentTurn[];
  readonly model?: string;
  readonly temperature?: number;
}

/** A turn of the work: planner, coder and critic begin and end. */
export interface StageUpdate {
  readonly stage: string;
  readonly state: "started" | "finished";
  readonly attempt: number;
  readonly message: string;
}

export interface AgentStream {
  /** Resolves when the answer has ended, however it did. */
  sendMessage(message: string, wish?: AgentWish): Promise<void>;
  /** Stop the run. That is no error. */
  stop(): void;
  /** What to show now: it follows `response` character by character, unless motion is not wanted. */
  readonly partialResponse: string;
  /** All that has come: in mode `code` the code, then the critic's answer. */
  readonly response: string;
  readonly stages: readonly StageUpdate[];
  /** Plan, files, critique and `task_id`, once they are there. */
  readonly metadata: Readonly<Record<string, Json>> | null;
  readonly isLoading: boolean;
  readonly error: Error | null;
}

/** The coding agent over `POST /api/agent/stream`. */
export function useAgentStream(options: AgentStreamOptions = {}): AgentStream {
  const { ask, stop, isLoading, error } = useAgentFrames(options);
  const [response, setResponse] = useState("");
  const [stages, setStages] = useState<readonly StageUpdate[]>([]);
  const [metadata, setMetadata] = useState<AgentStream["metadata"]>(null);
  const partialResponse = useSmoothText(response);

  const sendMessage = useCallback(
    (message: string, wish: AgentWish = {}): Promise<void> => {
      setResponse("");
      setStages([]);
      setMetadata(null);
      const request = { path: "/api/agent/stream", body: { message, ...wish } };
      return ask(request, ({ name, fields }) => {
        if (name === "token") setResponse((last) => last + wordOf(fields["text"]));
        else if (name === "stage_update") setStages((last) => [...last, stageOf(fields)]);
        else if (name === "metadata") setMetadata(fields);
      });
    },
    [ask],
  );
  return { sendMessage, stop, partialResponse, response, stages, metadata, isLoading, error };
}

function stageOf(fields: Readonly<Record<string, Json>>): StageUpdate {
  return {
    stage: wordOf(fields["stage"]),
    state: fields["state"] === "finished" ? "finished" : "started",
    attempt: Number(fields["attempt"]) || 1,
    message: wordOf(fields["message"]),
  };
}

function wordOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
