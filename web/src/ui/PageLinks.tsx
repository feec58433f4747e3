import { useWords } from "./words/index.ts";

/** The way between the pages. */
export function PageLinks({ here }: { here: "chat" | "agents" }) {
  const words = useWords();
  return (
    <nav className="page-links" aria-label={words.pages}>
      <a href="/" aria-current={here === "chat" ? "page" : undefined}>
        {words.chatPage}
      </a>
      <a href="/agents" aria-current={here === "agents" ? "page" : undefined}>
        {words.agentsPage}
      </a>
    </nav>
  );
}
