/** The desks of the agents' page: what each asks of the server. */

import type { RunRequest } from "../core/index.ts";
import { answerTextOf } from "./agentData.ts";
import type { Conversation, Exchange } from "./conversation.ts";
import { messageOf } from "./conversation.ts";
import { HISTORY_MESSAGES_MAX } from "./limits.ts";

export const DESKS = ["jewelry", "coding", "translator"] as const;
export type Desk = (typeof DESKS)[number];

/** Who can be asked for at the jewelry house; `auto` lets it choose. */
export const JEWELRY_WISHES = [
  "auto",
  "consultation",
  "consultant",
  "girlfriend",
  "analysis",
  "trend",
  "taste",
] as const;

export const CODING_WISHES = ["code", "chat"] as const;

/** Languages to translate into, by their codes. */
export const TRANSLATOR_WISHES = [
  "en",
  "es",
  "de",
  "fr",
  "it",
  "pt",
  "pl",
  "ru",
  "uk",
  "kk",
  "tr",
  "ar",
  "hi",
  "zh",
  "ja",
  "ko",
] as const;

interface Turn {
  readonly role: string;
  readonly content: string;
}

/**
 * Return what to send for an exchange of a desk.
 *
 * The wish stands where a chat has its model: an agent of the house, a mode, a language.
 *
 * @param user Whose taste and profile is meant, among whatever belongs to the key.
 */
export function requestOfDesk(
  desk: Desk,
  user: string,
): (conversation: Conversation, exchange: Exchange) => RunRequest {
  return (conversation, exchange) => {
    const { model: wish, language } = exchange.answer;
    const message = exchange.question;
    const common = { language, on_disconnect: "keep" };
    if (desk === "translator") {
      return {
        agent: "translator",
        input: { text: message, target_language: wish },
        ...common,
      };
    }
    const history = historyBefore(conversation, exchange);
    if (desk === "coding") {
      return { agent: "coding", input: { message, history, mode: wish }, ...common };
    }
    const input = { user_id: user, message, history };
    if (wish === "consultation") return { agent: "jewelry-consultation", input, ...common };
    const task = wish === "auto" ? null : wish;
    return { agent: "jewelry-orchestrator", input: { ...input, task }, ...common };
  };
}

function historyBefore(conversation: Conversation, exchange: Exchange): readonly Turn[] {
  const turns: Turn[] = [];
  for (const one of conversation.exchanges) {
    if (one.id === exchange.id) break;
    turns.push({ role: "user", content: one.question });
    const said = one.answer.message === null ? "" : answerTextOf(messageOf(one.answer.message));
    if (said !== "") turns.push({ role: "assistant", content: said.slice(0, 8_000) });
  }
  return turns.slice(-HISTORY_MESSAGES_MAX);
}
