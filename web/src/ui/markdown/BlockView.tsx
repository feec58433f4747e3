import type { Token, Tokens } from "marked";
import type { ReactNode } from "react";
import { memo } from "react";

import { Cursor } from "../Cursor.tsx";
import { NESTING_MAX } from "../limits.ts";
import { CodeBlock } from "./CodeBlock.tsx";
import { Inline } from "./Inline.tsx";

interface BlockProps {
  readonly token: Token;
  /** Whether the cursor stands at its end. */
  readonly hasCursor: boolean;
  readonly depth?: number;
}

/** One block of Markdown as elements. */
export const BlockView = memo(function BlockView({ token, hasCursor, depth = 0 }: BlockProps) {
  if (depth > NESTING_MAX) return <p>{token.raw}</p>;
  const cursor = hasCursor && <Cursor />;
  switch (token.type) {
    case "heading": {
      const { depth: level, tokens } = token as Tokens.Heading;
      // The page has the first two levels.
      const Name = `h${Math.min(level + 2, 6)}` as "h3";
      return (
        <Name dir="auto">
          <Inline tokens={tokens} />
          {cursor}
        </Name>
      );
    }
    case "code": {
      const { text, lang } = token as Tokens.Code;
      return <CodeBlock code={text} language={lang ?? ""} hasCursor={hasCursor} />;
    }
    case "blockquote":
      return (
        <blockquote dir="auto">
          <Blocks
            tokens={(token as Tokens.Blockquote).tokens}
            hasCursor={hasCursor}
            depth={depth}
          />
        </blockquote>
      );
    case "list":
      return <List list={token as Tokens.List} hasCursor={hasCursor} depth={depth} />;
    case "table":
      return (
        <>
          <Table table={token as Tokens.Table} />
          {cursor}
        </>
      );
    case "hr":
      return (
        <>
          <hr />
          {cursor}
        </>
      );
    case "html":
      return (
        <p dir="auto" className="markdown__raw">
          {token.raw.trim()}
          {cursor}
        </p>
      );
    case "text":
      // The words of a list item without a paragraph of its own.
      return (
        <>
          <Inline tokens={(token as Tokens.Text).tokens ?? [token]} />
          {cursor}
        </>
      );
    default:
      return (
        <p dir="auto">
          <Inline tokens={(token as Tokens.Paragraph).tokens} />
          {cursor}
        </p>
      );
  }
});

interface BlocksProps {
  readonly tokens: readonly Token[];
  readonly hasCursor: boolean;
  readonly depth: number;
}

function Blocks({ tokens, hasCursor, depth }: BlocksProps): ReactNode {
  const painted = tokens.filter((token) => token.type !== "space" && token.type !== "def");
  if (painted.length === 0) return hasCursor && <Cursor />;
  return painted.map((token, index) => (
    <BlockView
      key={index}
      token={token}
      hasCursor={hasCursor && index === painted.length - 1}
      depth={depth + 1}
    />
  ));
}

interface ListProps {
  readonly list: Tokens.List;
  readonly hasCursor: boolean;
  readonly depth: number;
}

function List({ list, hasCursor, depth }: ListProps): ReactNode {
  const items = list.items.map((item, index) => (
    <li key={index} dir="auto" className={item.task ? "markdown__task" : undefined}>
      {item.task && <input type="checkbox" checked={item.checked === true} disabled readOnly />}
      <Blocks
        tokens={item.tokens.filter((token) => token.type !== "checkbox")}
        hasCursor={hasCursor && index === list.items.length - 1}
        depth={depth}
      />
    </li>
  ));
  if (!list.ordered) return <ul>{items}</ul>;
  return <ol start={typeof list.start === "number" ? list.start : undefined}>{items}</ol>;
}

function Table({ table }: { table: Tokens.Table }): ReactNode {
  const sides = { left: "is-left", center: "is-center", right: "is-right" };
  const sideOf = (column: number): string | undefined => {
    const side = table.align[column];
    return side == null ? undefined : sides[side];
  };
  return (
    <div className="markdown__table" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {table.header.map((cell, column) => (
              <th key={column} scope="col" dir="auto" className={sideOf(column)}>
                <Inline tokens={cell.tokens} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} dir="auto" className={sideOf(column)}>
                  <Inline tokens={cell.tokens} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
