// Reads one `streamText` to its end, whatever that is: `node cut.mjs 7 http://... key`.
const [, , version, url, key] = process.argv;
const ai = await import(`ai${version}`);
const { createOpenAICompatible } = await import(`compatible${version}`);
const potok = createOpenAICompatible({ name: "potok", baseURL: `${url}/v1` });
const seen = { text: "", failed: null };
const { fullStream } = ai.streamText({
  model: potok.chatModel("demo"),
  prompt: "Count to 300",
  headers: { "Idempotency-Key": key },
  maxRetries: 0,
  onError: () => undefined,
});
try {
  for await (const part of fullStream) {
    if (part.type === "text-delta") seen.text += part.text;
    if (part.type === "error") seen.failed = part.error.name ?? "error";
  }
} catch (error) {
  seen.failed = error.name;
}
console.log(JSON.stringify(seen));
process.exit(0);
