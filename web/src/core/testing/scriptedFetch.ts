/**
 * A `fetch` that a test answers call by call. It does not imitate redirects, caches or CORS, and a
 * body arrives exactly as cut by the test.
 */

const encoder = new TextEncoder();

/** One request that waits for the test's answer. */
export class ScriptedCall {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: unknown;
  readonly signal: AbortSignal | null;
  readonly answer: Promise<Response>;
  #resolve!: (response: Response) => void;
  #reject!: (error: unknown) => void;
  #body: ReadableStreamDefaultController<Uint8Array> | null = null;

  constructor(url: string, init: RequestInit) {
    this.url = url;
    this.method = init.method ?? "GET";
    this.headers = new Headers(init.headers);
    this.body = typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : null;
    this.signal = init.signal ?? null;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.signal?.addEventListener("abort", () => {
      const error = new DOMException("aborted", "AbortError");
      this.#reject(error);
      this.#end((body) => body.error(error));
    });
  }

  get isAborted(): boolean {
    return this.signal?.aborted === true;
  }

  json(value: unknown, status = 200, headers: Record<string, string> = {}): void {
    const body = status === 204 ? null : JSON.stringify(value);
    this.#resolve(
      new Response(body, { status, headers: { "content-type": "application/json", ...headers } }),
    );
  }

  /** Answer with a stream that `send`, `close` and `cut` fill and end. */
  stream(headers: Record<string, string> = {}): void {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => (this.#body = controller),
    });
    const type = { "content-type": "text/event-stream; charset=utf-8" };
    this.#resolve(new Response(body, { headers: { ...type, ...headers } }));
  }

  send(chunk: string | Uint8Array): void {
    this.#body?.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
  }

  /** End the body as a whole one. */
  close(): void {
    this.#end((body) => body.close());
  }

  /** Break the body, as a lost connection does. */
  cut(): void {
    this.#end((body) => body.error(new TypeError("network error")));
  }

  /** Fail before any answer. */
  fail(): void {
    this.#reject(new TypeError("failed to fetch"));
  }

  #end(how: (body: ReadableStreamDefaultController<Uint8Array>) => void): void {
    const body = this.#body;
    this.#body = null;
    // A reader that has gone cancels the body; ending it again is no fault of a test.
    if (body !== null && body.desiredSize !== null) {
      try {
        how(body);
      } catch {
        return;
      }
    }
  }
}

export class ScriptedFetch {
  readonly calls: ScriptedCall[] = [];

  readonly fetch = (url: string, init: RequestInit): Promise<Response> => {
    const call = new ScriptedCall(url, init);
    this.calls.push(call);
    return call.answer;
  };

  /** The newest call. */
  get last(): ScriptedCall {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error("nothing was fetched yet");
    return call;
  }

  /** Every call so far, as `POST /path`. */
  get log(): string[] {
    return this.calls.map((call) => `${call.method} ${call.url}`);
  }
}
