import type { Message } from "../core/index.ts";
import { answerTextOf } from "../react/agentData.ts";
import { CopyButton } from "./CopyButton.tsx";
import { Icon } from "./Icon.tsx";
import { useNumbers, useWords } from "./words/index.ts";

/** Why there is no more of an answer, as far as it is not simply complete. */
export interface AnswerFault {
  /** `away`: the server cannot be reached, and the answer may go on there. */
  readonly how: "cancelled" | "failed" | "gone" | "away";
  readonly message: string | null;
}

interface AnswerEndProps {
  readonly message: Message | null;
  readonly fault: AnswerFault | null;
  /** Null: it is not the newest answer. */
  readonly onRetry: (() => void) | null;
  readonly onReconnect: () => void;
}

/** What stands below an answer that is not written any more. */
export function AnswerEnd({ message, fault, onRetry, onReconnect }: AnswerEndProps) {
  const words = useWords();
  const text = message === null ? "" : answerTextOf(message);
  const isFault = fault !== null && fault.how !== "cancelled";
  return (
    <>
      {message?.outcome === "finished" && message.finish_reason === "length" && (
        <p className="note">{words.cutAnswer}</p>
      )}
      {fault?.how === "cancelled" && (
        <p className="note">{text === "" ? words.cancelledEmpty : words.cancelled}</p>
      )}
      {isFault && <Fault fault={fault} hasText={text !== ""} />}
      <div className="answer-end">
        {fault?.how === "away" && (
          <button type="button" className="button" onClick={onReconnect}>
            {words.reconnect}
          </button>
        )}
        {onRetry !== null && (isFault || text === "") && fault?.how !== "away" && (
          <button type="button" className="button" onClick={onRetry}>
            <Icon name="again" />
            {words.retry}
          </button>
        )}
        {text !== "" && <CopyButton text={text} label={words.copyAnswer} />}
        {onRetry !== null && !isFault && text !== "" && (
          <button type="button" className="button button--quiet" onClick={onRetry}>
            {words.again}
          </button>
        )}
        {message !== null && !isFault && <Figures message={message} />}
      </div>
    </>
  );
}

function Fault({ fault, hasText }: { fault: AnswerFault; hasText: boolean }) {
  const words = useWords();
  const title = { failed: hasText ? words.failed : words.failedEmpty, gone: words.gone };
  const said = fault.how === "failed" || fault.how === "gone" ? title[fault.how] : words.lost;
  return (
    <div className="fault">
      <p>
        <strong>{said}</strong> {hasText && words.keptText}
      </p>
      {fault.message !== null && <p className="fault__more">{fault.message}</p>}
    </div>
  );
}

// A shorter wait is none to a person.
const SHOWN_SECONDS_MIN = 0.1;

/** The model, and what the answer took. */
function Figures({ message }: { message: Message }) {
  const words = useWords();
  const { count, format } = useNumbers();
  const { usage, model } = message;
  const tokens = usage === null ? message.tokens : usage.completion_tokens;
  const speed = usage?.tokens_per_second ?? null;
  const first = usage?.first_token_seconds ?? null;
  const facts = [
    model,
    tokens > 0 ? count(tokens, words.tokens) : null,
    speed === null ? null : words.perSecond.replace("#", format(speed)),
    first === null || first < SHOWN_SECONDS_MIN
      ? null
      : words.firstAfter.replace("#", format(first, 1)),
  ];
  return (
    <p className="figures">{facts.filter((fact) => fact !== null && fact !== "").join(" · ")}</p>
  );
}
