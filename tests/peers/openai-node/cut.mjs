// Reads one chat completion to its end, whatever that is: `node cut.mjs openai7 http://... key`.
const [, , version, url, key] = process.argv;
const { default: OpenAI } = await import(version);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
const asking = { model: "demo", messages: [{ role: "user", content: "Count to 300" }], stream: true };
const seen = { text: "", failed: null };
try {
  const stream = await client.chat.completions.create(asking, { headers: { "Idempotency-Key": key } });
  for await (const chunk of stream) seen.text += chunk.choices[0]?.delta?.content ?? "";
} catch (error) {
  seen.failed = error.constructor.name;
}
console.log(JSON.stringify(seen));
process.exit(0);
