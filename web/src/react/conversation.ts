/** A conversation as the browser keeps it: plain values, and what can be told from them. */

import type { Message, RunRequest } from "../core/index.ts";
import { readMessage, textOf } from "../core/index.ts";
import { CONVERSATION_UNITS_MAX, EXCHANGES_MAX } from "./limits.ts";

/** How an answer ended; `lost` is not known to the server any more, or never came about. */
export type Ending = "finished" | "cancelled" | "failed" | "lost";

export interface Answer {
  readonly id: string;
  /** The Idempotency-Key of its run: whoever starts it again finds the same run. */
  readonly key: string;
  readonly model: string;
  readonly language: string;
  /** Null until the server has named it. */
  readonly run: string | null;
  /** Null while it is under way. */
  readonly ending: Ending | null;
  /** As the wire writes it, once it has ended. */
  readonly message: Readonly<Record<string, unknown>> | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A question and its answer. */
export interface Exchange {
  readonly id: string;
  readonly question: string;
  readonly answer: Answer;
}

export interface Conversation {
  readonly version: 1;
  readonly exchanges: readonly Exchange[];
  /** Exchanges at the beginning that had no room any more. */
  readonly dropped: number;
}

export const EMPTY: Conversation = { version: 1, exchanges: [], dropped: 0 };

/** Return the conversation that a text holds; an empty one for anything else. */
export function parseConversation(text: string | null): Conversation {
  if (text === null) return EMPTY;
  try {
    const value = JSON.parse(text) as Partial<Conversation> | null;
    if (value?.version !== 1 || !Array.isArray(value.exchanges)) return EMPTY;
    const exchanges = value.exchanges.filter(isExchange);
    return { version: 1, exchanges, dropped: Number(value.dropped) || 0 };
  } catch {
    return EMPTY;
  }
}

/** Return `next` with the exchanges of `last` that it only repeats: they are painted already. */
export function reusing(last: Conversation, next: Conversation): Conversation {
  const known = new Map(last.exchanges.map((exchange) => [exchange.answer.id, exchange]));
  const exchanges = next.exchanges.map((exchange) => {
    const { id, run, ending } = exchange.answer;
    const old = known.get(id);
    return old?.answer.run === run && old.answer.ending === ending ? old : exchange;
  });
  return { ...next, exchanges };
}

function isExchange(value: Partial<Exchange> | null): value is Exchange {
  const answer = value?.answer;
  return (
    typeof value?.id === "string" &&
    typeof value.question === "string" &&
    typeof answer?.id === "string" &&
    typeof answer.key === "string" &&
    typeof answer.model === "string"
  );
}

/** Return it without the oldest exchanges that no longer fit. */
export function bounded(conversation: Conversation): Conversation {
  const { exchanges } = conversation;
  let units = 0;
  let kept = 0;
  for (const exchange of exchanges.toReversed()) {
    units += exchange.question.length + JSON.stringify(exchange.answer).length;
    if (kept > 0 && (units > CONVERSATION_UNITS_MAX || kept >= EXCHANGES_MAX)) break;
    kept += 1;
  }
  const gone = exchanges.length - kept;
  if (gone === 0) return conversation;
  return {
    version: 1,
    exchanges: exchanges.slice(gone),
    dropped: conversation.dropped + gone,
  };
}

/** Return it with one answer changed; the same if there is no such answer. */
export function withAnswer(
  conversation: Conversation,
  id: string,
  change: (answer: Answer) => Answer,
): Conversation {
  const at = conversation.exchanges.findIndex((exchange) => exchange.answer.id === id);
  const found = conversation.exchanges[at];
  if (found === undefined) return conversation;
  const answer = change(found.answer);
  if (answer === found.answer) return conversation;
  return { ...conversation, exchanges: conversation.exchanges.with(at, { ...found, answer }) };
}

/** Return what to send for an exchange: all that was said before, and its question. */
export function requestOf(conversation: Conversation, exchange: Exchange): RunRequest {
  const messages: { role: string; content: string }[] = [];
  for (const one of conversation.exchanges) {
    messages.push({ role: "user", content: one.question });
    if (one.id === exchange.id) break;
    const said = one.answer.message === null ? "" : textOf(messageOf(one.answer.message));
    if (said !== "") messages.push({ role: "assistant", content: said });
  }
  const { model, language } = exchange.answer;
  return { model, messages, language, on_disconnect: "keep" };
}

const read = new WeakMap<object, Message>();

/** Return a kept message; the same one for the same value, so that it is painted once. */
export function messageOf(json: Readonly<Record<string, unknown>>): Message {
  let message = read.get(json);
  if (message === undefined) {
    message = readMessage(json);
    read.set(json, message);
  }
  return message;
}

/** Return the exchange that is under way, the last one that has no ending. */
export function openExchange(conversation: Conversation): Exchange | null {
  return conversation.exchanges.findLast((exchange) => exchange.answer.ending === null) ?? null;
}
