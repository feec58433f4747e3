import { useId } from "react";

import type { Message } from "../../core/index.ts";
import type { Findings, Voice } from "../../react/agentData.ts";
import { reasonOf, voicesOf } from "../../react/agentData.ts";
import { Markdown } from "../markdown/Markdown.tsx";
import { Thinking } from "../Thinking.tsx";
import { useAgentWords } from "../words/agents.ts";
import { ForecastChart } from "./ForecastChart.tsx";
import { ProductCards } from "./ProductCards.tsx";
import { Questionnaire } from "./Questionnaire.tsx";
import { SegmentsChart } from "./SegmentsChart.tsx";
import { TrendBars } from "./TrendBars.tsx";

interface VoicesProps {
  readonly message: Message;
  /** Null: it is not the newest answer, or it is still written. */
  readonly onAnswer: ((text: string) => void) | null;
}

/** An answer of the house: a column for each agent that speaks. */
export function Voices({ message, onAnswer }: VoicesProps) {
  const words = useAgentWords();
  const voices = voicesOf(message);
  const reason = reasonOf(message);
  return (
    <>
      <div className={voices.length > 1 ? "voices voices--many" : "voices"}>
        {voices.map((voice) => (
          <VoiceView
            key={voice.agent ?? ""}
            voice={voice}
            isAlone={voices.length === 1}
            onAnswer={onAnswer}
          />
        ))}
      </div>
      {reason !== null && voices.length > 1 && (
        <p className="note">
          {words.chosenBecause} {reason}
        </p>
      )}
    </>
  );
}

interface VoiceProps {
  readonly voice: Voice;
  readonly isAlone: boolean;
  readonly onAnswer: ((text: string) => void) | null;
}

function VoiceView({ voice, isAlone, onAnswer }: VoiceProps) {
  const words = useAgentWords();
  const id = useId();
  const { agent, text, thinking, isOpen, findings, error } = voice;
  const state = stateOf(voice);
  return (
    <section
      className={`voice voice--${agent ?? "house"}`}
      aria-labelledby={agent === null ? undefined : id}
      data-agent={agent}
    >
      {agent !== null && (
        <header className="voice__head">
          <h3 id={id}>{words.wishes[agent] ?? agent}</h3>
          <span className={`voice__state is-${state}`}>{isAlone ? "" : words[state]}</span>
        </header>
      )}
      {thinking !== "" && <Thinking text={thinking} isOpen={isOpen && text === ""} />}
      {(text !== "" || (isOpen && thinking === "")) && <Markdown text={text} isOpen={isOpen} />}
      {error !== null && <p className="voice__error">{error}</p>}
      {findings !== null && <FindingsView findings={findings} onAnswer={onAnswer} />}
    </section>
  );
}

function stateOf({ isOpen, isCut, error }: Voice): "writes" | "wasCut" | "hasFailed" | "hasEnded" {
  if (isOpen) return "writes";
  if (error !== null) return "hasFailed";
  return isCut ? "wasCut" : "hasEnded";
}

interface FindingsProps {
  readonly findings: Findings;
  readonly onAnswer: ((text: string) => void) | null;
}

function FindingsView({ findings, onAnswer }: FindingsProps) {
  const words = useAgentWords();
  const { products, segments, months, forecast, trends, question, zodiac } = findings;
  return (
    <div className="findings">
      {zodiac !== null && (
        <p className="findings__sign">
          {words.zodiac} <strong>{zodiac}</strong>
        </p>
      )}
      <SegmentsChart segments={segments} />
      <ForecastChart months={months} forecast={forecast} />
      <TrendBars trends={trends} />
      <ProductCards products={products} />
      {question !== null && onAnswer !== null && (
        <Questionnaire key={question.id} question={question} onAnswer={onAnswer} />
      )}
    </div>
  );
}
