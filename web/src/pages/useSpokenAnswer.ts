import { useEffect, useRef } from "react";

import { reasoningOf, textOf } from "../core/index.ts";
import type { Answer } from "../react/conversation.ts";
import { messageOf } from "../react/conversation.ts";
import type { AnswerView } from "../react/liveAnswer.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { SPOKEN_UNITS_MAX, STILL_MILLISECONDS } from "../ui/limits.ts";
import { useNumbers, useWords } from "../ui/words/index.ts";

type Phase = "none" | "asked" | "thinking" | "writing" | "over";

/** Tell screen readers of an answer that grows: its turns and its end, and not each word. */
export function useSpokenAnswer(view: AnswerView | null, answer: Answer): void {
  const announce = useAnnounce();
  const words = useWords();
  const { count } = useNumbers();
  const phase = phaseOf(view, answer);
  const last = useRef<Phase>("none");
  useEffect(() => {
    const before = last.current;
    last.current = phase;
    if (phase === before) return;
    if (phase === "asked") announce(words.saidAsked);
    if (phase === "thinking") announce(words.saidThinking);
    if (phase === "writing") announce(words.saidWriting);
    // Answers that were there when the page was opened are not news.
    if (phase !== "over" || before === "none") return;
    const text = answer.message === null ? "" : textOf(messageOf(answer.message));
    const length = count(text.split(/\s+/).filter(Boolean).length, words.words);
    const said = text.length <= SPOKEN_UNITS_MAX ? text : length;
    if (answer.ending === "finished") announce(`${words.saidDone} ${said}`);
    else if (answer.ending === "cancelled") announce(words.saidStopped);
    else announce(`${words.saidFailed} ${answer.error?.message ?? ""}`);
  }, [phase, answer, announce, words, count]);
  useEffect(() => {
    if (phase !== "writing" && phase !== "thinking") return;
    const timer = setInterval(() => announce(words.saidStill), STILL_MILLISECONDS);
    return () => clearInterval(timer);
  }, [phase, announce, words]);
}

function phaseOf(view: AnswerView | null, answer: Answer): Phase {
  if (answer.ending !== null) return "over";
  if (view === null) return "none";
  if (textOf(view.message) !== "") return "writing";
  return reasoningOf(view.message) === "" ? "asked" : "thinking";
}
