import { useAgentWords } from "../words/agents.ts";

const DESKS = ["jewelry", "coding", "translator"] as const;

/** The desks, each with an address of its own. */
export function DeskTabs({ chosen }: { chosen: (typeof DESKS)[number] }) {
  const words = useAgentWords();
  return (
    <nav className="desks" aria-label={words.desks}>
      {DESKS.map((desk) => (
        <a key={desk} href={`#${desk}`} aria-current={desk === chosen ? "page" : undefined}>
          {words[desk].tab}
        </a>
      ))}
    </nav>
  );
}
