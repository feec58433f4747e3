/**
 * Splits a growing text into Markdown blocks. A block that is settled is never looked at again, so
 * that the cost of a new word does not grow with the text before it.
 */

import type { Token, Tokens } from "marked";
import { Lexer } from "marked";
import remend from "remend";

import { GROUP_BLOCKS } from "../limits.ts";

/** One block. The same object as long as it is the same text. */
export interface Block {
  readonly key: number;
  readonly token: Token;
}

/** Blocks that are painted together. */
export interface Group {
  readonly key: number;
  readonly blocks: readonly Block[];
}

/** Newest tokens that a later line may still change: a paragraph can become a heading. */
const OPEN_TOKENS = 2;
const UNFINISHED_FENCE = /(?:^|\n) {0,3}(?:`{1,2}|~{1,2})$/;

export class BlockSplitter {
  #settled = "";
  #groups: Group[] = [];
  #last: Block[] = [];
  #keys = 0;
  #links: Tokens.Def[] = [];

  /**
   * Return the blocks of a text, which usually only grew since the last time.
   *
   * @param isOpen More is to come, so what is not closed yet is painted as if it were.
   */
  split(source: string, isOpen: boolean): readonly Group[] {
    const text = source.replaceAll("\r", "");
    if (!text.startsWith(this.#settled)) this.#forget();
    const tokens = this.#lex(copyOf(text.slice(this.#settled.length)));
    const open = isOpen ? Math.max(0, tokens.length - OPEN_TOKENS) : tokens.length;
    for (const token of tokens.slice(0, open)) this.#settle(token);
    const tail = tokens.slice(open);
    const newest = tail.pop();
    if (newest !== undefined) tail.push(...this.#repaired(newest));
    return this.#withTail(tail.filter(isPainted));
  }

  #forget(): void {
    this.#settled = "";
    this.#groups = [];
    this.#last = [];
    this.#keys = 0;
    this.#links = [];
  }

  #lex(text: string): Token[] {
    const lexer = new Lexer();
    // Addresses that were defined above count below, too.
    for (const { tag, href, title = "" } of this.#links) lexer.tokens.links[tag] = { href, title };
    return [...lexer.lex(text)];
  }

  #settle(token: Token): void {
    this.#settled += token.raw;
    if (token.type === "def") this.#links.push(token as Tokens.Def);
    if (!isPainted(token)) return;
    this.#keys += 1;
    this.#last = [...this.#last, { key: this.#keys, token }];
    if (this.#last.length < GROUP_BLOCKS) return;
    this.#groups = [...this.#groups, { key: this.#keys, blocks: this.#last }];
    this.#last = [];
  }

  /** Close what the newest block has left open, for the eye. */
  #repaired(token: Token): Token[] {
    if (token.type === "code") {
      const code = token as Tokens.Code;
      return [{ ...code, text: code.text.replace(UNFINISHED_FENCE, "") }];
    }
    const repaired = remend(token.raw, { linkMode: "text-only" });
    return repaired === token.raw ? [token] : this.#lex(repaired);
  }

  #withTail(tail: readonly Token[]): readonly Group[] {
    const blocks = tail.map((token, index) => ({ key: this.#keys + 1 + index, token }));
    if (this.#last.length + blocks.length === 0) return this.#groups;
    // The group's key is the one that it will have when it is full.
    const key = (this.#groups.length + 1) * GROUP_BLOCKS;
    return [...this.#groups, { key, blocks: [...this.#last, ...blocks] }];
  }
}

/**
 * Return a string of its own. Engines keep the whole text alive for a slice of it, and each block
 * would keep the text of its own moment.
 */
function copyOf(slice: string): string {
  return slice.split("").join("");
}

function isPainted(token: Token): boolean {
  return token.type !== "space" && token.type !== "def";
}
