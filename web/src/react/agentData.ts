/** What agents tell beside their words, read with care: it comes from whoever wrote the app. */

import type { Json, Message, Part } from "../core/index.ts";

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly category: string;
  readonly material: string;
  readonly price: number;
  readonly oldPrice: number | null;
  readonly reason: string;
  readonly isInStock: boolean;
}

export interface Segment {
  readonly name: string;
  readonly count: number;
  readonly share: number;
  readonly revenueShare: number;
  readonly action: string;
}

export interface Prediction {
  readonly month: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What was taken in a month. */
export interface Month {
  readonly month: string;
  readonly value: number;
}

export interface Trend {
  readonly tag: string;
  readonly title: string;
  readonly score: number;
  readonly isEmerging: boolean;
}

export interface Question {
  readonly id: string;
  readonly text: string;
  readonly options: readonly string[];
  readonly index: number;
  readonly total: number;
}

/** What one agent of the jewelry house found. */
export interface Findings {
  readonly products: readonly Product[];
  readonly segments: readonly Segment[];
  /** The months before the forecast. */
  readonly months: readonly Month[];
  readonly forecast: readonly Prediction[];
  readonly trends: readonly Trend[];
  readonly question: Question | null;
  readonly zodiac: string | null;
}

/** One agent's share of an answer. */
export interface Voice {
  /** Null: the answer's one voice. */
  readonly agent: string | null;
  readonly text: string;
  /** What the model thought before; empty for models that do not show it. */
  readonly thinking: string;
  readonly isOpen: boolean;
  /** It was broken off. */
  readonly isCut: boolean;
  readonly findings: Findings | null;
  readonly error: string | null;
}

export interface CodeFile {
  readonly path: string;
  readonly language: string;
  readonly content: string;
}

export interface CodeFacts {
  readonly plan: readonly string[];
  readonly files: readonly CodeFile[];
  readonly verdict: string | null;
  readonly issues: readonly string[];
  readonly iterations: number;
}

type Fields = Readonly<Record<string, Json>>;

/** Return who speaks in an answer of the house, in the order in which they began. */
export function voicesOf(message: Message): readonly Voice[] {
  const metadata = dataOf(message, "metadata");
  const byAgent = fields(metadata?.["data"]);
  const errors = fields(metadata?.["errors"]);
  const agents = new Map<string | null, Part[]>();
  for (const part of message.parts) {
    const isSaid = part.type === "text" || part.type === "reasoning";
    if (!isSaid || part.choice !== 0) continue;
    agents.set(part.agent, [...(agents.get(part.agent) ?? []), part]);
  }
  for (const agent of [...Object.keys(byAgent), ...Object.keys(errors)]) {
    if (!agents.has(agent)) agents.set(agent, []);
  }
  return [...agents].map(([agent, parts]) => {
    const own = agent === null ? metadata : byAgent[agent];
    const error = agent === null ? undefined : fields(errors[agent])["message"];
    return {
      agent,
      text: joined(parts, "text"),
      thinking: joined(parts, "reasoning"),
      isOpen: parts.some((part) => part.state === "open"),
      isCut: parts.some((part) => part.state === "cut"),
      findings: own === null || own === undefined ? null : findingsOf(fields(own)),
      error: typeof error === "string" ? error : null,
    };
  });
}

function joined(parts: readonly Part[], type: Part["type"]): string {
  return parts
    .filter((part) => part.type === type)
    .map((part) => part.text)
    .join("");
}

/** Return an answer's text, that of each agent set apart. */
export function answerTextOf(message: Message): string {
  const voices = voicesOf({
    ...message,
    parts: message.parts.filter((part) => part.channel === "answer"),
  });
  return voices
    .map((voice) => voice.text)
    .filter((text) => text !== "")
    .join("\n\n");
}

/** Return why these agents answer and no others, null while nobody knows. */
export function reasonOf(message: Message): string | null {
  const reason = dataOf(message, "metadata")?.["reason"];
  return typeof reason === "string" && reason !== "" ? reason : null;
}

/** Return the code of each round of the coder, oldest first. */
export function roundsOf(message: Message): readonly Part[] {
  return message.parts.filter(
    (part) => part.type === "text" && part.channel === "code" && part.choice === 0,
  );
}

/** Return what the coding agent tells of its work, null while it does not. */
export function codeFactsOf(message: Message): CodeFacts | null {
  const facts = dataOf(message, "coding");
  if (facts === null) return null;
  const critique = fields(facts["critique"]);
  return {
    plan: texts(facts["plan"]),
    files: list(facts["files"]).map((file) => ({
      path: text(file["path"]),
      language: text(file["language"]),
      content: text(file["content"]),
    })),
    verdict: typeof critique["verdict"] === "string" ? critique["verdict"] : null,
    issues: texts(critique["issues"]),
    iterations: number(facts["iterations"]),
  };
}

function dataOf(message: Message, name: string): Fields | null {
  const part = message.parts.findLast((one) => one.type === "data" && one.name === name);
  return part === undefined ? null : fields(part.data);
}

function findingsOf(found: Fields): Findings {
  const emerging = new Set(list(found["emerging_trends"]).map((one) => text(one["tag"])));
  const zodiac = found["zodiac_sign"];
  return {
    products: list(found["products"]).map(productOf),
    segments: list(found["segments"]).map((one) => ({
      name: text(one["name"]),
      count: number(one["count"]),
      share: number(one["share"]),
      revenueShare: number(one["revenue_share"]),
      action: text(one["action"]),
    })),
    months: list(fields(found["patterns"])["by_month"]).map((one) => ({
      month: text(one["month"]),
      value: number(one["revenue_rub"]),
    })),
    forecast: list(found["forecast"]).map((one) => ({
      month: text(one["month"]),
      value: number(one["value"]),
      low: number(one["low"]),
      high: number(one["high"]),
    })),
    trends: Object.entries(fields(found["trends"])).map(([tag, one]) => ({
      tag,
      title: text(fields(one)["title"]) || tag,
      score: number(fields(one)["score"]),
      isEmerging: emerging.has(tag),
    })),
    question: questionOf(found),
    zodiac: typeof zodiac === "string" ? zodiac : null,
  };
}

function productOf(one: Fields): Product {
  const old = one["old_price_rub"];
  return {
    id: text(one["id"]),
    name: text(one["name"]),
    category: text(one["category"]),
    material: text(one["material"]),
    price: number(one["price_rub"]),
    oldPrice: typeof old === "number" ? old : null,
    reason: text(one["reason"]),
    isInStock: one["in_stock"] === true,
  };
}

function questionOf(found: Fields): Question | null {
  const question = fields(found["question"]);
  if (found["is_complete"] === true || typeof question["text"] !== "string") return null;
  return {
    id: text(question["id"]),
    text: question["text"],
    options: list(question["options"]).map((option) => text(option["text"])),
    index: number(found["current_question_index"]),
    total: number(found["total_questions"]),
  };
}

function fields(value: Json | undefined): Fields {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : {};
}

function list(value: Json | undefined): readonly Fields[] {
  return Array.isArray(value) ? value.map((one: Json) => fields(one)) : [];
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one: Json) => typeof one === "string") : [];
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function number(value: Json | undefined): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
