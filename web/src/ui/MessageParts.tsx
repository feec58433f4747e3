import type { Message, Part } from "../core/index.ts";
import { Markdown } from "./markdown/Markdown.tsx";
import { Thinking } from "./Thinking.tsx";
import { useWords } from "./words/index.ts";

interface MessagePartsProps {
  readonly message: Message;
  /** More is to come: the newest part has the cursor. */
  readonly isOpen: boolean;
}

/** What an answer consists of, in the order in which it began. */
export function MessageParts({ message, isOpen }: MessagePartsProps) {
  const parts = message.parts.filter((part) => part.choice === 0);
  return parts.map((part, index) => (
    <PartView
      key={part.id}
      part={part}
      text={part.text}
      isOpen={isOpen && part.state === "open"}
      isNewest={isOpen && index === parts.length - 1}
    />
  ));
}

interface PartProps {
  readonly part: Part;
  /** Given apart, because a part grows in place. */
  readonly text: string;
  readonly isOpen: boolean;
  readonly isNewest: boolean;
}

function PartView({ part, text, isOpen, isNewest }: PartProps) {
  switch (part.type) {
    case "text":
      return <Markdown text={text} isOpen={isOpen || isNewest} />;
    case "reasoning":
      return text === "" ? null : <Thinking text={text} isOpen={isOpen} />;
    case "tool":
      return <ToolCall part={part} text={text} />;
    case "data":
      return null;
  }
}

function ToolCall({ part, text }: { part: Part; text: string }) {
  const words = useWords();
  const result = part.error ?? part.result;
  return (
    <details className="tool">
      <summary>
        {words.tool}: <code>{part.name}</code>
      </summary>
      {text !== "" && <pre tabIndex={0}>{text}</pre>}
      {result !== null && (
        <>
          <p>{words.toolResult}</p>
          <pre tabIndex={0}>
            {typeof result === "string" ? result : JSON.stringify(result, null, 2)}
          </pre>
        </>
      )}
    </details>
  );
}
