import { useEffect, useState } from "react";

import { useAnnounce } from "./announcer.tsx";
import { copyText } from "./copyText.ts";
import { COPIED_MILLISECONDS } from "./limits.ts";
import { useWords } from "./words/index.ts";

interface CopyButtonProps {
  readonly text: string;
  /** What it copies, for those who do not see what it stands beside. */
  readonly label: string;
}

export function CopyButton({ text, label }: CopyButtonProps) {
  const words = useWords();
  const announce = useAnnounce();
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), COPIED_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async (): Promise<void> => {
    const word = (await copyText(text)) ? words.copied : words.copyFailed;
    setSaid(word);
    announce(word);
  };
  return (
    <button type="button" className="button button--quiet" aria-label={label} onClick={copy}>
      {said ?? words.copy}
    </button>
  );
}
