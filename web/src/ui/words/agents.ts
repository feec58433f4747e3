/** The words of the agents' page, in each language under the same names. */

import type { Forms } from "./en.ts";
import { useLanguage } from "./index.ts";

/** A question to begin with, and whom it goes to. */
export interface Starter {
  readonly text: string;
  readonly wish: string;
}

interface DeskWords {
  readonly tab: string;
  readonly title: string;
  readonly more: string;
  /** What is true of it while no language model is connected. */
  readonly demo: string;
  readonly choice: string;
  readonly starters: readonly Starter[];
}

export const AGENTS_EN = {
  pageTitle: "Agents · Potok",
  desks: "Desks",
  jewelry: {
    tab: "Jewelry house",
    title: "What are you looking for?",
    more: "Five agents advise on pieces, style, fashion and taste, or read the sales. Several answer side by side.",
    demo: "Pieces, figures and trends come from the house's own tables, so they are right without a language model, too. The demo model only tells them; a real one tells them better.",
    choice: "Who answers",
    starters: [
      { text: "A gold ring for an anniversary, up to 100,000 roubles", wish: "consultation" },
      { text: "Give me a sales analysis and show fashion trends", wish: "auto" },
      { text: "Start the taste test", wish: "taste" },
      { text: "I am a Pisces and feel a little sad", wish: "girlfriend" },
    ],
  } as DeskWords,
  coding: {
    tab: "Coder",
    title: "What shall be written?",
    more: "A planner, a coder and a critic work one after another. The code appears while it is written, and it is never executed.",
    demo: "The demo model cannot write programs: it shows the stages on a frame of a file. Connect a real model for real code.",
    choice: "How to work",
    starters: [
      { text: "Write a function that counts the words of a text", wish: "code" },
      { text: "A program that finds duplicate files in a folder", wish: "code" },
      { text: "What is Potok?", wish: "chat" },
    ],
  } as DeskWords,
  translator: {
    tab: "Translator",
    title: "What shall be translated?",
    more: "Paragraph by paragraph; Markdown stays, code is not touched.",
    demo: "The demo model cannot translate and says so. Connect a real model.",
    choice: "Into which language",
    starters: [
      { text: "The stream goes on where it was.", wish: "es" },
      { text: "# Notes\n\n- **first** point\n- second point", wish: "de" },
    ],
  } as DeskWords,
  wishes: {
    auto: "The house chooses",
    consultation: "Consultation",
    consultant: "Consultant",
    girlfriend: "Friend",
    analysis: "Analyst",
    trend: "Fashion",
    taste: "Taste test",
    code: "Code",
    chat: "Conversation",
  } as Readonly<Record<string, string>>,

  chosenBecause: "Why these:",
  writes: "writing…",
  hasEnded: "ready",
  wasCut: "stopped",
  hasFailed: "no answer",

  products: "Pieces",
  before: "before:",
  inStock: "in stock",
  notInStock: "not in stock",
  zodiac: "Sign of the zodiac:",

  segments: "Segments of customers",
  segment: "Segment",
  customers: "Customers",
  revenueShare: "Share of revenue",
  forecast: "Revenue by month and its forecast",
  forecastLegend: "The band is the interval within which the forecast is expected.",
  month: "Month",
  expected: "Expected",
  interval: "From … to …",
  trends: "Trends",
  trend: "Trend",
  score: "Score of 100",
  emerging: "rising",

  question: "Question # of ##",
  answers: "Answers",
  goBack: "Back",
  skipIt: "Skip",
  sendBack: "back",
  sendSkip: "skip",

  stages: "Stages",
  stage: {
    planner: "Planner",
    coder: "Coder",
    critic: "Critic",
  } as Readonly<Record<string, string>>,
  stageWaits: "waits",
  stageWorks: "at work…",
  stageDone: "ready",
  stageBroken: "broken off",
  attempt: "attempt #",
  plan: "Plan",
  code: "Code",
  codeOfAttempt: "Code, attempt #",
  files: "Files",
  changes: "What changed in attempt #",
  changesMany: "The change is large; its beginning is shown.",
  added: "added:",
  removed: "removed:",
  verdict: "Review",
  verdictOk: "can stay",
  verdictFix: "faults are left",
  rounds: { one: "# round", other: "# rounds" } as Forms,
};

export type AgentWords = typeof AGENTS_EN;

export const AGENTS_RU: AgentWords = {
  pageTitle: "Агенты · Potok",
  desks: "Столы",
  jewelry: {
    tab: "Ювелирный дом",
    title: "Что подобрать?",
    more: "Пять агентов советуют украшения, стиль, моду и вкус или читают продажи. Несколько отвечают рядом.",
    demo: "Изделия, цифры и тренды берутся из таблиц самого дома и верны и без языковой модели. Демо-модель только пересказывает их; настоящая перескажет лучше.",
    choice: "Кто отвечает",
    starters: [
      { text: "Золотое кольцо на годовщину до 100 тысяч", wish: "consultation" },
      { text: "Дай анализ продаж и покажи модные тренды", wish: "auto" },
      { text: "Пройти тест на вкус", wish: "taste" },
      { text: "Я Рыбы, и мне немного грустно", wish: "girlfriend" },
    ],
  },
  coding: {
    tab: "Программист",
    title: "Что написать?",
    more: "Планировщик, кодер и критик работают друг за другом. Код виден, пока пишется, и никогда не выполняется.",
    demo: "Демо-модель не умеет писать программы: она показывает этапы на заготовке файла. Для настоящего кода подключите настоящую модель.",
    choice: "Как работать",
    starters: [
      { text: "Напиши функцию, которая считает слова в тексте", wish: "code" },
      { text: "Программа, которая находит одинаковые файлы в папке", wish: "code" },
      { text: "Что такое Potok?", wish: "chat" },
    ],
  },
  translator: {
    tab: "Переводчик",
    title: "Что перевести?",
    more: "Абзац за абзацем; разметка Markdown остаётся, код не меняется.",
    demo: "Демо-модель не умеет переводить и говорит об этом. Подключите настоящую модель.",
    choice: "На какой язык",
    starters: [
      { text: "Поток продолжается с того места, где прервался.", wish: "en" },
      { text: "# Заметки\n\n- **первый** пункт\n- второй пункт", wish: "de" },
    ],
  },
  wishes: {
    auto: "Дом решит сам",
    consultation: "Консультация",
    consultant: "Консультант",
    girlfriend: "Подруга",
    analysis: "Аналитик",
    trend: "Мода",
    taste: "Тест на вкус",
    code: "Код",
    chat: "Разговор",
  },

  chosenBecause: "Почему они:",
  writes: "пишет…",
  hasEnded: "готово",
  wasCut: "остановлено",
  hasFailed: "не ответил",

  products: "Изделия",
  before: "раньше:",
  inStock: "в наличии",
  notInStock: "нет в наличии",
  zodiac: "Знак зодиака:",

  segments: "Сегменты клиентов",
  segment: "Сегмент",
  customers: "Клиенты",
  revenueShare: "Доля выручки",
  forecast: "Выручка по месяцам и прогноз",
  forecastLegend: "Полоса показывает интервал, в котором ожидается прогноз.",
  month: "Месяц",
  expected: "Ожидается",
  interval: "От … до …",
  trends: "Тренды",
  trend: "Тренд",
  score: "Оценка из 100",
  emerging: "набирает силу",

  question: "Вопрос # из ##",
  answers: "Варианты ответа",
  goBack: "Назад",
  skipIt: "Пропустить",
  sendBack: "назад",
  sendSkip: "пропустить",

  stages: "Этапы",
  stage: {
    planner: "Планировщик",
    coder: "Кодер",
    critic: "Критик",
  },
  stageWaits: "ждёт",
  stageWorks: "работает…",
  stageDone: "готово",
  stageBroken: "прервано",
  attempt: "попытка #",
  plan: "План",
  code: "Код",
  codeOfAttempt: "Код, попытка #",
  files: "Файлы",
  changes: "Что изменилось в попытке #",
  changesMany: "Изменение большое; показано его начало.",
  added: "добавлено:",
  removed: "убрано:",
  verdict: "Проверка",
  verdictOk: "можно оставить",
  verdictFix: "остались замечания",
  rounds: { one: "# круг", few: "# круга", many: "# кругов", other: "# круга" },
};

export function agentWordsOf(language: string): AgentWords {
  return language === "ru" ? AGENTS_RU : AGENTS_EN;
}

export function useAgentWords(): AgentWords {
  return agentWordsOf(useLanguage());
}
