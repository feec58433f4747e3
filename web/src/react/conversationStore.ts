/** The one conversation that all tabs share: each change reads what is kept, and keeps the result. */

import type { Conversation } from "./conversation.ts";
import { EMPTY, bounded, parseConversation, reusing } from "./conversation.ts";
import type { Storage } from "./storage.ts";

export class ConversationStore {
  readonly #storage: Storage;
  readonly #name: string;
  readonly #previous: string;
  readonly #copies: string;
  readonly #listeners = new Set<() => void>();
  #text: string | null = null;
  #conversation: Conversation = EMPTY;
  /** Whether the browser refused to keep it: a reload would lose what is new. */
  isFull = false;

  /** @param desk What keeps its conversation apart from others of this origin. */
  constructor(storage: Storage, desk = "potok") {
    this.#storage = storage;
    this.#name = `${desk}.conversation`;
    this.#previous = `${desk}.conversation.previous`;
    this.#copies = `${desk}.answer.`;
    this.#read();
    storage.watch((name) => {
      if (name === this.#name && this.#read()) this.#tell();
    });
  }

  get conversation(): Conversation {
    return this.#conversation;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Change what is kept; nothing happens if `change` returns what it was given. */
  update(change: (conversation: Conversation) => Conversation): void {
    // Another tab may have written since; its event is still on its way.
    if (!this.isFull) this.#read();
    const changed = change(this.#conversation);
    if (changed === this.#conversation) return;
    this.#keep(changed);
    this.#tell();
  }

  /** Begin anew; `restore` brings the old one back, until this is called again. */
  clear(): void {
    if (this.#conversation.exchanges.length > 0 && this.#text !== null) {
      this.#storage.write(this.#previous, this.#text);
    }
    this.update(() => EMPTY);
  }

  /** Whether `restore` would bring something back. */
  get hasPrevious(): boolean {
    return this.#storage.read(this.#previous) !== null;
  }

  restore(): void {
    const previous = parseConversation(this.#storage.read(this.#previous));
    this.#storage.remove(this.#previous);
    if (previous.exchanges.length > 0) this.update(() => previous);
  }

  // Copies of answers that grow. They are written often, so no tab listens to them.

  readCopy(answer: string): unknown {
    try {
      return JSON.parse(this.#storage.read(this.#copies + answer) ?? "null");
    } catch {
      return null;
    }
  }

  writeCopy(answer: string, copy: unknown): void {
    this.#storage.write(this.#copies + answer, JSON.stringify(copy));
  }

  removeCopy(answer: string): void {
    this.#storage.remove(this.#copies + answer);
  }

  /** Remove the copies of answers that no conversation has. */
  removeStrayCopies(): void {
    const previous = parseConversation(this.#storage.read(this.#previous));
    const exchanges = [...this.#conversation.exchanges, ...previous.exchanges];
    const known = new Set(exchanges.map((exchange) => this.#copies + exchange.answer.id));
    for (const name of this.#storage.names()) {
      if (name.startsWith(this.#copies) && !known.has(name)) this.#storage.remove(name);
    }
  }

  #read(): boolean {
    const text = this.#storage.read(this.#name);
    if (text === this.#text) return false;
    this.#text = text;
    this.#conversation = reusing(this.#conversation, parseConversation(text));
    return true;
  }

  #keep(conversation: Conversation): void {
    let kept = bounded(conversation);
    // Whatever else the browser keeps takes room, too: give up the oldest half until it fits.
    for (;;) {
      const text = JSON.stringify(kept);
      this.isFull = !this.#storage.write(this.#name, text);
      if (!this.isFull) this.#text = text;
      const half = Math.ceil(kept.exchanges.length / 2);
      if (!this.isFull || kept.exchanges.length <= 1) break;
      kept = { ...kept, exchanges: kept.exchanges.slice(half), dropped: kept.dropped + half };
    }
    this.#conversation = this.isFull ? conversation : kept;
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
