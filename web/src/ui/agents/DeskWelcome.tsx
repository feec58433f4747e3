import { Icon } from "../Icon.tsx";
import type { Starter } from "../words/agents.ts";
import { useAgentWords } from "../words/agents.ts";
import { useWords } from "../words/index.ts";

interface DeskWelcomeProps {
  readonly desk: "jewelry" | "coding" | "translator";
  /** Whether nothing but the demo model answers. */
  readonly isDemo: boolean;
  readonly canSend: boolean;
  readonly onAsk: (starter: Starter) => void;
  /** Null: there is no earlier conversation. */
  readonly onRestore: (() => void) | null;
}

/** What stands at a desk where nothing was asked yet. */
export function DeskWelcome({ desk, isDemo, canSend, onAsk, onRestore }: DeskWelcomeProps) {
  const words = useWords();
  const { title, more, demo, starters } = useAgentWords()[desk];
  return (
    <div className="welcome">
      <h2>{title}</h2>
      <p className="welcome__more">{more}</p>
      <ul className="starters">
        {starters.map((starter) => (
          <li key={starter.text}>
            <button
              type="button"
              className="starter"
              disabled={!canSend}
              onClick={() => onAsk(starter)}
            >
              {starter.text}
            </button>
          </li>
        ))}
      </ul>
      {onRestore !== null && (
        <button type="button" className="button button--plain" onClick={onRestore}>
          <Icon name="back" />
          {words.restoreChat}
        </button>
      )}
      {isDemo && <p className="desk-note">{demo}</p>}
    </div>
  );
}
