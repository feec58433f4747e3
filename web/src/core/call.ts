/** One request with one answer, sent again by the same rules as a stream. */

import { Driver } from "./driver.ts";
import type { Environment } from "./environment.ts";
import type { Rules } from "./reconnectionWords.ts";

/**
 * Return what `request` gives, however many tries that takes within the rules.
 *
 * It must be harmless to send it twice. Returns null once `signal` aborts.
 *
 * @throws ServerRefused The server will not have it.
 * @throws ConnectionLost It could not be had.
 */
export function callUntilAnswered<T>(
  environment: Environment,
  request: (signal: AbortSignal) => Promise<T>,
  rules: Partial<Rules> = {},
  signal?: AbortSignal,
): Promise<T | null> {
  return new Promise((resolve, reject) => {
    let answer: T | null = null;
    const stop = (): void => driver.cancel();
    const driver = new Driver(
      environment,
      {
        async open(_after, line) {
          const value = await request(line.signal);
          line.tell({ input: "opened" });
          line.tell({ input: "received", id: null, isEnd: true }, () => {
            answer = value;
          });
        },
        ended(ending) {
          signal?.removeEventListener("abort", stop);
          if (ending.error === null) resolve(answer);
          else reject(ending.error);
        },
      },
      { after: null, rules },
    );
    signal?.addEventListener("abort", stop);
    if (signal?.aborted === true) stop();
    else driver.begin();
  });
}
