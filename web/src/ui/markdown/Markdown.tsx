import { memo, useRef } from "react";

import type { Group } from "./blocks.ts";
import { BlockSplitter } from "./blocks.ts";
import { BlockView } from "./BlockView.tsx";
import { Cursor } from "../Cursor.tsx";

interface MarkdownProps {
  readonly text: string;
  /** More is to come: the cursor stands at the end, and what is open is closed for the eye. */
  readonly isOpen: boolean;
}

/** Markdown as elements, never as HTML. New words cost what they are worth, in long texts, too. */
export const Markdown = memo(function Markdown({ text, isOpen }: MarkdownProps) {
  const splitter = useRef<BlockSplitter>(null);
  splitter.current ??= new BlockSplitter();
  const groups = splitter.current.split(text, isOpen);
  return (
    <div className="markdown">
      {groups.map((group, index) => (
        <GroupView
          key={group.key}
          group={group}
          hasCursor={isOpen && index === groups.length - 1}
          isAlone={groups.length === 1}
        />
      ))}
      {isOpen && groups.length === 0 && <Cursor />}
    </div>
  );
});

interface GroupProps {
  readonly group: Group;
  readonly hasCursor: boolean;
  readonly isAlone: boolean;
}

const GroupView = memo(function GroupView({ group, hasCursor, isAlone }: GroupProps) {
  return (
    <div className={isAlone || hasCursor ? "group" : "group group--settled"}>
      {group.blocks.map((block, index) => (
        <BlockView
          key={block.key}
          token={block.token}
          hasCursor={hasCursor && index === group.blocks.length - 1}
        />
      ))}
    </div>
  );
});
