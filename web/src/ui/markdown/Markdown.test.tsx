import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";

import { piecesOf } from "./CodeBlock.tsx";
import { decodeEntities } from "./entities.ts";
import { Markdown } from "./Markdown.tsx";

function paint(text: string, isOpen = false): string {
  return renderToStaticMarkup(<Markdown text={text} isOpen={isOpen} />);
}

test.each([
  "<script>alert(1)</script>",
  '<img src=x onerror="alert(1)">',
  "text <iframe src=//evil.example></iframe> text",
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](data:text/html,hi)",
  "[x](/api/runs)",
  "[x](vbscript:x)",
  "<https://ok.example> <javascript:alert(1)>",
  "![x](https://evil.example/x.png)",
  '![x](x" onerror="alert(1))',
  '[x](https://a.example/"onclick=alert(1))',
  "| <b onclick=x> |\n|---|\n| <svg/onload=x> |",
  "- <form action=//evil.example><button>x</button></form>",
])("%s becomes text or a harmless link", (source) => {
  const html = paint(source);

  expect(html).not.toMatch(/<(script|img|iframe|svg|form|object|style|b)\b/i);
  expect(html).not.toMatch(/<[^>]+\son\w+=/i);
  for (const [, address] of html.matchAll(/href="([^"]*)"/g)) {
    expect(address).toMatch(/^https:\/\//);
  }
});

test("links leave in a tab that knows nothing of this one", () => {
  const html = paint("[here](https://example.com)");

  expect(html).toContain('target="_blank" rel="noopener noreferrer"');
});

test.each([
  ["words", "<p"],
  ["# title", "</h3>"],
  ["- item", "</li>"],
  ["> quote", "</blockquote>"],
  ["```\ncode", "</code>"],
  ["| a |\n|---|\n| b |", "</table>"],
])("the cursor stands at the end of %j", (source, place) => {
  const html = paint(source, true);

  expect(html.match(/▋/g)).toHaveLength(1);
  expect(html).toContain(place);
  expect(paint(source)).not.toContain("▋");
});

test("nothing yet is the cursor alone", () => {
  expect(paint("", true)).toContain("▋");
  expect(paint("")).not.toContain("▋");
});

test("headings begin below those of the page, and text may run from right to left", () => {
  const html = paint("# שלום\n\n###### deep");

  expect(html).toContain('<h3 dir="auto">');
  expect(html).toContain('<h6 dir="auto">');
});

test("tasks, starts of lists and sides of columns are kept", () => {
  const html = paint("3. three\n\n- [x] done\n- [ ] open\n\n|a|\n|--:|\n|1|");

  expect(html).toContain('<ol start="3">');
  expect(html.match(/type="checkbox"/g)).toHaveLength(2);
  expect(html).toContain('class="is-right"');
});

test("quotes in quotes end somewhere", () => {
  expect(paint(`${">".repeat(200)} deep`)).toContain("deep");
});

test.each([
  ["&lt;b&gt; &amp; &#169; &#x41;", "<b> & © A"],
  ["&nosuch; &copy", "&nosuch; &copy"],
  ["&#0; &#xD800; &#x110000;", "\ufffd \ufffd \ufffd"],
])("%s reads %s", (source, text) => {
  expect(decodeEntities(source)).toBe(text);
});

test.each([0, 1, 63, 64, 65, 1000])("code of %i lines is cut without a lost letter", (count) => {
  const code = Array.from({ length: count }, (_, line) => `line ${line}`).join("\n");

  expect(piecesOf(code).join("")).toBe(code);
});
