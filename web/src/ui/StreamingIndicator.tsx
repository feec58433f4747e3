import { useNumbers, useWords } from "./words/index.ts";

interface StreamingIndicatorProps {
  readonly isStreaming: boolean;
  readonly estimatedTokens?: number;
  readonly currentTokens?: number;
  /** What happens now; without it, that the answer is being written. */
  readonly text?: string;
}

/** Says that an answer is being written, and how far it is if anybody knows. */
export function StreamingIndicator(props: StreamingIndicatorProps) {
  const { isStreaming, estimatedTokens, currentTokens = 0, text } = props;
  const words = useWords();
  const { count } = useNumbers();
  if (!isStreaming) return null;
  return (
    <div className="streaming-indicator">
      <span className="streaming-indicator__pulse" aria-hidden="true" />
      <span>{text ?? words.generating}</span>
      {currentTokens > 0 && (
        <span className="streaming-indicator__count">{count(currentTokens, words.tokens)}</span>
      )}
      {estimatedTokens !== undefined && estimatedTokens > 0 && (
        <progress
          className="streaming-indicator__progress"
          max={estimatedTokens}
          value={Math.min(currentTokens, estimatedTokens)}
          aria-label={words.generating}
        />
      )}
    </div>
  );
}
