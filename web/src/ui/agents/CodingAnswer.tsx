import type { Message } from "../../core/index.ts";
import type { CodeFacts } from "../../react/agentData.ts";
import { codeFactsOf, roundsOf } from "../../react/agentData.ts";
import { Markdown } from "../markdown/Markdown.tsx";
import { MessageParts } from "../MessageParts.tsx";
import { useAgentWords } from "../words/agents.ts";
import { useNumbers } from "../words/index.ts";
import { CodeFiles } from "./CodeFiles.tsx";
import { RoundsDiff } from "./RoundsDiff.tsx";
import { StageLanes } from "./StageLanes.tsx";

interface CodingAnswerProps {
  readonly message: Message;
  readonly isOpen: boolean;
}

/** An answer of the coding agent: its stages, the code while it is written, files, and a review. */
export function CodingAnswer({ message, isOpen }: CodingAnswerProps) {
  const rounds = roundsOf(message);
  const facts = codeFactsOf(message);
  if (message.stages.length === 0 && rounds.length === 0) {
    return <MessageParts message={message} isOpen={isOpen} />;
  }
  const others = message.parts.filter((part) => !rounds.includes(part));
  const hasFiles = facts !== null && facts.files.length > 0;
  return (
    <div className="coding">
      <StageLanes stages={message.stages} isOpen={isOpen} />
      {facts !== null && <Plan steps={facts.plan} />}
      {rounds.map((round, index) => (
        <Round
          key={round.id}
          text={round.text}
          isOpen={isOpen && round.state === "open"}
          number={index + 1}
          isLast={index === rounds.length - 1}
          before={index > 0 ? (rounds[index - 1]?.text ?? null) : null}
          isShown={!hasFiles}
        />
      ))}
      {hasFiles && <CodeFiles files={facts.files} />}
      <MessageParts message={{ ...message, parts: others }} isOpen={isOpen} />
      {facts !== null && <Review facts={facts} />}
    </div>
  );
}

interface RoundProps {
  readonly text: string;
  readonly isOpen: boolean;
  readonly number: number;
  readonly isLast: boolean;
  /** The code of the attempt before. */
  readonly before: string | null;
  /** Whether the code of the last attempt stands nowhere else. */
  readonly isShown: boolean;
}

function Round({ text, isOpen, number, isLast, before, isShown }: RoundProps) {
  const words = useAgentWords();
  const isAlone = number === 1 && isLast;
  const title = isAlone ? words.code : words.codeOfAttempt.replace("#", String(number));
  return (
    <>
      {isLast && isShown && (
        <section className="round" data-round={number}>
          <h4>{title}</h4>
          <Markdown text={text} isOpen={isOpen} />
        </section>
      )}
      {!isLast && (
        <details className="round" data-round={number}>
          <summary>{title}</summary>
          <Markdown text={text} isOpen={false} />
        </details>
      )}
      {before !== null && !isOpen && <RoundsDiff attempt={number} before={before} after={text} />}
    </>
  );
}

function Plan({ steps }: { steps: readonly string[] }) {
  const words = useAgentWords();
  if (steps.length === 0) return null;
  return (
    <details className="plan">
      <summary>{words.plan}</summary>
      <ol>
        {steps.map((step, index) => (
          <li key={index}>{step}</li>
        ))}
      </ol>
    </details>
  );
}

function Review({ facts }: { facts: CodeFacts }) {
  const words = useAgentWords();
  const { count } = useNumbers();
  const { verdict, issues, iterations } = facts;
  if (verdict === null) return null;
  return (
    <section className="review">
      <p>
        {words.verdict}: <strong>{verdict === "ok" ? words.verdictOk : words.verdictFix}</strong>
        {iterations > 0 && ` · ${count(iterations, words.rounds)}`}
      </p>
      {issues.length > 0 && (
        <ul>
          {issues.map((issue, index) => (
            <li key={index}>{issue}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
