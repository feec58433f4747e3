import { useEffect, useId, useRef, useState } from "react";

import { Icon } from "./Icon.tsx";
import { useNumbers, useWords } from "./words/index.ts";

interface ThinkingProps {
  readonly text: string;
  /** The model still thinks. */
  readonly isOpen: boolean;
}

/**
 * The model's thoughts: a low window on the newest of them while it thinks, folded away after,
 * unless somebody opened them.
 */
export function Thinking({ text, isOpen }: ThinkingProps) {
  const words = useWords();
  const { count } = useNumbers();
  const [wish, setWish] = useState<boolean | null>(null);
  const id = useId();
  const view = useRef<HTMLDivElement>(null);
  const isShown = wish ?? isOpen;
  const isWindow = isOpen && wish === null;
  useEffect(() => {
    if (isWindow && view.current !== null) view.current.scrollTop = view.current.scrollHeight;
  }, [text, isWindow]);
  return (
    <section className={isOpen ? "thinking is-open" : "thinking"}>
      <button
        type="button"
        className="thinking__head"
        aria-expanded={isShown}
        aria-controls={id}
        onClick={() => setWish(!isShown)}
      >
        <Icon name="chevron" />
        <span>{isOpen ? words.thinking : words.thought}</span>
        <span className="thinking__count">{count(wordsIn(text), words.words)}</span>
      </button>
      <div
        id={id}
        ref={view}
        hidden={!isShown}
        className={isWindow ? "thinking__text is-window" : "thinking__text"}
        dir="auto"
      >
        {text}
      </div>
    </section>
  );
}

function wordsIn(text: string): number {
  let count = 0;
  let isInside = false;
  for (let at = 0; at < text.length; at += 1) {
    const isSpace = text.charCodeAt(at) <= 32;
    if (!isSpace && !isInside) count += 1;
    isInside = !isSpace;
  }
  return count;
}
