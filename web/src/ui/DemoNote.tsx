import { CopyButton } from "./CopyButton.tsx";
import { useWords } from "./words/index.ts";

/** Says what the demo model is, and how to connect a real one. */
export function DemoNote() {
  const words = useWords();
  return (
    <section className="demo-note">
      <h2>{words.demoTitle}</h2>
      <p>{words.demoBody}</p>
      <dl>
        <dt>{words.demoKey}</dt>
        <dd>
          <Line text="OPENAI_API_KEY=sk-... make serve" />
          <Line text="OPENAI_API_KEY=... OPENAI_BASE_URL=https://.../v1 make serve" />
        </dd>
        <dt>{words.demoOllama}</dt>
        <dd>
          <Line text="ollama run qwen3" />
        </dd>
      </dl>
    </section>
  );
}

function Line({ text }: { text: string }) {
  const words = useWords();
  return (
    <div className="line">
      <code>{text}</code>
      <CopyButton text={text} label={`${words.copy}: ${text}`} />
    </div>
  );
}
