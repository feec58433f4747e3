/** Conversations as a browser would have kept them. */

import { emptyMessage, writeMessage } from "../../core/index.ts";
import type { Answer, Conversation, Exchange } from "../conversation.ts";
import { EMPTY } from "../conversation.ts";

/** An exchange with this answer; null: it is under way. */
export function exchange(id: string, text: string | null, more: Partial<Answer> = {}): Exchange {
  const message = { ...emptyMessage(), run: `run-${id}`, outcome: "finished" as const };
  message.parts.push({
    type: "text",
    id: "t",
    text: text ?? "",
    state: "done",
    channel: "answer",
    choice: 0,
    name: null,
    agent: null,
    stage: null,
    result: null,
    error: null,
    data: null,
    refusal: false,
    logprobs: null,
  });
  return {
    id,
    question: `question ${id}`,
    answer: {
      id: `answer-${id}`,
      key: `key-${id}`,
      model: "demo",
      language: "en",
      run: `run-${id}`,
      ending: text === null ? null : "finished",
      message: text === null ? null : writeMessage(message),
      error: null,
      ...more,
    },
  };
}

export function conversationOf(...exchanges: Exchange[]): Conversation {
  return { ...EMPTY, exchanges };
}
