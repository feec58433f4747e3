/** Words for screen readers alone. The conversation itself is not read aloud while it grows. */

import type { ReactNode } from "react";
import { createContext, useCallback, useContext, useState } from "react";

const Announce = createContext<(text: string) => void>(() => undefined);

/** Holds the one polite region; whoever is below may speak through it. */
export function Announcer({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState({ text: "", turn: 0 });
  const announce = useCallback((text: string) => {
    setSaid((last) => ({ text, turn: last.turn + 1 }));
  }, []);
  return (
    <Announce value={announce}>
      {children}
      <div className="unseen" role="status" aria-live="polite" data-testid="announcer">
        {/* Another element each time: the same words twice are said twice. */}
        <p key={said.turn}>{said.text}</p>
      </div>
    </Announce>
  );
}

export function useAnnounce(): (text: string) => void {
  return useContext(Announce);
}
