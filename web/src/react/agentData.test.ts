import { expect, test } from "vitest";

import { readMessage } from "../core/index.ts";
import { answerTextOf, codeFactsOf, reasonOf, roundsOf, voicesOf } from "./agentData.ts";
import {
  codingMessage,
  consultationMessage,
  houseMessage,
  tasteMessage,
} from "./testing/agentMessages.ts";

test("each agent has its own words and findings, in the order in which they began", () => {
  const [analysis, trend, taste] = voicesOf(houseMessage());

  expect(analysis).toMatchObject({ agent: "analysis", text: "Всего 800.", isOpen: false });
  expect(analysis?.findings?.segments[0]).toEqual({
    name: "Чемпионы",
    count: 145,
    share: 0.1812,
    revenueShare: 0.4959,
    action: "благодарить",
  });
  expect(analysis?.findings?.months.map((one) => one.value)).toEqual([7_000_000, 8_000_000]);
  expect(analysis?.findings?.forecast[0]?.high).toBe(9_993_551);
  expect(trend?.findings?.trends).toEqual([
    { tag: "brooches", title: "Броши", score: 100, isEmerging: false },
    { tag: "green_stones", title: "Зелёные камни", score: 80.7, isEmerging: true },
  ]);
  expect(taste).toMatchObject({ agent: "taste", text: "", error: "Вкус не ответил." });
  expect(reasonOf(houseMessage())).toBe("Поможет аналитик; знаток моды.");
});

test("the words of several agents are set apart where they are one text", () => {
  expect(answerTextOf(houseMessage())).toBe("Всего 800.\n\nБроши.");
  expect(answerTextOf(codingMessage("ended"))).toBe("Готова функция.");
});

test("what a model thought stands apart from what it says", () => {
  const message = readMessage({
    parts: [
      { type: "reasoning", id: "r", agent: "trend", text: "Хм.", state: "done" },
      { type: "text", id: "t", agent: "trend", text: "Броши.", state: "open" },
      { type: "text", id: "x", agent: "taste", text: "Прер", state: "cut" },
    ],
  });

  expect(voicesOf(message)).toMatchObject([
    { agent: "trend", thinking: "Хм.", text: "Броши.", isOpen: true, isCut: false },
    { agent: "taste", thinking: "", text: "Прер", isOpen: false, isCut: true },
  ]);
  expect(answerTextOf(message)).toBe("Броши.\n\nПрер");
});

test("a consultation has one voice without a name, and flat findings", () => {
  const voices = voicesOf(consultationMessage());

  expect(voices).toHaveLength(1);
  expect(voices[0]?.agent).toBeNull();
  expect(voices[0]?.findings?.products[0]).toEqual({
    id: "JW-0009",
    name: "Кольцо «Рубиновый вечер»",
    category: "ring",
    material: "розовое золото 585, рубин 0,9 карата",
    price: 84900,
    oldPrice: 99900,
    reason: "В бюджете.",
    isInStock: true,
  });
});

test("an open question is told, that of a finished test is not", () => {
  const [open] = voicesOf(tasteMessage());
  const [over] = voicesOf(tasteMessage({ is_complete: true }));

  expect(open?.findings?.question).toEqual({
    id: "stone",
    text: "Какой камень?",
    options: ["Рубин", "Без камня"],
    index: 2,
    total: 8,
  });
  expect(over?.findings?.question).toBeNull();
});

test("code has its rounds, and its facts once they are there", () => {
  expect(roundsOf(codingMessage("second")).map((part) => part.id)).toEqual(["c1", "c2"]);
  expect(codeFactsOf(codingMessage("second"))).toBeNull();
  expect(codeFactsOf(codingMessage("ended"))).toEqual({
    plan: ["Понять задачу"],
    files: [
      { path: "a.py", language: "python", content: "new\nsame\n" },
      { path: "b.py", language: "python", content: "other\n" },
    ],
    verdict: "fix",
    issues: ["Нет проверки"],
    iterations: 2,
  });
});

const NONSENSE = [null, 7, "x", [], [1, null], { data: 3 }, { data: { analysis: [] } }];

test.each(NONSENSE.map((data) => [JSON.stringify(data), data]))(
  "whatever an app writes, nothing breaks: %s",
  (_, data) => {
    const parts = ["metadata", "coding"].map((name) => ({ type: "data", id: name, name, data }));
    const message = readMessage({ parts });

    for (const voice of voicesOf(message)) expect(voice.findings?.products ?? []).toEqual([]);
    expect(codeFactsOf(message)?.files ?? []).toEqual([]);
    expect(reasonOf(message)).toBeNull();
  },
);

test("wrong types inside of findings become nothing, not a fault", () => {
  const message = consultationMessage({ price_rub: "много", old_price_rub: "x", name: 7 });

  expect(voicesOf(message)[0]?.findings?.products[0]).toMatchObject({
    price: 0,
    oldPrice: null,
    name: "",
  });
});
