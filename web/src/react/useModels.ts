import { useCallback, useEffect, useState } from "react";

import { MODELS_MILLISECONDS } from "./limits.ts";

export interface Model {
  readonly id: string;
  readonly provider: string;
}

/** `refused`: the server asks for a key, or for another one. */
export type Models =
  | { readonly state: "loading" | "refused" | "unreachable" }
  | { readonly state: "ready"; readonly models: readonly Model[] };

/** The demo's provider; it is no language model, and the page says so. */
export const DEMO = "demo";

/** The models that the server lists, and what asks for them again. */
export function useModels(key: string | null): [Models, () => void] {
  const [models, setModels] = useState<Models>({ state: "loading" });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    const headers = key === null ? {} : { Authorization: `Bearer ${key}` };
    const timer = setTimeout(() => controller.abort(), MODELS_MILLISECONDS);
    let isCurrent = true;
    void fetchModels(headers, controller.signal).then((answer) => {
      clearTimeout(timer);
      if (!isCurrent) return;
      // A list that was good before is better than none while the server is away.
      setModels((last) =>
        answer.state === "unreachable" && last.state === "ready" ? last : answer,
      );
    });
    return () => {
      isCurrent = false;
      clearTimeout(timer);
      controller.abort();
    };
  }, [key, turn]);
  return [models, useCallback(() => setTurn((last) => last + 1), [])];
}

/** Ask for the list. Never rejects. */
export async function fetchModels(
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Models> {
  try {
    const answer = await fetch("/v1/models", { headers, signal, cache: "no-store" });
    if (answer.status === 401) return { state: "refused" };
    if (!answer.ok) return { state: "unreachable" };
    const { data } = (await answer.json()) as { data: { id: string; owned_by: string }[] };
    return { state: "ready", models: data.map(({ id, owned_by }) => ({ id, provider: owned_by })) };
  } catch {
    return { state: "unreachable" };
  }
}
