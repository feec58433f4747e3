import { memo } from "react";

import type { Segment } from "../../react/agentData.ts";
import { useAgentWords } from "../words/agents.ts";
import { useLanguage, useNumbers } from "../words/index.ts";
import { Bar } from "./Bar.tsx";
import { percent } from "./figures.ts";

/** How many customers a segment has, what they bring, and what to do: a table with bars in it. */
export const SegmentsChart = memo(function SegmentsChart(props: { segments: readonly Segment[] }) {
  const { segments } = props;
  const words = useAgentWords();
  const language = useLanguage();
  const { format } = useNumbers();
  if (segments.length === 0) return null;
  const largest = Math.max(...segments.flatMap((one) => [one.share, one.revenueShare]), 0.01);
  return (
    <table className="chart chart--segments">
      <caption>{words.segments}</caption>
      <thead>
        <tr>
          <th scope="col">{words.segment}</th>
          <th scope="col">{words.customers}</th>
          <th scope="col">{words.revenueShare}</th>
        </tr>
      </thead>
      <tbody>
        {segments.map(({ name, count, share, revenueShare, action }) => (
          <tr key={name}>
            <th scope="row">
              {name}
              {action !== "" && <small>{action}</small>}
            </th>
            <td>
              {format(count)} ({percent(share, language)})
              <Bar share={share / largest} />
            </td>
            <td>
              {percent(revenueShare, language)}
              <Bar share={revenueShare / largest} tone="warm" />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
});
