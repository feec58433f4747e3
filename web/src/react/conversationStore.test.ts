import { expect, test } from "vitest";

import { openExchange, withAnswer } from "./conversation.ts";
import { ConversationStore } from "./conversationStore.ts";
import { conversationOf, exchange } from "./testing/exchanges.ts";
import { SharedStorage } from "./testing/twoTabs.ts";

test("another tab sees what one tab keeps, and hears of it once", () => {
  const storage = new SharedStorage();
  const [one, two] = [new ConversationStore(storage.tab()), new ConversationStore(storage.tab())];
  let heard = 0;
  two.subscribe(() => (heard += 1));

  one.update(() => conversationOf(exchange("1", "one")));

  expect(two.conversation).toEqual(one.conversation);
  expect(heard).toBe(1);
});

test("changes of two tabs at once are both kept", () => {
  const storage = new SharedStorage();
  const one = new ConversationStore(storage.tab());
  one.update(() => conversationOf(exchange("1", "one"), exchange("2", null)));
  // This tab hears of nothing: its events are still on their way.
  const deaf = new ConversationStore({ ...storage.tab(), watch: () => () => undefined });

  one.update((last) => ({ ...last, exchanges: [...last.exchanges, exchange("3", null)] }));
  deaf.update((last) =>
    withAnswer(last, "answer-2", (answer) => ({ ...answer, ending: "failed" })),
  );

  expect(one.conversation.exchanges.map((each) => each.answer.ending)).toEqual([
    "finished",
    "failed",
    null,
  ]);
});

test("a reload finds the conversation and the copy of what grows", () => {
  const storage = new SharedStorage();
  const before = new ConversationStore(storage.tab());
  before.update(() => conversationOf(exchange("1", null)));
  before.writeCopy("answer-1", { after: "7" });

  const after = new ConversationStore(storage.tab());

  expect(openExchange(after.conversation)?.id).toBe("1");
  expect(after.readCopy("answer-1")).toEqual({ after: "7" });
});

test("copies that belong to nothing are removed", () => {
  const storage = new SharedStorage();
  const store = new ConversationStore(storage.tab());
  store.update(() => conversationOf(exchange("1", null)));
  for (const answer of ["answer-1", "stray"]) store.writeCopy(answer, {});

  store.removeStrayCopies();

  expect(store.readCopy("answer-1")).toEqual({});
  expect(store.readCopy("stray")).toBeNull();
});

test("a new chat keeps the previous one until the next", () => {
  const store = new ConversationStore(new SharedStorage().tab());
  store.update(() => conversationOf(exchange("1", "one")));

  store.clear();
  expect(store.conversation.exchanges).toEqual([]);
  store.restore();

  expect(store.conversation.exchanges.map((each) => each.id)).toEqual(["1"]);
  expect(store.hasPrevious).toBe(false);
});

test("where there is no room, the oldest half goes; if nothing helps, the tab still has it all", () => {
  const storage = new SharedStorage();
  const exchanges = Array.from({ length: 8 }, (_, index) => exchange(`${index}`, "x".repeat(500)));
  const store = new ConversationStore(storage.tab());

  storage.roomUnits = 4_000;
  store.update(() => conversationOf(...exchanges));
  expect(store.conversation.exchanges.length).toBeLessThan(8);
  expect(store.conversation.dropped + store.conversation.exchanges.length).toBe(8);
  expect(store.isFull).toBe(false);

  storage.roomUnits = 10;
  store.update(() => conversationOf(...exchanges));
  expect(store.isFull).toBe(true);
  expect(store.conversation.exchanges).toHaveLength(8);
});

test("what somebody else wrote there is no conversation", () => {
  const storage = new SharedStorage();
  storage.kept.set("potok.conversation", "garbage");

  const store = new ConversationStore(storage.tab());

  expect(store.conversation.exchanges).toEqual([]);
});
