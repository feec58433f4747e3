/** The chat: what is asked, what is under way, what is kept. It knows no component. */

import type { Message, PotokError, RunRequest, RunState } from "../core/index.ts";
import { readMessage, writeMessage } from "../core/index.ts";
import type { Connection } from "./connection.ts";
import type { Answer, Conversation, Ending, Exchange } from "./conversation.ts";
import { openExchange, requestOf, withAnswer } from "./conversation.ts";
import type { ConversationStore } from "./conversationStore.ts";
import { PEER_START_MILLISECONDS } from "./limits.ts";
import { LiveAnswer } from "./liveAnswer.ts";
import { newId } from "./newId.ts";

const ENDINGS: Partial<Record<RunState, Ending>> = {
  finished: "finished",
  cancelled: "cancelled",
  failed: "failed",
};

const ID = /^[0-9]{1,15}$/;

export class Chat {
  readonly #store: ConversationStore;
  readonly #connection: Connection;
  readonly #request: (conversation: Conversation, exchange: Exchange) => RunRequest;
  readonly #listeners = new Set<() => void>();
  readonly #live = new Map<string, LiveAnswer>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #endings: (() => void)[] = [];
  // Answers that this tab asked for: it names their runs by itself.
  readonly #own = new Set<string>();
  // Answers that were given up here; the run may go on at the server.
  readonly #given = new Map<string, PotokError>();
  #version = 0;

  /** @param request Returns what to send for an exchange; a model's run unless given. */
  constructor(
    store: ConversationStore,
    connection: Connection,
    request: (conversation: Conversation, exchange: Exchange) => RunRequest = requestOf,
  ) {
    this.#store = store;
    this.#connection = connection;
    this.#request = request;
  }

  /** Read what is under way, and hear of other tabs; returns what ends it. The runs go on. */
  begin(): () => void {
    this.#store.removeStrayCopies();
    for (const { answer } of this.#store.conversation.exchanges) this.#read(answer.id);
    this.#endings.push(this.#store.subscribe(() => this.#follow()));
    const save = (): void => this.#live.forEach((live) => live.save());
    const see = (): void => {
      if (document.visibilityState === "hidden") save();
      else this.#readAgain();
    };
    const online = (): void => {
      this.#connection.renew();
      this.#readAgain();
    };
    addEventListener("pagehide", save);
    addEventListener("online", online);
    document.addEventListener("visibilitychange", see);
    this.#endings.push(() => {
      removeEventListener("pagehide", save);
      removeEventListener("online", online);
      document.removeEventListener("visibilitychange", see);
    });
    return () => this.#end();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Grows whenever `liveOf`, `lossOf` or the conversation would say something else. */
  readonly version = (): number => this.#version;

  get conversation(): Conversation {
    return this.#store.conversation;
  }

  get isKept(): boolean {
    return !this.#store.isFull;
  }

  get hasPrevious(): boolean {
    return this.#store.hasPrevious;
  }

  /** The answer that grows, null if it does not. */
  liveOf(answer: string): LiveAnswer | null {
    return this.#live.get(answer) ?? null;
  }

  /** Why an answer without an ending is not read any more, null if it is. */
  lossOf(answer: string): PotokError | null {
    return this.#given.get(answer) ?? null;
  }

  /** Whether an answer is under way, here or in another tab. */
  get isBusy(): boolean {
    return openExchange(this.conversation) !== null;
  }

  /** Ask. Returns whether it was asked: one answer at a time. */
  send(question: string, model: string, language: string): boolean {
    const exchange: Exchange = {
      id: newId(),
      question,
      answer: newAnswer(model, language),
    };
    this.#own.add(exchange.answer.id);
    this.#store.update((conversation) => {
      if (openExchange(conversation) !== null) return conversation;
      return { ...conversation, exchanges: [...conversation.exchanges, exchange] };
    });
    if (this.conversation.exchanges.at(-1)?.id !== exchange.id) return false;
    this.#read(exchange.answer.id);
    return true;
  }

  /** Answer the last question again. */
  retry(model: string, language: string): void {
    const last = this.conversation.exchanges.at(-1);
    if (last === undefined || last.answer.ending === null) return;
    const { run, key, id } = last.answer;
    const isSame = run === null && last.answer.model === model && last.answer.language === language;
    // If it is unknown whether it started, the key finds it instead of paying twice.
    const answer = { ...newAnswer(model, language), ...(isSame ? { key } : {}) };
    this.#own.add(answer.id);
    this.#store.update((conversation) => withAnswer(conversation, id, () => answer));
    this.#read(answer.id);
  }

  /** Stop what is under way, at the server. */
  stop(): void {
    const open = openExchange(this.conversation);
    if (open === null) return;
    const live = this.#live.get(open.answer.id);
    if (live !== undefined) void live.stop();
    else this.#close(open.answer.id, { ending: "lost" });
  }

  /** Try again to read what was given up, at once. */
  reconnect(): void {
    this.#readAgain();
  }

  /** Begin a new conversation; what is under way is stopped, for nobody could stop it later. */
  clear(): void {
    for (const live of this.#live.values()) void live.end();
    this.#live.clear();
    this.#given.clear();
    this.#store.clear();
  }

  restore(): void {
    this.#store.restore();
  }

  #end(): void {
    for (const end of this.#endings.splice(0)) end();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const live of this.#live.values()) live.leave();
    this.#live.clear();
  }

  /** Another tab, or this one, changed the conversation. */
  #follow(): void {
    const known = new Set<string>();
    for (const { answer } of this.conversation.exchanges) {
      known.add(answer.id);
      if (answer.ending !== null || this.#live.has(answer.id)) continue;
      if (answer.run !== null) this.#read(answer.id);
      else if (!this.#own.has(answer.id)) this.#soon(() => this.#read(answer.id));
    }
    for (const [id, live] of this.#live) {
      if (known.has(id)) continue;
      live.leave();
      this.#live.delete(id);
    }
    this.#tell();
  }

  #soon(act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, PEER_START_MILLISECONDS);
    this.#timers.add(timer);
  }

  #readAgain(): void {
    this.#connection.open();
    for (const id of [...this.#given.keys()]) {
      this.#given.delete(id);
      this.#read(id);
    }
  }

  #read(id: string): void {
    const conversation = this.conversation;
    const exchange = conversation.exchanges.find((one) => one.answer.id === id);
    const isOpen = exchange?.answer.ending === null;
    if (exchange === undefined || !isOpen || this.#live.has(id) || this.#given.has(id)) return;
    const { run, key } = exchange.answer;
    const copy = run === null ? null : this.#copyOf(id);
    const live = new LiveAnswer(
      this.#connection,
      {
        run,
        key,
        request: this.#request(conversation, exchange),
        after: copy?.after ?? null,
        message: copy?.message ?? null,
      },
      {
        onNamed: (named) => this.#change(id, (answer) => ({ ...answer, run: named })),
        onSave: (after, message) =>
          this.#store.writeCopy(id, { after, message: writeMessage(message) }),
        onEnd: (state, message, error) => this.#ended(id, state, message, error),
      },
    );
    this.#live.set(id, live);
    this.#tell();
  }

  #copyOf(id: string): { after: string; message: Message } | null {
    try {
      const { after, message } = this.#store.readCopy(id) as { after: string; message: unknown };
      const isId = typeof after === "string" && ID.test(after);
      return isId ? { after, message: readMessage(message) } : null;
    } catch {
      // There is none, or it was written by another version: the server has it all.
      return null;
    }
  }

  #ended(id: string, state: RunState, message: Message, error: PotokError | null): void {
    const live = this.#live.get(id);
    this.#live.delete(id);
    const ending = ENDINGS[state];
    const said = error === null ? null : { code: error.code, message: error.message };
    if (ending !== undefined) {
      this.#close(id, { ending, message: writeMessage(message), error: said });
    } else if (error !== null && (error.retryable || error.code === "unauthorized")) {
      // The run may go on: only the server knows.
      live?.save();
      this.#given.set(id, error);
      this.#tell();
    } else {
      this.#close(id, { ending: "lost", message: writeMessage(message), error: said });
    }
  }

  #close(id: string, facts: Pick<Answer, "ending"> & Partial<Answer>): void {
    this.#change(id, (answer) => (answer.ending === null ? { ...answer, ...facts } : answer));
    this.#given.delete(id);
    this.#store.removeCopy(id);
  }

  #change(id: string, change: (answer: Answer) => Answer): void {
    this.#store.update((conversation) => withAnswer(conversation, id, change));
    this.#tell();
  }

  #tell(): void {
    this.#version += 1;
    for (const listener of [...this.#listeners]) listener();
  }
}

function newAnswer(model: string, language: string): Answer {
  return {
    id: newId(),
    key: newId(),
    model,
    language,
    run: null,
    ending: null,
    message: null,
    error: null,
  };
}
