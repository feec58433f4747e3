// One user's session with the AI SDK's own chat: `node session.mjs ai7 answer http://... {options}`.
// It prints, as one JSON value, what the user saw.
const [, , version, scenario, url, given] = process.argv;
const ai = await import(version);
const options = JSON.parse(given ?? "{}");
const api = `${url}/api/ui/chat`;
const seen = { chunks: [], errors: [], finishes: [], texts: [], data: [] };

class State {
  status = "ready";
  error = undefined;
  constructor(messages) {
    this.messages = messages;
  }
  pushMessage = (message) => {
    this.messages = this.messages.concat(structuredClone(message));
  };
  popMessage = () => {
    this.messages = this.messages.slice(0, -1);
  };
  replaceMessage = (index, message) => {
    this.messages = this.messages.map((one, place) => (place === index ? structuredClone(message) : one));
    onWrite?.();
  };
  snapshot = (value) => structuredClone(value);
}
class Chat extends ai.AbstractChat {
  constructor({ messages = [], ...init }) {
    super({ ...init, state: new State(messages) });
  }
}
let onWrite;

const asked = (text) => ({ id: "u1", role: "user", parts: [{ type: "text", text }] });
const textOf = (message) =>
  (message?.parts ?? []).filter((part) => part.type === "text").map((part) => part.text).join("");

// Every chunk that the server sends is checked against the SDK's own schema.
const fetching = async (address, init) => {
  const reply = await fetch(address, init);
  seen.status = reply.status;
  seen.protocol = reply.headers.get("x-vercel-ai-ui-message-stream");
  seen.run = reply.headers.get("x-potok-run");
  if (reply.status !== 200) return reply;
  const [one, other] = reply.body.tee();
  check(other).catch(() => undefined);
  return new Response(one, { status: reply.status, headers: reply.headers });
};
const check = async (body) => {
  const stream = ai.parseJsonEventStream({ stream: body, schema: ai.uiMessageChunkSchema });
  for await (const part of stream) {
    if (!part.success) seen.invalid = String(part.error);
    else seen.chunks.push(part.value.type);
  }
};
const open = (more = {}) =>
  new Chat({
    id: options.chat ?? "chat-1",
    transport: new ai.DefaultChatTransport({ api, fetch: fetching, body: options.body }),
    onError: (error) => seen.errors.push(error.message),
    onFinish: ({ isAbort, isError, isDisconnect, finishReason }) =>
      seen.finishes.push({ isAbort, isError, isDisconnect, finishReason }),
    onData: (part) => seen.data.push(part.type),
    ...more,
  });
const report = (chat) => ({ ...seen, state: chat.status, messages: chat.messages, text: textOf(chat.lastMessage) });
const afterWords = (chat, count, act) => {
  onWrite = () => {
    if (textOf(chat.lastMessage).length < count) return;
    onWrite = undefined;
    act();
  };
};
const cancel = () =>
  fetch(`${api}/${encodeURIComponent(options.chat ?? "chat-1")}/cancel`, { method: "POST" });

const scenarios = {
  answer: async () => {
    const chat = open();
    await chat.sendMessage(asked(options.prompt));
    return report(chat);
  },
  // The page goes away in the middle; another one opens with what was saved, and resumes.
  reload: async () => {
    const first = open();
    afterWords(first, 40, () => first.stop());
    await first.sendMessage(asked(options.prompt));
    const partial = textOf(first.lastMessage);
    const before = first.lastMessage.id;
    seen.chunks = [];
    const second = open({ messages: options.saved === "all" ? first.messages : [asked(options.prompt)] });
    await second.resumeStream();
    return { ...report(second), partial, before };
  },
  resume: async () => {
    const chat = open({ messages: [asked(options.prompt ?? "?")] });
    await chat.resumeStream();
    return report(chat);
  },
  stop: async () => {
    const chat = open();
    afterWords(chat, 40, cancel);
    await chat.sendMessage(asked(options.prompt));
    return report(chat);
  },
  // A tool of the page: its output is sent back by itself, and the answer goes on.
  tool: async () => {
    const chat = open({
      sendAutomaticallyWhen: ai.lastAssistantMessageIsCompleteWithToolCalls,
      onToolCall: ({ toolCall }) => {
        chat.addToolOutput({ tool: toolCall.toolName, toolCallId: toolCall.toolCallId, output: { sunny: true } });
      },
    });
    await chat.sendMessage(asked(options.prompt));
    for (let tries = 0; tries < 100 && !textOf(chat.lastMessage); tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    while (chat.status !== "ready") await new Promise((resolve) => setTimeout(resolve, 20));
    return report(chat);
  },
  // The lower level: a stream read into messages, each longer than the one before.
  read: async () => {
    const transport = new ai.DefaultChatTransport({ api, fetch: fetching });
    const stream = await transport.sendMessages({
      chatId: "chat-1",
      messages: [asked(options.prompt)],
      trigger: "submit-message",
      messageId: undefined,
      abortSignal: undefined,
    });
    let last;
    for await (const message of ai.readUIMessageStream({ stream })) {
      last = message;
      seen.texts.push(textOf(message).length);
    }
    return { ...seen, messages: [last], text: textOf(last) };
  },
};

const result = await scenarios[scenario]();
await new Promise((resolve) => setTimeout(resolve, 50));
console.log(JSON.stringify(result));
process.exit(0);
