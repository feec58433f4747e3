// The AI SDK's own calls over its provider for compatible servers:
// `node core.mjs 7 http://... {model and questions}`. Prints what each scenario saw, or how it failed.
import { z } from "zod";

const [, , version, url, given] = process.argv;
const ai = await import(`ai${version}`);
const { createOpenAICompatible } = await import(`compatible${version}`);
const { model, embeddingModel, explain, count, trip, weather, both } = JSON.parse(given);
const potok = createOpenAICompatible({
  name: "potok",
  baseURL: `${url}/v1`,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const chat = potok.chatModel(model);
const schema = z.object({ city: z.string(), days: z.number().int() });
const tellingTool = (name) =>
  ai.tool({
    description: `Find the ${name.slice(4)}`,
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `sunny in ${city}`,
  });
const tools = { get_weather: tellingTool("get_weather"), get_time: tellingTool("get_time") };
const stopWhen = ai.stepCountIs ? ai.stepCountIs(4) : ai.isStepCount(4);

const scenarios = {
  text: async () => {
    const { text, usage, finishReason } = await ai.generateText({ model: chat, prompt: explain });
    return { text, finishReason, tokens: usage.outputTokens };
  },
  stream: async () => {
    const stream = ai.streamText({ model: chat, prompt: explain });
    const seen = { text: "", pieces: 0 };
    for await (const piece of stream.textStream) {
      seen.text += piece;
      seen.pieces += 1;
    }
    return { ...seen, finishReason: await stream.finishReason, tokens: (await stream.usage).outputTokens };
  },
  tools: async () => {
    const { get_weather } = tools;
    const told = await ai.generateText({ model: chat, prompt: weather, tools: { get_weather }, stopWhen });
    return { text: told.text, steps: told.steps.map((step) => step.toolCalls.map((call) => call.input)) };
  },
  streamTools: async () => {
    const stream = ai.streamText({ model: chat, prompt: both, tools, stopWhen });
    const calls = [];
    let text = "";
    for await (const part of stream.fullStream) {
      if (part.type === "error") throw part.error;
      if (part.type === "tool-call") calls.push([part.toolName, part.input]);
      if (part.type === "text-delta") text += part.text;
    }
    return { calls, text };
  },
  object: async () => {
    const { object } = await ai.generateObject({ model: chat, prompt: trip, schema });
    const stream = ai.streamObject({ model: chat, prompt: trip, schema });
    for await (const _ of stream.partialObjectStream);
    return [object, await stream.object];
  },
  output: async () => {
    const output = ai.Output.object({ schema });
    const told = await ai.generateText({ model: chat, prompt: trip, output });
    return told.output;
  },
  abort: async () => {
    const stopping = new AbortController();
    const stream = ai.streamText({ model: chat, prompt: count, abortSignal: stopping.signal });
    let text = "";
    const kinds = [];
    for await (const part of stream.fullStream) {
      kinds.push(part.type);
      if (part.type === "text-delta" && (text += part.text).length > 20) stopping.abort();
    }
    return { text, last: kinds.at(-1) };
  },
  embeddings: async () => {
    const model = (potok.embeddingModel ?? potok.textEmbeddingModel)(embeddingModel);
    return (await ai.embed({ model, value: "river" })).embedding.slice(0, 3);
  },
  mistake: async () => {
    const asking = { model: potok.chatModel("nobody"), prompt: "?", maxRetries: 0 };
    return ai.generateText(asking).catch((error) => ({ name: error.name, status: error.statusCode, message: error.message }));
  },
};

const seen = {};
for (const [name, play] of Object.entries(scenarios)) {
  try {
    seen[name] = await play();
  } catch (error) {
    seen[name] = { failed: String(error?.stack ?? error) };
  }
}
console.log(JSON.stringify(seen));
process.exit(0);
