import { DemoNote } from "./DemoNote.tsx";
import { Icon } from "./Icon.tsx";
import { useWords } from "./words/index.ts";

interface WelcomeProps {
  readonly isDemo: boolean;
  readonly canSend: boolean;
  readonly onAsk: (question: string) => void;
  /** Null: there is no earlier conversation. */
  readonly onRestore: (() => void) | null;
}

/** What stands where no conversation is yet. */
export function Welcome({ isDemo, canSend, onAsk, onRestore }: WelcomeProps) {
  const words = useWords();
  const starters = isDemo ? words.starters : words.startersPlain;
  return (
    <div className="welcome">
      <h2>{words.welcome}</h2>
      <p className="welcome__more">{words.welcomeMore}</p>
      <ul className="starters">
        {starters.map((starter) => (
          <li key={starter}>
            <button
              type="button"
              className="starter"
              disabled={!canSend}
              onClick={() => onAsk(starter)}
            >
              {starter}
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
      {isDemo && <DemoNote />}
    </div>
  );
}
