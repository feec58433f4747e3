// OpenAI's client at work: `node session.mjs openai7 http://... {models and questions}`.
// It prints what each scenario saw, or how it failed, as one JSON value.
import { z } from "zod";

const [, , version, url, given] = process.argv;
const { default: OpenAI } = await import(version);
const { zodFunction, zodResponseFormat, zodTextFormat } = await import(`${version}/helpers/zod`);
const { model, embeddingModel, explain, count, trip, weather, both } = JSON.parse(given);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });

const asked = (content) => [{ role: "user", content }];
const place = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const declared = (name) => ({ type: "function", function: { name, parameters: place } });
const flat = (name) => ({ type: "function", name, parameters: place, strict: false });
const Trip = z.object({ city: z.string(), days: z.number().int() });
const textOf = (events) =>
  events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta).join("");

const scenarios = {
  whole: async () => {
    const answer = await client.chat.completions.create({ model, messages: asked(explain) });
    return { text: answer.choices[0].message.content, usage: answer.usage };
  },
  stream: async () => {
    const stream = await client.chat.completions.create({
      model,
      messages: asked(explain),
      stream: true,
      stream_options: { include_usage: true },
    });
    const seen = { text: "", chunks: 0 };
    for await (const chunk of stream) {
      seen.text += chunk.choices[0]?.delta?.content ?? "";
      seen.chunks += 1;
      seen.usage = chunk.usage ?? seen.usage;
    }
    return seen;
  },
  helper: async () => {
    const seen = { deltas: "" };
    const stream = client.chat.completions.stream({ model, messages: asked(explain) });
    stream.on("content", (delta) => (seen.deltas += delta));
    seen.text = await stream.finalContent();
    seen.finish = (await stream.finalChatCompletion()).choices[0].finish_reason;
    return seen;
  },
  parallel: async () => {
    const tools = ["get_weather", "get_time"].map(declared);
    const stream = client.chat.completions.stream({ model, messages: asked(both), tools });
    const { message, finish_reason } = (await stream.finalChatCompletion()).choices[0];
    return { finish: finish_reason, calls: message.tool_calls.map((call) => call.function) };
  },
  parse: async () => {
    const format = zodResponseFormat(Trip, "trip");
    const body = { model, messages: asked(trip), response_format: format };
    const whole = await client.chat.completions.parse(body);
    const streamed = await client.chat.completions.stream(body).finalChatCompletion();
    return [whole, streamed].map((answer) => answer.choices[0].message.parsed);
  },
  runTools: async () => {
    const called = [];
    const tool = zodFunction({
      name: "get_weather",
      parameters: z.object({ city: z.string() }),
      function: ({ city }) => {
        called.push(city);
        return "sunny";
      },
    });
    const run = (more) =>
      client.chat.completions.runTools({ model, messages: asked(weather), tools: [tool], ...more });
    const texts = [await run({}).finalContent(), await run({ stream: true }).finalContent()];
    return { called, texts };
  },
  response: async () => {
    const answer = await client.responses.create({ model, input: explain });
    const events = [];
    const stream = client.responses.stream({ model, input: explain });
    for await (const event of stream) events.push(event);
    const final = await stream.finalResponse();
    return { text: answer.output_text, streamed: textOf(events), final: final.output_text };
  },
  responseParse: async () => {
    const format = zodTextFormat(Trip, "trip");
    const answer = await client.responses.parse({ model, input: trip, text: { format } });
    return answer.output_parsed;
  },
  responseTools: async () => {
    const tools = [flat("get_weather")];
    const first = await client.responses.create({ model, input: weather, tools });
    const call = first.output[0];
    const output = { type: "function_call_output", call_id: call.call_id, output: "sunny" };
    const second = await client.responses.create({
      model,
      input: [output],
      previous_response_id: first.id,
      tools,
    });
    return { arguments: JSON.parse(call.arguments), text: second.output_text };
  },
  // The reader leaves in the middle, comes back after its last event, then reads it all again.
  resume: async () => {
    const stream = await client.responses.create({ model, input: count, stream: true, background: true });
    const events = [];
    for await (const event of stream) if (events.push(event) === 8) break;
    const id = events[0].response.id;
    const after = events.at(-1).sequence_number;
    for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: after }))
      events.push(event);
    const again = await client.responses.stream({ response_id: id, starting_after: after }).finalResponse();
    return {
      numbers: events.map((event) => event.sequence_number),
      text: textOf(events),
      again: again.output_text,
    };
  },
  cancel: async () => {
    const started = await client.responses.create({ model, input: count, background: true });
    const cancelled = await client.responses.cancel(started.id);
    const found = await client.responses.retrieve(started.id);
    await client.responses.delete(started.id);
    const gone = await client.responses.retrieve(started.id).catch((error) => error.status);
    return { started: started.status, cancelled: cancelled.status, found: found.status, gone };
  },
  abort: async () => {
    const stream = await client.chat.completions.create({ model, messages: asked(count), stream: true });
    let text = "";
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? "";
      if (text.length > 20) stream.controller.abort();
    }
    return { text };
  },
  embeddings: async () => {
    const ask = (more) => client.embeddings.create({ model: embeddingModel, input: "river", ...more });
    const vectors = [await ask({}), await ask({ encoding_format: "float" })];
    return vectors.map((answer) => answer.data[0].embedding.slice(0, 3));
  },
  models: async () => {
    const names = [];
    for await (const one of client.models.list()) names.push(one.id);
    return { names, one: (await client.models.retrieve(model)).id };
  },
  mistake: async () => {
    const ask = (more) => client.chat.completions.create({ model, messages: asked("?"), ...more });
    const told = (error) => ({ name: error.constructor.name, param: error.param, code: error.code });
    return [await ask({ temperature: 9 }).catch(told), await ask({ model: "nobody" }).catch(told)];
  },
};
if (version !== "openai6")
  scenarios.runner = async () => {
    const { ResponsesToolRunner } = await import(`${version}/helpers/responses-tool-runner`);
    const functions = [{ tool: flat("get_weather"), execute: async ({ city }) => `sunny in ${city}` }];
    const runner = new ResponsesToolRunner({ functions });
    const asking = { model, input: weather };
    const answers = [
      await runner.run(client, asking, { maxSteps: 4 }),
      await runner.run(client, asking, { maxSteps: 4, stream: true }),
    ];
    return answers.map((answer) => answer.output_text);
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
