// @vitest-environment happy-dom
import type { ReactNode } from "react";
import { act } from "react";
import type { Root } from "react-dom/client";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import {
  codingMessage,
  consultationMessage,
  houseMessage,
  tasteMessage,
} from "../../react/testing/agentMessages.ts";
import { LanguageProvider } from "../words/index.ts";
import { CodingAnswer } from "./CodingAnswer.tsx";
import { Voices } from "./Voices.tsx";

let place: HTMLElement;
let root: Root;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  place = document.createElement("div");
  document.body.append(place);
  root = createRoot(place);
});

afterEach(async () => {
  await act(async () => root.unmount());
  place.remove();
});

function paint(what: ReactNode, language = "ru"): Promise<void> {
  return act(async () => root.render(<LanguageProvider value={language}>{what}</LanguageProvider>));
}

/** The cells of a table, row by row. */
function rows(selector: string): string[][] {
  return [...place.querySelectorAll(`${selector} tbody tr`)].map((row) =>
    [...row.children].map((cell) => plain(cell.textContent)),
  );
}

/** With ordinary spaces instead of those that keep numbers together. */
function plain(text: string | null | undefined): string {
  return (text ?? "").replace(/[\u00a0\u202f]/g, " ");
}

function buttons(): HTMLButtonElement[] {
  return [...place.querySelectorAll("button")];
}

test("two agents stand side by side, and the one that failed says why", async () => {
  await paint(<Voices message={houseMessage()} onAnswer={null} />);

  const names = [...place.querySelectorAll(".voice h3")].map((one) => one.textContent);
  const states = [...place.querySelectorAll(".voice__state")].map((one) => one.textContent);
  expect(names).toEqual(["Аналитик", "Мода", "Тест на вкус"]);
  expect(states).toEqual(["готово", "готово", "не ответил"]);
  expect(place.querySelector(".voices--many")).not.toBeNull();
  expect(place.querySelector(".voice__error")?.textContent).toBe("Вкус не ответил.");
  expect(place.querySelector(".note")?.textContent).toContain("Поможет аналитик");
});

test("segments, forecast and trends have their numbers in tables", async () => {
  await paint(<Voices message={houseMessage()} onAnswer={null} />);

  expect(rows(".chart--segments")).toEqual([
    ["Чемпионыблагодарить", "145 (18,1 %)", "49,6 %"],
    ["Спящиенапомнить", "182 (22,8 %)", "7,2 %"],
  ]);
  expect(rows(".chart--forecast")).toEqual([
    ["ноябрь 2026", "8 281 578 ₽", "6 569 604 ₽ … 9 993 551 ₽"],
  ]);
  expect(rows(".chart--trends")).toEqual([
    ["Броши", "100"],
    ["Зелёные камнинабирает силу", "80,7"],
  ]);
  expect(place.querySelector(".chart--forecast svg")?.getAttribute("role")).toBe("img");
  expect(place.querySelectorAll(".chart caption, .chart figcaption")).toHaveLength(3);
});

test("the bars and the line follow the numbers", async () => {
  await paint(<Voices message={houseMessage()} onAnswer={null} />);

  const bars = [...place.querySelectorAll(".chart--segments .bar__value")];
  const widths = bars.map((bar) => Number(bar.getAttribute("width")));
  expect(widths[1]).toBe(100);
  expect(widths[0]).toBeCloseTo((100 * 0.1812) / 0.4959, 5);
  const ahead = place.querySelector(".chart__line--ahead")?.getAttribute("points") ?? "";
  expect(ahead.split(" ")).toHaveLength(2);
  expect(ahead).not.toContain("NaN");
});

test("a piece has a card with its price, the old one struck", async () => {
  await paint(<Voices message={consultationMessage()} onAnswer={null} />);

  const card = place.querySelector(".product");
  expect(card?.querySelector("h4")?.textContent).toBe("Кольцо «Рубиновый вечер»");
  expect(plain(card?.querySelector("strong")?.textContent)).toBe("84 900 ₽");
  expect(plain(card?.querySelector("s")?.textContent)).toBe("99 900 ₽");
  expect(card?.querySelector(".product__stock")?.textContent).toBe("в наличии · JW-0009");
  expect(place.querySelectorAll("img")).toHaveLength(0);
  expect(place.querySelector(".voices--many")).toBeNull();
});

test("a piece of an unknown kind, out of stock and not reduced, has a card, too", async () => {
  const message = consultationMessage({
    category: "constructor",
    in_stock: false,
    old_price_rub: null,
  });
  await paint(<Voices message={message} onAnswer={null} />, "en");

  expect(place.querySelector(".category path")).not.toBeNull();
  expect(place.querySelector("s")).toBeNull();
  expect(place.querySelector(".product__stock")?.textContent).toBe("not in stock · JW-0009");
  expect(plain(place.querySelector(".product strong")?.textContent)).toBe("₽84,900");
});

test("a question is answered by buttons", async () => {
  const answers: string[] = [];
  await paint(<Voices message={tasteMessage()} onAnswer={(text) => answers.push(text)} />);

  expect(buttons().map((one) => one.textContent)).toEqual([
    "Рубин",
    "Без камня",
    "Назад",
    "Пропустить",
  ]);
  expect(place.querySelector("progress")?.getAttribute("aria-label")).toBe("Вопрос 3 из 8");
  await act(async () => buttons().forEach((one) => one.click()));
  expect(answers).toEqual(["Рубин", "Без камня", "назад", "пропустить"]);
});

test.each([
  ["an older answer", tasteMessage(), null],
  ["a finished test", tasteMessage({ is_complete: true }), (): void => undefined],
])("%s has no buttons", async (_, message, onAnswer) => {
  await paint(<Voices message={message} onAnswer={onAnswer} />);

  expect(buttons()).toEqual([]);
});

test("the first question leads nowhere back, and takes the focus that its button lost", async () => {
  const message = tasteMessage({ current_question_index: 0 });
  await paint(<Voices message={message} onAnswer={() => undefined} />);

  expect(buttons().map((one) => one.textContent)).not.toContain("Назад");
  expect(document.activeElement?.textContent).toBe("Рубин");
});

function lanes(): string[] {
  return [...place.querySelectorAll(".lane")].map((lane) => lane.textContent ?? "");
}

test("a lane for each stage says how far it is, and the code is seen while it is written", async () => {
  await paint(<CodingAnswer message={codingMessage("first")} isOpen />);

  expect(lanes()).toEqual(["Планировщикготово", "Кодерработает…", "Критикждёт"]);
  expect(place.querySelector(".round pre")?.textContent).toContain("old\nsame");
  expect(place.querySelector(".round .cursor")).not.toBeNull();
  expect(place.querySelector(".files")).toBeNull();
});

test("a second attempt stands beside the first, its change once it is written", async () => {
  await paint(<CodingAnswer message={codingMessage("second")} isOpen />);
  expect(lanes()[1]).toBe("Кодерпопытка 1: готовопопытка 2: работает…");
  expect(place.querySelectorAll(".round")).toHaveLength(2);
  expect(place.querySelector(".diff")).toBeNull();

  await paint(<CodingAnswer message={codingMessage("ended")} isOpen={false} />);

  const lines = [...place.querySelectorAll(".diff__line:not(.is-same)")];
  expect(lines.map((line) => line.textContent)).toEqual(["убрано: - old\n", "добавлено: + new\n"]);
});

test("what broke off is not at work any more", async () => {
  await paint(<CodingAnswer message={codingMessage("first")} isOpen={false} />);

  expect(lanes()[1]).toBe("Кодерпрервано");
});

test("the files stand in tabs that the arrow keys move through", async () => {
  await paint(<CodingAnswer message={codingMessage("ended")} isOpen={false} />);
  const tabs = [...place.querySelectorAll<HTMLElement>("[role=tab]")];
  expect(tabs.map((tab) => tab.textContent)).toEqual(["a.py", "b.py"]);
  const shown = (): string => place.querySelector("[role=tabpanel] pre")?.textContent ?? "";
  expect(shown()).toBe("new\nsame\n");

  const press = (key: string): Promise<void> =>
    act(async () => {
      const event = new KeyboardEvent("keydown", { key, bubbles: true });
      place.querySelector("[role=tab][aria-selected=true]")?.dispatchEvent(event);
    });
  await press("ArrowRight");
  expect(shown()).toBe("other\n");
  expect(document.activeElement).toBe(tabs[1]);
  await press("ArrowRight");
  expect(shown()).toBe("new\nsame\n");
});

test("the review says what is left, and in how many rounds", async () => {
  await paint(<CodingAnswer message={codingMessage("ended")} isOpen={false} />);

  const review = place.querySelector(".review")?.textContent ?? "";
  expect(review).toBe("Проверка: остались замечания · 2 кругаНет проверки");
  expect(place.querySelector(".plan")?.textContent).toBe("ПланПонять задачу");
  expect(place.textContent).toContain("Готова функция.");
});
