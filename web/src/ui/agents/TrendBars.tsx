import { memo } from "react";

import type { Trend } from "../../react/agentData.ts";
import { useAgentWords } from "../words/agents.ts";
import { useNumbers } from "../words/index.ts";
import { Bar } from "./Bar.tsx";

const SCORE_MAX = 100;

/** Trends by their score, those that only begin to rise marked. */
export const TrendBars = memo(function TrendBars({ trends }: { trends: readonly Trend[] }) {
  const words = useAgentWords();
  const { format } = useNumbers();
  if (trends.length === 0) return null;
  return (
    <table className="chart chart--trends">
      <caption>{words.trends}</caption>
      <thead>
        <tr>
          <th scope="col">{words.trend}</th>
          <th scope="col">{words.score}</th>
        </tr>
      </thead>
      <tbody>
        {trends.map(({ tag, title, score, isEmerging }) => (
          <tr key={tag}>
            <th scope="row">
              {title}
              {isEmerging && <span className="chart__mark">{words.emerging}</span>}
            </th>
            <td>
              {format(score, 1)}
              <Bar share={score / SCORE_MAX} tone={isEmerging ? "warm" : "plain"} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
});
