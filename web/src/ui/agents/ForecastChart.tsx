import { memo } from "react";

import type { Month, Prediction } from "../../react/agentData.ts";
import { useAgentWords } from "../words/agents.ts";
import { useLanguage } from "../words/index.ts";
import { MONTHS_SHOWN_MAX } from "../limits.ts";
import { monthName, roubles, shortRoubles } from "./figures.ts";

const WIDTH = 360;
const HEIGHT = 170;
const EDGES = { left: 8, right: 8, top: 24, bottom: 24 };

interface ForecastChartProps {
  readonly months: readonly Month[];
  readonly forecast: readonly Prediction[];
}

/** What was taken, and what is expected with its interval; the numbers stand in a table, too. */
export const ForecastChart = memo(function ForecastChart(props: ForecastChartProps) {
  const { months, forecast } = props;
  const words = useAgentWords();
  const language = useLanguage();
  if (forecast.length === 0) return null;
  return (
    <figure className="chart chart--forecast">
      <figcaption>{words.forecast}</figcaption>
      <Lines months={months.slice(-MONTHS_SHOWN_MAX)} forecast={forecast} />
      <p className="chart__legend">{words.forecastLegend}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.month}</th>
            <th scope="col">{words.expected}</th>
            <th scope="col">{words.interval}</th>
          </tr>
        </thead>
        <tbody>
          {forecast.map(({ month, value, low, high }) => (
            <tr key={month}>
              <th scope="row">{monthName(month, language, "long")}</th>
              <td>{roubles(value, language)}</td>
              <td>
                {roubles(low, language)} … {roubles(high, language)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
});

function Lines({ months, forecast }: ForecastChartProps) {
  const words = useAgentWords();
  const language = useLanguage();
  const count = months.length + forecast.length;
  const largest = Math.max(
    ...months.map((one) => one.value),
    ...forecast.map((one) => one.high),
    1,
  );
  const across = WIDTH - EDGES.left - EDGES.right;
  const x = (index: number): number => EDGES.left + (across * index) / Math.max(1, count - 1);
  const y = (value: number): number =>
    HEIGHT - EDGES.bottom - ((HEIGHT - EDGES.top - EDGES.bottom) * Math.max(0, value)) / largest;
  const at = (index: number, value: number): string =>
    `${x(index).toFixed(1)},${y(value).toFixed(1)}`;
  const past = months.map((one, index) => at(index, one.value));
  const last = past.slice(-1);
  const ahead = forecast.map((one, index) => at(months.length + index, one.value));
  const highs = forecast.map((one, index) => at(months.length + index, one.high));
  const lows = forecast.map((one, index) => at(months.length + index, one.low)).reverse();
  const names = [...months, ...forecast].map((one) => one.month);
  const named = [...new Set([0, months.length - 1, count - 1])].filter((index) => index >= 0);
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words.forecast}>
      <path
        className="chart__axis"
        d={`M${x(0)} ${y(0)}H${x(count - 1)}M${x(0)} ${y(largest)}H${x(count - 1)}`}
      />
      <polygon className="chart__band" points={[...last, ...highs, ...lows].join(" ")} />
      <polyline className="chart__line" points={past.join(" ")} />
      <polyline className="chart__line chart__line--ahead" points={[...last, ...ahead].join(" ")} />
      {forecast.map((one, index) => (
        <circle
          key={one.month}
          className="chart__point"
          cx={x(months.length + index)}
          cy={y(one.value)}
          r="3"
        />
      ))}
      <text x={x(0)} y={y(largest) - 7}>
        {shortRoubles(largest, language)}
      </text>
      {named.map((index) => (
        <text key={index} x={x(index)} y={HEIGHT - 6} textAnchor={anchorOf(index, count)}>
          {monthName(names[index] ?? "", language, "short")} {(names[index] ?? "").slice(2, 4)}
        </text>
      ))}
    </svg>
  );
}

function anchorOf(index: number, count: number): "start" | "middle" | "end" {
  if (index === 0) return "start";
  return index === count - 1 ? "end" : "middle";
}
