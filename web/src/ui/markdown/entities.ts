/** Character references as Markdown writes them; HTML has 2,000 more that nobody types. */

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  shy: "\u00ad",
  ensp: "\u2002",
  emsp: "\u2003",
  thinsp: "\u2009",
  ndash: "–",
  mdash: "—",
  hellip: "…",
  laquo: "«",
  raquo: "»",
  bull: "•",
  middot: "·",
  times: "×",
  divide: "÷",
  deg: "°",
  plusmn: "±",
  ne: "≠",
  le: "≤",
  ge: "≥",
  rarr: "→",
  larr: "←",
  copy: "©",
  reg: "®",
  trade: "™",
  euro: "€",
};
const REFERENCE = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));/g;
const CODE_POINT_MAX = 0x10ffff;

/** Return a text with its character references replaced; unknown ones stay as they are. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(REFERENCE, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    const point = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    const isText = point > 0 && point <= CODE_POINT_MAX && (point < 0xd800 || point > 0xdfff);
    return isText ? String.fromCodePoint(point) : "\ufffd";
  });
}
