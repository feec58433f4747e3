import { Lexer } from "marked";
import { afterEach, expect, test, vi } from "vitest";

import { GROUP_BLOCKS } from "../limits.ts";
import type { Group } from "./blocks.ts";
import { BlockSplitter } from "./blocks.ts";

const DOCUMENT = `# Title

A paragraph with **bold**, \`code\` and a [link][home].
It goes on
===

- one
- two
  - inside

    a paragraph of two
1. first
2. second

\`\`\`python
def hello():

    return "\`\`"
\`\`\`

| a | b |
|---|--:|
| 1 | 2 |

> quoted
> twice

    indented code

<details>text</details>

[home]: https://example.com/home

The end, by [home].
`;

function shapeOf(groups: readonly Group[]): unknown[] {
  return groups.flatMap((group) => group.blocks.map(({ token }) => [token.type, token.raw.trim()]));
}

function whole(text: string): unknown[] {
  return shapeOf(new BlockSplitter().split(text, false));
}

afterEach(() => vi.restoreAllMocks());

test("a text that grew letter by letter has the blocks of the whole one", () => {
  const splitter = new BlockSplitter();

  for (let end = 1; end < DOCUMENT.length; end += 1) splitter.split(DOCUMENT.slice(0, end), true);

  expect(shapeOf(splitter.split(DOCUMENT, false))).toEqual(whole(DOCUMENT));
  expect(whole(DOCUMENT).length).toBeGreaterThan(9);
});

test.each([1, 7, 32, 100])("pieces of %i letters make no difference", (size) => {
  const splitter = new BlockSplitter();

  for (let end = size; end < DOCUMENT.length; end += size) {
    splitter.split(DOCUMENT.slice(0, end), true);
  }

  expect(shapeOf(splitter.split(DOCUMENT, false))).toEqual(whole(DOCUMENT));
});

test("settled blocks and full groups stay the same objects", () => {
  const splitter = new BlockSplitter();
  const paragraphs = Array.from({ length: 3 * GROUP_BLOCKS }, (_, index) => `Paragraph ${index}.`);
  const before = splitter.split(paragraphs.slice(0, 2 * GROUP_BLOCKS).join("\n\n"), true);

  const after = splitter.split(paragraphs.join("\n\n"), true);

  expect(before).toHaveLength(2);
  expect(after[0]).toBe(before[0]);
  expect(after[1]?.key).toBe(before[1]?.key);
  expect(after[1]?.blocks[0]).toBe(before[1]?.blocks[0]);
});

test("the work of a new word does not grow with the text before it", () => {
  const lexed = vi.spyOn(Lexer.prototype, "lex");
  const splitter = new BlockSplitter();
  const paragraph = "Some words of a paragraph that ends here.\n\n";
  const text = paragraph.repeat(500);

  for (let end = 40; end < text.length; end += 40) splitter.split(text.slice(0, end), true);

  const longest = Math.max(...lexed.mock.calls.map(([source]) => source.length));
  expect(lexed.mock.calls.length).toBeGreaterThan(400);
  expect(longest).toBeLessThan(5 * paragraph.length);
});

test("a text that was taken back is split anew", () => {
  const splitter = new BlockSplitter();
  splitter.split("One.\n\nTwo.\n\nThree.\n\nFour.", true);

  const groups = splitter.split("Another.", true);

  expect(shapeOf(groups)).toEqual([["paragraph", "Another."]]);
});

test("what is not closed yet is painted as if it were", () => {
  const splitter = new BlockSplitter();

  const [group] = splitter.split("Now **bold", true);

  expect(group?.blocks[0]?.token.raw).toBe("Now **bold**");
});

test.each(["`", "``", "~~"])("a fence that is about to close does not flash %s", (fence) => {
  const splitter = new BlockSplitter();

  const [group] = splitter.split(`\`\`\`js\nlet a;\n${fence}`, true);

  expect(group?.blocks[0]?.token).toMatchObject({ type: "code", text: "let a;" });
});

test("an address defined far above still counts", () => {
  const splitter = new BlockSplitter();
  const text = `[home]: https://example.com\n\n${"Words.\n\n".repeat(9)}See [home].`;
  for (let end = 1; end < text.length; end += 1) splitter.split(text.slice(0, end), true);

  const groups = splitter.split(text, false);

  const last = groups.at(-1)?.blocks.at(-1)?.token as { tokens: { type: string }[] };
  expect(last.tokens.map((token) => token.type)).toContain("link");
});
