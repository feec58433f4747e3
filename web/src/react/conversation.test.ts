import { expect, test } from "vitest";

import type { Exchange } from "./conversation.ts";
import {
  EMPTY,
  bounded,
  openExchange,
  parseConversation,
  requestOf,
  reusing,
  withAnswer,
} from "./conversation.ts";
import { CONVERSATION_UNITS_MAX, EXCHANGES_MAX } from "./limits.ts";
import { conversationOf, exchange } from "./testing/exchanges.ts";

test("a question goes with all that was said before it", () => {
  const conversation = conversationOf(exchange("1", "one"), exchange("2", ""), exchange("3", null));

  const request = requestOf(conversation, conversation.exchanges[2] as Exchange);

  expect(request).toEqual({
    model: "demo",
    language: "en",
    on_disconnect: "keep",
    messages: [
      { role: "user", content: "question 1" },
      { role: "assistant", content: "one" },
      { role: "user", content: "question 2" },
      { role: "user", content: "question 3" },
    ],
  });
});

test("a conversation is read as it was written", () => {
  const conversation = conversationOf(exchange("1", "one"), exchange("2", null));

  expect(parseConversation(JSON.stringify(conversation))).toEqual(conversation);
  expect(openExchange(conversation)?.id).toBe("2");
});

test.each([null, "", "{", "null", "[]", '{"version":2}', '{"version":1,"exchanges":7}'])(
  "%j is an empty conversation",
  (text) => {
    expect(parseConversation(text)).toEqual(EMPTY);
  },
);

test("what is no exchange is left out", () => {
  const good = exchange("1", "one");
  const text = JSON.stringify({
    version: 1,
    exchanges: [null, {}, { id: "x" }, good],
    dropped: "x",
  });

  expect(parseConversation(text)).toEqual(conversationOf(good));
});

test("too many or too long exchanges lose the oldest, and say how many", () => {
  const many = Array.from({ length: EXCHANGES_MAX + 3 }, (_, index) => exchange(`${index}`, "x"));
  const long = "x".repeat(CONVERSATION_UNITS_MAX / 2);

  const fewer = bounded(conversationOf(...many));
  const shorter = bounded(
    conversationOf(exchange("1", long), exchange("2", long), exchange("3", long)),
  );

  expect(fewer.exchanges).toHaveLength(EXCHANGES_MAX);
  expect(fewer.dropped).toBe(3);
  expect(shorter.exchanges.map((one) => one.id)).toEqual(["3"]);
});

test("the newest exchange is kept, however long it is", () => {
  const conversation = conversationOf(exchange("1", "x".repeat(2 * CONVERSATION_UNITS_MAX)));

  expect(bounded(conversation)).toBe(conversation);
});

test("what did not change stays the same object", () => {
  const conversation = conversationOf(exchange("1", "one"), exchange("2", null));
  const copy = parseConversation(JSON.stringify(conversation));

  const changed = withAnswer(copy, "answer-2", (answer) => ({ ...answer, ending: "failed" }));
  const merged = reusing(conversation, changed);

  expect(merged.exchanges[0]).toBe(conversation.exchanges[0]);
  expect(merged.exchanges[1]?.answer.ending).toBe("failed");
  expect(withAnswer(copy, "nobody", (answer) => answer)).toBe(copy);
});
