/** The page's words in the language that a person reads. */

import { createContext, useContext } from "react";

import type { Forms, Words } from "./en.ts";
import { EN } from "./en.ts";
import { RU } from "./ru.ts";

export type { Words } from "./en.ts";

const LANGUAGES: Readonly<Record<string, Words>> = { en: EN, ru: RU };

export function wordsOf(language: string): Words {
  return LANGUAGES[language] ?? EN;
}

const Language = createContext("en");

/** Gives the components below it their language. */
export const LanguageProvider = Language.Provider;

/** The tag of the language that a person reads. */
export function useLanguage(): string {
  return useContext(Language);
}

export function useWords(): Words {
  return wordsOf(useLanguage());
}

export interface Numbers {
  /** A number in the language's own way, with at most so many digits after the comma. */
  format(value: number, digits?: number): string;
  /** A number with its noun in the right form. */
  count(value: number, forms: Forms): string;
}

export function numbersOf(language: string): Numbers {
  const rules = new Intl.PluralRules(language);
  const format = (value: number, digits = 0): string =>
    value.toLocaleString(language, { maximumFractionDigits: digits });
  const count = (value: number, forms: Forms): string =>
    (forms[rules.select(value)] ?? forms.other).replace("#", format(value));
  return { format, count };
}

export function useNumbers(): Numbers {
  return numbersOf(useLanguage());
}
