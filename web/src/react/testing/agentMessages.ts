/** Answers of agents as the wire writes them, small. */

import type { Message } from "../../core/index.ts";
import { readMessage } from "../../core/index.ts";

export const RING = {
  id: "JW-0009",
  name: "Кольцо «Рубиновый вечер»",
  category: "ring",
  material: "розовое золото 585, рубин 0,9 карата",
  price_rub: 84900,
  old_price_rub: 99900,
  reason: "В бюджете.",
  in_stock: true,
};

const ANALYSIS = {
  segments: [
    { name: "Чемпионы", count: 145, share: 0.1812, revenue_share: 0.4959, action: "благодарить" },
    { name: "Спящие", count: 182, share: 0.2275, revenue_share: 0.0715, action: "напомнить" },
  ],
  patterns: {
    by_month: [
      { month: "2026-09", orders: 170, revenue_rub: 7_000_000 },
      { month: "2026-10", orders: 180, revenue_rub: 8_000_000 },
    ],
  },
  forecast: [{ month: "2026-11", value: 8_281_578, low: 6_569_604, high: 9_993_551 }],
};

const TREND = {
  trends: {
    brooches: { title: "Броши", score: 100 },
    green_stones: { title: "Зелёные камни", score: 80.7 },
  },
  emerging_trends: [{ tag: "green_stones", title: "Зелёные камни", momentum: 12.7 }],
};

/** Two agents side by side, and one that failed. */
export function houseMessage(): Message {
  return readMessage({
    outcome: "finished",
    parts: [
      { type: "text", id: "a1", agent: "analysis", text: "Всего ", state: "done" },
      { type: "text", id: "t1", agent: "trend", text: "Броши.", state: "done" },
      { type: "text", id: "a2", agent: "analysis", text: "800.", state: "done" },
      {
        type: "data",
        id: "data::metadata",
        name: "metadata",
        state: "done",
        data: {
          data: { analysis: ANALYSIS, trend: TREND },
          completed_agents: ["analysis", "trend"],
          reason: "Поможет аналитик; знаток моды.",
          errors: { taste: { code: "agent_failed", message: "Вкус не ответил." } },
        },
      },
    ],
  });
}

/** One voice with a piece. */
export function consultationMessage(more: Readonly<Record<string, unknown>> = {}): Message {
  return readMessage({
    parts: [
      { type: "text", id: "t", text: "Вот кольцо.", state: "done" },
      { type: "data", id: "d", name: "metadata", data: { products: [{ ...RING, ...more }] } },
    ],
  });
}

/** A question of the taste test. */
export function tasteMessage(more: Readonly<Record<string, unknown>> = {}): Message {
  const taste = {
    current_question_index: 2,
    total_questions: 8,
    question: {
      id: "stone",
      text: "Какой камень?",
      options: [
        { code: "ruby", text: "Рубин" },
        { code: "none", text: "Без камня" },
      ],
    },
    is_complete: false,
    ...more,
  };
  return readMessage({
    parts: [
      { type: "text", id: "t", agent: "taste", text: "Записал.", state: "done" },
      { type: "data", id: "d", name: "metadata", data: { data: { taste } } },
    ],
  });
}

/** The coding agent: after a first attempt, in the second, or with its files. */
export function codingMessage(state: "first" | "second" | "ended"): Message {
  const isEnded = state === "ended";
  const first = { type: "text", id: "c1", channel: "code", agent: "coder", stage: "coder" };
  const stages: Record<string, unknown>[] = [
    { stage: "planner", outcome: "finished" },
    { stage: "coder", outcome: state === "first" ? null : "finished" },
  ];
  const parts: Record<string, unknown>[] = [
    {
      ...first,
      text: "```python a.py\nold\nsame\n```",
      state: state === "first" ? "open" : "done",
    },
  ];
  if (state !== "first") {
    stages.push({ stage: "critic", outcome: "finished" });
    stages.push({ stage: "coder", attempt: 2, outcome: isEnded ? "finished" : null });
    parts.push({
      ...first,
      id: "c2",
      text: "```python a.py\nnew\nsame\n```",
      state: isEnded ? "done" : "open",
    });
  }
  if (isEnded) {
    stages.push({ stage: "critic", attempt: 2, outcome: "finished" });
    parts.push({ type: "text", id: "k", agent: "critic", text: "Готова функция.", state: "done" });
    parts.push({
      type: "data",
      id: "data:critic:coding",
      name: "coding",
      agent: "critic",
      data: {
        plan: ["Понять задачу"],
        files: [
          { path: "a.py", language: "python", content: "new\nsame\n" },
          { path: "b.py", language: "python", content: "other\n" },
        ],
        critique: { verdict: "fix", issues: ["Нет проверки"] },
        iterations: 2,
      },
    });
  }
  return readMessage({ parts, stages });
}
