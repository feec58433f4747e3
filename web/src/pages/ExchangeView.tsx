import type { ReactNode } from "react";
import { memo } from "react";

import type { Message as Said, PotokError } from "../core/index.ts";
import type { Answer, Exchange } from "../react/conversation.ts";
import { messageOf } from "../react/conversation.ts";
import type { AnswerView, LiveAnswer } from "../react/liveAnswer.ts";
import { useAnswer } from "../react/useChat.ts";
import type { AnswerFault } from "../ui/AnswerEnd.tsx";
import { AnswerEnd } from "../ui/AnswerEnd.tsx";
import { Message } from "../ui/Message.tsx";
import { MessageParts } from "../ui/MessageParts.tsx";
import { StreamingIndicator } from "../ui/StreamingIndicator.tsx";
import { useWords } from "../ui/words/index.ts";
import { useSpokenAnswer } from "./useSpokenAnswer.ts";

interface ExchangeViewProps {
  readonly exchange: Exchange;
  /** Null once the answer has ended, or while nobody reads it here. */
  readonly live: LiveAnswer | null;
  /** Why nobody reads an answer that has not ended. */
  readonly loss: PotokError | null;
  readonly isLast: boolean;
  readonly onRetry: () => void;
  readonly onReconnect: () => void;
  /** Who answers; the model unless given. */
  readonly name?: string;
  /** Paints what was said; part by part unless given. */
  readonly paint?: Paint;
}

/** Paints an answer: `isOpen` while it grows. */
export type Paint = (message: Said, isOpen: boolean, isLast: boolean) => ReactNode;

const paintParts: Paint = (message, isOpen) => <MessageParts message={message} isOpen={isOpen} />;

/** One question and its answer. */
export const ExchangeView = memo(function ExchangeView(props: ExchangeViewProps) {
  const { exchange, live, loss, isLast, onRetry, onReconnect, paint = paintParts } = props;
  const { question, answer } = exchange;
  const words = useWords();
  const view = useAnswer(live);
  const kept = answer.message === null ? null : messageOf(answer.message);
  const message = kept ?? view?.message ?? null;
  const fault = faultOf(answer, loss);
  const isOpen = answer.ending === null && loss === null;
  useSpokenAnswer(view, answer);
  return (
    <section className="exchange">
      <Message role="user" name={words.you}>
        {question}
      </Message>
      <Message
        role="assistant"
        name={`${words.answerOf}: ${props.name ?? message?.model ?? answer.model}`}
        isStreaming={isOpen}
      >
        {message !== null && paint(message, isOpen, isLast)}
        {message !== null && message.sources.length > 0 && <p className="note">{words.goneOn}</p>}
        {isOpen ? (
          <Progress view={view} />
        ) : (
          <AnswerEnd
            message={message}
            fault={fault}
            onRetry={isLast ? onRetry : null}
            onReconnect={onReconnect}
          />
        )}
      </Message>
    </section>
  );
});

function Progress({ view }: { view: AnswerView | null }) {
  const words = useWords();
  const { message = null, isStopping = false, stopError = null } = view ?? {};
  const hasBegun = message !== null && message.tokens > 0;
  const now = message?.status?.text ?? (hasBegun ? words.generating : words.waiting);
  return (
    <>
      <StreamingIndicator
        isStreaming
        currentTokens={message?.tokens ?? 0}
        text={isStopping ? words.stopping : now}
      />
      {stopError !== null && (
        <p className="note" role="alert">
          {words.stopFailed} {stopError.message}
        </p>
      )}
    </>
  );
}

function faultOf(answer: Answer, loss: PotokError | null): AnswerFault | null {
  const { ending, error, run } = answer;
  if (ending === null) return loss === null ? null : { how: "away", message: loss.message };
  if (ending === "finished") return null;
  if (ending === "cancelled") return { how: "cancelled", message: null };
  // Without a run it was refused: there never was an answer.
  const isGone = ending === "lost" && run !== null;
  return { how: isGone ? "gone" : "failed", message: error?.message ?? null };
}
