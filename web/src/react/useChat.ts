import { useEffect, useMemo, useState, useSyncExternalStore } from "react";

import { Chat } from "./chat.ts";
import type { LineState } from "./connection.ts";
import { Connection } from "./connection.ts";
import { ConversationStore } from "./conversationStore.ts";
import { BACK_MILLISECONDS, LOSS_SHOWN_MILLISECONDS } from "./limits.ts";
import type { AnswerView, LiveAnswer } from "./liveAnswer.ts";
import { browserStorage } from "./storage.ts";

const store = new ConversationStore(browserStorage("localStorage"));

/** The tab's chat and its line; another key makes another one. */
export function useChat(key: string | null, isReady: boolean): [Chat, Connection] {
  const made = useMemo(() => {
    const connection = new Connection(key);
    return { connection, chat: new Chat(store, connection) };
  }, [key]);
  const { chat, connection } = made;
  useEffect(() => {
    if (!isReady) return;
    connection.open();
    const end = chat.begin();
    return () => {
      end();
      connection.close();
    };
  }, [chat, connection, isReady]);
  useSyncExternalStore(chat.subscribe, chat.version, chat.version);
  return [chat, connection];
}

/** A growing answer, painted as often as this machine can. */
export function useAnswer(live: LiveAnswer | null): AnswerView | null {
  const { subscribe, read } = useMemo(
    () => ({
      subscribe: (painter: () => void) => live?.subscribe(painter) ?? (() => undefined),
      read: () => live?.view ?? null,
    }),
    [live],
  );
  return useSyncExternalStore(subscribe, read, read);
}

/** What to say of the line. `quiet`: nothing, it is there or not needed. */
export type LineNews = "quiet" | "waiting" | "lost" | "back";

/**
 * News of the line, without the losses that are over at once.
 *
 * @param isWaiting Whether an answer waits for its line, which may be one of its own.
 */
export function useLineNews(connection: Connection, isWaiting: boolean): LineNews {
  const read = (): LineState => connection.state;
  const state = useSyncExternalStore(connection.subscribe, read, read);
  const isBroken = state === "waiting" || state === "lost" || isWaiting;
  const [news, setNews] = useState<LineNews>("quiet");
  useEffect(() => {
    if (isBroken) {
      const said = state === "lost" && !isWaiting ? "lost" : "waiting";
      const timer = setTimeout(() => setNews(said), LOSS_SHOWN_MILLISECONDS);
      return () => clearTimeout(timer);
    }
    setNews((last) => (last === "quiet" ? last : "back"));
    const timer = setTimeout(() => setNews("quiet"), BACK_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [isBroken, isWaiting, state]);
  return news;
}

/** Whether the machine says that it has a network. */
export function useOnline(): boolean {
  return useSyncExternalStore(
    watchNetwork,
    () => navigator.onLine,
    () => true,
  );
}

function watchNetwork(listener: () => void): () => void {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}
