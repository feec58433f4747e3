/** Reads the rows of `spec/vectors`, which the Python tests read too. */

const FILES: Record<string, string> = import.meta.glob("../../../../spec/vectors/*.json", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** Return the rows of one file. */
export function readRows<Row>(file: string): Row[] {
  const text = FILES[`../../../../spec/vectors/${file}`];
  if (text === undefined) throw new Error(`there is no ${file} in spec/vectors`);
  return JSON.parse(text) as Row[];
}

/** Cut bytes at places that depend on the seed alone. */
export function drawChunks(body: Uint8Array, seed: number, bytesMax: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let state = seed;
  for (let start = 0; start < body.length;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const end = start + 1 + (state % bytesMax);
    chunks.push(body.subarray(start, end));
    start = end;
  }
  return chunks;
}
