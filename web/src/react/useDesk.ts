import { useEffect, useMemo, useSyncExternalStore } from "react";

import { Chat } from "./chat.ts";
import { Connection } from "./connection.ts";
import { ConversationStore } from "./conversationStore.ts";
import type { Desk } from "./desks.ts";
import { DESKS, requestOfDesk } from "./desks.ts";
import { browserStorage } from "./storage.ts";

const storage = browserStorage("localStorage");
const stores = Object.fromEntries(
  DESKS.map((desk) => [desk, new ConversationStore(storage, `potok.desk.${desk}`)]),
) as Record<Desk, ConversationStore>;

/** A desk of the agents' page: its conversation, kept and shared by tabs as the chat's is. */
export function useDesk(desk: Desk, key: string | null): [Chat, Connection] {
  const connection = useMemo(() => new Connection(key), [key]);
  const chat = useMemo(
    () => new Chat(stores[desk], connection, requestOfDesk(desk)),
    [connection, desk],
  );
  useEffect(() => {
    connection.open();
    return () => connection.close();
  }, [connection]);
  useEffect(() => chat.begin(), [chat]);
  useSyncExternalStore(chat.subscribe, chat.version, chat.version);
  return [chat, connection];
}
