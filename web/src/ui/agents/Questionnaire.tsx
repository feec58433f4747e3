import { useEffect, useId, useRef } from "react";

import type { Question } from "../../react/agentData.ts";
import { useAgentWords } from "../words/agents.ts";

interface QuestionnaireProps {
  readonly question: Question;
  readonly onAnswer: (text: string) => void;
}

/** The open question of a test, with a button for each answer; one may write instead, too. */
export function Questionnaire({ question, onAnswer }: QuestionnaireProps) {
  const words = useAgentWords();
  const id = useId();
  const options = useRef<HTMLDivElement>(null);
  const { text, index, total } = question;
  const place = words.question.replace("##", String(total)).replace("#", String(index + 1));
  useEffect(() => {
    // The button of the last answer had the focus, and is gone.
    if (document.activeElement !== document.body) return;
    options.current?.querySelector("button")?.focus({ preventScroll: true });
  }, [question.id]);
  return (
    <section className="question" aria-labelledby={id}>
      <p className="question__place">
        {place}
        <progress max={total} value={index} aria-label={place} />
      </p>
      <h4 id={id}>{text}</h4>
      <div ref={options} className="question__options" role="group" aria-label={words.answers}>
        {question.options.map((option) => (
          <button key={option} type="button" className="starter" onClick={() => onAnswer(option)}>
            {option}
          </button>
        ))}
      </div>
      <p className="question__ways">
        {index > 0 && (
          <button
            type="button"
            className="button button--quiet"
            onClick={() => onAnswer(words.sendBack)}
          >
            {words.goBack}
          </button>
        )}
        <button
          type="button"
          className="button button--quiet"
          onClick={() => onAnswer(words.sendSkip)}
        >
          {words.skipIt}
        </button>
      </p>
    </section>
  );
}
