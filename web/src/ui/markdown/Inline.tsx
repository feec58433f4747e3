import type { Token, Tokens } from "marked";
import type { ReactNode } from "react";

import { decodeEntities } from "./entities.ts";

/** Only these lead anywhere; `javascript:`, `data:` and paths of this server do not. */
const LINK = /^(?:https?:\/\/|mailto:)/i;

/** Words with their emphasis, code and links. There is no HTML: what looks like it is shown. */
export function Inline({ tokens }: { tokens: readonly Token[] | undefined }): ReactNode {
  return tokens?.map((token, index) => <InlineToken key={index} token={token} />);
}

function InlineToken({ token }: { token: Token }): ReactNode {
  switch (token.type) {
    case "strong":
      return (
        <strong>
          <Inline tokens={token.tokens} />
        </strong>
      );
    case "em":
      return (
        <em>
          <Inline tokens={token.tokens} />
        </em>
      );
    case "del":
      return (
        <del>
          <Inline tokens={token.tokens} />
        </del>
      );
    case "codespan":
      return <code dir="ltr">{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "link":
      return <Link link={token as Tokens.Link} />;
    case "image":
      return <Picture image={token as Tokens.Image} />;
    case "html":
      return /^<br\s*\/?>$/i.test(token.raw) ? <br /> : token.raw;
    case "escape":
      return (token as Tokens.Escape).text;
    default: {
      const { tokens, text } = token as Tokens.Text;
      return tokens === undefined ? decodeEntities(text) : <Inline tokens={tokens} />;
    }
  }
}

function Link({ link }: { link: Tokens.Link }): ReactNode {
  if (!LINK.test(link.href)) return <Inline tokens={link.tokens} />;
  return (
    <a href={link.href} title={link.title ?? undefined} target="_blank" rel="noopener noreferrer">
      <Inline tokens={link.tokens} />
    </a>
  );
}

/** A picture elsewhere would tell its server who reads; it is a link, and opened on purpose. */
function Picture({ image }: { image: Tokens.Image }): ReactNode {
  const name = image.text || image.href;
  if (!LINK.test(image.href)) return name;
  return (
    <a href={image.href} target="_blank" rel="noopener noreferrer">
      {name}
    </a>
  );
}
