import { useEffect, useMemo, useSyncExternalStore } from "react";

import { Chat } from "./chat.ts";
import { Connection } from "./connection.ts";
import { ConversationStore } from "./conversationStore.ts";
import type { Desk } from "./desks.ts";
import { DESKS, requestOfDesk } from "./desks.ts";
import { newId } from "./newId.ts";
import type { Storage } from "./storage.ts";
import { browserStorage } from "./storage.ts";

const storage = browserStorage("localStorage");
const stores = Object.fromEntries(
  DESKS.map((desk) => [desk, new ConversationStore(storage, `potok.desk.${desk}`)]),
) as Record<Desk, ConversationStore>;

const USER = "potok.desk.user";
const user = userOf(storage);

/**
 * A desk of the agents' page: its conversation, kept and shared by tabs as the chat's is.
 *
 * @param isReady Whether it is known that the server takes the key; nothing is asked before.
 */
export function useDesk(desk: Desk, key: string | null, isReady: boolean): [Chat, Connection] {
  const connection = useMemo(() => new Connection(key), [key]);
  const chat = useMemo(
    () => new Chat(stores[desk], connection, requestOfDesk(desk, user)),
    [connection, desk],
  );
  useEffect(() => {
    if (!isReady) return;
    connection.open();
    return () => connection.close();
  }, [connection, isReady]);
  useEffect(() => (isReady ? chat.begin() : undefined), [chat, isReady]);
  useSyncExternalStore(chat.subscribe, chat.version, chat.version);
  return [chat, connection];
}

/** Return the name under which agents know whoever uses this browser. */
function userOf(storage: Storage): string {
  const known = storage.read(USER);
  if (known !== null && /^web-[\w-]{1,60}$/.test(known)) return known;
  const made = `web-${newId()}`;
  storage.write(USER, made);
  return made;
}
