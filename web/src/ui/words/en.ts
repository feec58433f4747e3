/** The page's words in English; the other languages have the same names. */

/** Forms of a counted noun, by the categories of `Intl.PluralRules`. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

export const EN = {
  title: "Potok",
  chat: "Conversation",
  pages: "Pages",
  chatPage: "Chat",
  agentsPage: "Agents",
  skip: "Go to the message field",
  you: "You",
  answerOf: "Answer",
  newChat: "New chat",
  restoreChat: "Bring back the previous chat",
  language: "Русский",
  languageTag: "ru",
  themeAuto: "Theme: as the system",
  themeLight: "Theme: light",
  themeDark: "Theme: dark",

  askPlaceholder: "Ask something",
  ask: "Message",
  send: "Send",
  stop: "Cancel",
  stopping: "Stopping…",
  keysHint: "Shift+Enter: new line",
  stopHint: "Esc stops the answer",
  busyHint: "One answer at a time: wait for it, or stop it with Esc.",
  tooLong: "This is longer than one message may be. Shorten it, please.",
  model: "Model",
  noModels: "no model",
  modelsLoading: "Loading models…",
  toBottom: "To the newest",

  welcome: "What would you like to know?",
  welcomeMore:
    "The answer is kept while it is written. Reload the page, lose the network, open another tab: it goes on.",
  starters: [
    "What is Potok?",
    "Tell me in detail how an answer survives a reload",
    "Think step by step: how to cancel a run?",
  ],
  startersPlain: [
    "Explain in detail how rivers find their way to the sea",
    "Write a table of three ways to brew coffee",
    "Show a short Python program with comments",
  ],

  demoTitle: "The demo model answers here",
  demoBody:
    "It is built in, works offline and is no language model: it knows only Potok's own pages and what you type. For real answers, connect one:",
  demoKey: "With a key of OpenAI, or of whoever speaks its API",
  demoOllama: "With Ollama on this machine: start it, and its models appear here by themselves",
  demoChip: "demo, no language model",
  demoChipShort: "no LLM",
  demoOpen: "How to connect a model",
  close: "Close",

  waiting: "Waiting for the first word",
  generating: "Writing the answer…",
  thinking: "Thinking…",
  thought: "Thoughts",
  tool: "Call",
  toolResult: "Result",
  goneOn: "The answer went on after an interruption.",
  copy: "Copy",
  copied: "Copied",
  copyFailed: "Not copied",
  copyAnswer: "Copy the answer",
  copyCode: "Copy the code",
  again: "Answer again",
  retry: "Try again",
  cancelled: "Stopped. What was written is kept.",
  cancelledEmpty: "Stopped before the first word.",
  failed: "The answer broke off.",
  failedEmpty: "There is no answer.",
  keptText: "What was written is kept.",
  lost: "The server could not be reached any more. The answer may have gone on there.",
  gone: "The server does not have this answer any more.",
  reconnect: "Connect",
  stopFailed: "It could not be stopped:",
  cutAnswer: "The answer reached its limit of length.",
  droppedOld: "The beginning of this conversation had no room in the browser and is not kept.",
  notKept: "The browser has no room left: this conversation will not survive a reload.",

  offline:
    "No network. The answer goes on at the server and will be here as soon as the network is.",
  reconnecting: "The connection is lost. Connecting again…",
  back: "Connected again.",
  disconnected: "The server does not answer.",
  buffered:
    "Something between this page and the server holds the stream back, so words come in lumps. In nginx, proxy_buffering off for this address helps.",

  keyTitle: "This server asks for its key",
  keyBody: "It is the value of POTOK_API_KEY. It stays in this tab and is forgotten with it.",
  key: "Key",
  keyEnter: "Open",
  keyWrong: "This is not the key.",
  unreachable: "The server does not answer yet.",
  tryNow: "Try now",

  saidAsked: "Sent. The answer is on its way.",
  saidThinking: "The model is thinking.",
  saidWriting: "The answer has begun.",
  saidStill: "The answer goes on.",
  saidDone: "The answer is complete:",
  saidStopped: "The answer was stopped.",
  saidFailed: "The answer failed:",

  tokens: { one: "# token", other: "# tokens" } as Forms,
  words: { one: "# word", other: "# words" } as Forms,
  perSecond: "# tok/s",
  firstAfter: "first after # s",
};

export type Words = typeof EN;
