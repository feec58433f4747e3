import { memo, useMemo } from "react";

import { DIFF_LINES_MAX } from "../../react/limits.ts";
import { diffLines } from "../../react/lineDiff.ts";
import { useAgentWords } from "../words/agents.ts";

interface RoundsDiffProps {
  /** Which attempt is the new one, from 2. */
  readonly attempt: number;
  readonly before: string;
  readonly after: string;
}

const SIGNS = { same: " ", added: "+", removed: "-" };

/** What an attempt made of the one before. */
export const RoundsDiff = memo(function RoundsDiff({ attempt, before, after }: RoundsDiffProps) {
  const words = useAgentWords();
  const lines = useMemo(() => diffLines(before, after), [before, after]);
  const isLong = [before, after].some((text) => text.split("\n").length > DIFF_LINES_MAX);
  return (
    <details className="diff">
      <summary>{words.changes.replace("#", String(attempt))}</summary>
      {isLong && <p className="note">{words.changesMany}</p>}
      <pre tabIndex={0} dir="ltr">
        <code>
          {lines.map(({ kind, text }, index) => (
            <span key={index} className={`diff__line is-${kind}`}>
              {kind !== "same" && <span className="unseen">{words[kind]} </span>}
              <span aria-hidden="true">{SIGNS[kind]} </span>
              {text}
              {"\n"}
            </span>
          ))}
        </code>
      </pre>
    </details>
  );
});
