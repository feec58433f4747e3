import type { ReactNode } from "react";

import { Icon, Sign } from "./Icon.tsx";
import { useWords } from "./words/index.ts";

type Theme = "auto" | "light" | "dark";
const NEXT = { auto: "light", light: "dark", dark: "auto" } as const;
const ICONS = { auto: "half", light: "sun", dark: "moon" } as const;

interface HeaderProps {
  readonly theme: Theme;
  readonly onTheme: (theme: Theme) => void;
  readonly onLanguage: () => void;
  /** Null: there is nothing to begin anew. */
  readonly onNewChat: (() => void) | null;
  readonly children?: ReactNode;
}

export function Header({ theme, onTheme, onLanguage, onNewChat, children }: HeaderProps) {
  const words = useWords();
  const themes = { auto: words.themeAuto, light: words.themeLight, dark: words.themeDark };
  return (
    <header className="header">
      <h1 className="header__name">
        <Sign />
        {words.title}
      </h1>
      {children}
      <div className="header__tools">
        {onNewChat !== null && (
          <button type="button" className="button button--plain" onClick={onNewChat}>
            <Icon name="plus" />
            <span className="header__word">{words.newChat}</span>
          </button>
        )}
        <button
          type="button"
          className="button button--plain"
          lang={words.languageTag}
          onClick={onLanguage}
        >
          {words.language}
        </button>
        <button
          type="button"
          className="button button--plain button--icon"
          aria-label={themes[theme]}
          title={themes[theme]}
          onClick={() => onTheme(NEXT[theme])}
        >
          <Icon name={ICONS[theme]} />
        </button>
      </div>
    </header>
  );
}
