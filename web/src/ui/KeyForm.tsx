import { useState } from "react";

import { Sign } from "./Icon.tsx";
import { useWords } from "./words/index.ts";

interface KeyFormProps {
  /** Whether the key given before was refused. */
  readonly isWrong: boolean;
  readonly onKey: (key: string) => void;
}

/** Asks for the server's key. */
export function KeyForm({ isWrong, onKey }: KeyFormProps) {
  const words = useWords();
  const [key, setKey] = useState("");
  return (
    <main className="key-form">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (key.trim() !== "") onKey(key.trim());
        }}
      >
        <Sign />
        <h1>{words.keyTitle}</h1>
        <p>{words.keyBody}</p>
        {isWrong && <p role="alert">{words.keyWrong}</p>}
        <label htmlFor="key">{words.key}</label>
        <input
          id="key"
          type="password"
          value={key}
          autoComplete="current-password"
          autoFocus
          onChange={(event) => setKey(event.target.value)}
        />
        <button type="submit" className="button button--send">
          {words.keyEnter}
        </button>
      </form>
    </main>
  );
}
