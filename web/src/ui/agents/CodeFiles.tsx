import type { KeyboardEvent } from "react";
import { useId, useRef, useState } from "react";

import type { CodeFile } from "../../react/agentData.ts";
import { CodeBlock } from "../markdown/CodeBlock.tsx";
import { useAgentWords } from "../words/agents.ts";

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };

/** The files that were written, one at a time; the arrow keys go from tab to tab. */
export function CodeFiles({ files }: { files: readonly CodeFile[] }) {
  const words = useAgentWords();
  const id = useId();
  const tabs = useRef<HTMLDivElement>(null);
  const [wished, setWished] = useState(0);
  const chosen = Math.min(wished, files.length - 1);
  const file = files[chosen];
  if (file === undefined) return null;
  const press = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    const next = (chosen + step + files.length) % files.length;
    setWished(next);
    tabs.current?.querySelectorAll("button")[next]?.focus();
  };
  return (
    <div className="files">
      <div ref={tabs} className="files__tabs" role="tablist" aria-label={words.files}>
        {files.map((one, index) => (
          <button
            key={`${index} ${one.path}`}
            id={`${id}${index}`}
            type="button"
            role="tab"
            className="files__tab"
            aria-selected={index === chosen}
            aria-controls={`${id}panel`}
            tabIndex={index === chosen ? 0 : -1}
            onClick={() => setWished(index)}
            onKeyDown={press}
          >
            {one.path}
          </button>
        ))}
      </div>
      <div id={`${id}panel`} role="tabpanel" aria-labelledby={`${id}${chosen}`}>
        <CodeBlock key={chosen} code={file.content} language={file.language} hasCursor={false} />
      </div>
    </div>
  );
}
