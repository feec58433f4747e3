import { expect, test } from "vitest";

import { writeMessage } from "../core/index.ts";
import type { Conversation, Exchange } from "./conversation.ts";
import { requestOfDesk } from "./desks.ts";
import { HISTORY_MESSAGES_MAX } from "./limits.ts";
import { houseMessage } from "./testing/agentMessages.ts";

function exchange(id: string, question: string, wish: string): Exchange {
  const message = writeMessage(houseMessage());
  const common = { key: id, language: "ru", run: null, error: null };
  return { id, question, answer: { id, model: wish, message, ending: "finished", ...common } };
}

function conversation(...exchanges: Exchange[]): Conversation {
  return { version: 1, exchanges, dropped: 0 };
}

test.each([
  ["auto", "jewelry-orchestrator", null],
  ["trend", "jewelry-orchestrator", "trend"],
])("at the house %s goes to %s with the task %s", (wish, agent, task) => {
  const asked = exchange("1", "Что в моде?", wish);

  expect(requestOfDesk("jewelry", "web-1")(conversation(asked), asked)).toEqual({
    agent,
    input: { user_id: "web-1", message: "Что в моде?", history: [], task },
    language: "ru",
    on_disconnect: "keep",
  });
});

test("a consultation goes to its own agent, with what was said before", () => {
  const before = exchange("1", "Дай анализ", "auto");
  const asked = exchange("2", "А кольцо?", "consultation");

  expect(requestOfDesk("jewelry", "web-1")(conversation(before, asked), asked)).toMatchObject({
    agent: "jewelry-consultation",
    input: {
      history: [
        { role: "user", content: "Дай анализ" },
        { role: "assistant", content: "Всего 800.\n\nБроши." },
      ],
    },
  });
});

test("the coding agent is told the mode, the translator the language", () => {
  const code = exchange("1", "Напиши", "code");
  const text = exchange("1", "Привет", "es");

  expect(requestOfDesk("coding", "u")(conversation(code), code)).toMatchObject({
    agent: "coding",
    input: { message: "Напиши", history: [], mode: "code" },
  });
  expect(requestOfDesk("translator", "u")(conversation(text), text)).toMatchObject({
    agent: "translator",
    input: { text: "Привет", target_language: "es" },
  });
});

test("a long conversation is sent without its beginning", () => {
  const all = Array.from({ length: 60 }, (_, index) => exchange(`${index}`, `q${index}`, "code"));
  const asked = all.at(-1) as Exchange;
  const request = requestOfDesk("coding", "u")(conversation(...all), asked);
  const { history } = request["input"] as { history: { content: string }[] };

  expect(history).toHaveLength(HISTORY_MESSAGES_MAX);
  expect(history.at(-2)?.content).toBe("q58");
});
