import { memo, useMemo } from "react";

import { CopyButton } from "../CopyButton.tsx";
import { Cursor } from "../Cursor.tsx";
import { CODE_PIECE_LINES } from "../limits.ts";
import { useWords } from "../words/index.ts";

interface CodeBlockProps {
  readonly code: string;
  /** What stands behind the fence: `python`, `ts title=x`, or nothing. */
  readonly language: string;
  readonly hasCursor: boolean;
}

/** Code with its language and a button that copies it. */
export function CodeBlock({ code, language, hasCursor }: CodeBlockProps) {
  const words = useWords();
  const pieces = useMemo(() => piecesOf(code), [code]);
  const name = language.trim().split(/[\s{]/)[0] ?? "";
  return (
    <figure className="code" dir="ltr">
      <figcaption className="code__head">
        <span>{name}</span>
        <CopyButton text={code} label={words.copyCode} />
      </figcaption>
      <pre tabIndex={0}>
        <code>
          {pieces.map((piece, index) => (
            <Piece key={index} text={piece} isLast={index === pieces.length - 1} />
          ))}
          {hasCursor && <Cursor />}
        </code>
      </pre>
    </figure>
  );
}

/** Lines that are painted once; only the last piece of open code still grows. */
const Piece = memo(function Piece({ text, isLast }: { text: string; isLast: boolean }) {
  return isLast ? text : <span className="code__piece">{text}</span>;
});

/** Cut code into pieces of whole lines. The last may be short. */
export function piecesOf(code: string): string[] {
  const lines = code.split("\n");
  const pieces: string[] = [];
  for (let at = 0; at < lines.length; at += CODE_PIECE_LINES) {
    const isLast = at + CODE_PIECE_LINES >= lines.length;
    pieces.push(lines.slice(at, at + CODE_PIECE_LINES).join("\n") + (isLast ? "" : "\n"));
  }
  return pieces;
}
