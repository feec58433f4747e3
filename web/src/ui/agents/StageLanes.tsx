import type { Stage } from "../../core/index.ts";
import { useAgentWords } from "../words/agents.ts";

const LANES = ["planner", "coder", "critic"] as const;

type State = "waits" | "works" | "done" | "broken";

interface StageLanesProps {
  readonly stages: readonly Stage[];
  /** Whether the answer is under way: a stage without an end is at work only then. */
  readonly isOpen: boolean;
}

/** Planner, coder and critic, and how far each of them is in which attempt. */
export function StageLanes({ stages, isOpen }: StageLanesProps) {
  const words = useAgentWords();
  const said = {
    waits: words.stageWaits,
    works: words.stageWorks,
    done: words.stageDone,
    broken: words.stageBroken,
  };
  return (
    <ol className="lanes" aria-label={words.stages}>
      {LANES.map((lane) => {
        const attempts = stages.filter((one) => one.stage === lane);
        const last = attempts.at(-1);
        const state = last === undefined ? "waits" : stateOf(last, isOpen);
        return (
          <li key={lane} className={`lane is-${state}`} data-stage={lane}>
            <strong>{words.stage[lane] ?? lane}</strong>
            {attempts.length <= 1 && <span className="lane__state">{said[state]}</span>}
            {attempts.length > 1 && (
              <ul className="lane__attempts">
                {attempts.map((one) => (
                  <li key={one.attempt}>
                    {words.attempt.replace("#", String(one.attempt))}: {said[stateOf(one, isOpen)]}
                  </li>
                ))}
              </ul>
            )}
          </li>
        );
      })}
    </ol>
  );
}

function stateOf({ outcome }: Stage, isOpen: boolean): State {
  if (outcome === "finished") return "done";
  return outcome === null && isOpen ? "works" : "broken";
}
