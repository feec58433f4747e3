import { useWords } from "./words/index.ts";

interface ModelChoiceProps {
  /** Names by provider, in the server's order. */
  readonly providers: readonly { readonly name: string; readonly models: readonly string[] }[];
  readonly chosen: string | null;
  readonly isLoading: boolean;
  readonly onChoose: (model: string) => void;
}

export function ModelChoice({ providers, chosen, isLoading, onChoose }: ModelChoiceProps) {
  const words = useWords();
  const nothing = isLoading ? words.modelsLoading : words.noModels;
  return (
    <select
      className="model-choice"
      aria-label={words.model}
      value={chosen ?? ""}
      disabled={providers.length === 0}
      onChange={(event) => onChoose(event.target.value)}
    >
      {providers.length === 0 && <option value="">{nothing}</option>}
      {providers.map(({ name, models }) => (
        <optgroup key={name} label={name}>
          {models.map((model) => (
            <option key={model} value={model}>
              {model}
            </option>
          ))}
        </optgroup>
      ))}
    </select>
  );
}
