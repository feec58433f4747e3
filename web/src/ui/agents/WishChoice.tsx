interface WishChoiceProps {
  readonly label: string;
  readonly wishes: readonly string[];
  readonly chosen: string;
  readonly nameOf: (wish: string) => string;
  readonly onChoose: (wish: string) => void;
}

/** What a desk is asked for: an agent, a way to work, a language. */
export function WishChoice({ label, wishes, chosen, nameOf, onChoose }: WishChoiceProps) {
  return (
    <select
      className="model-choice"
      aria-label={label}
      value={chosen}
      onChange={(event) => onChoose(event.target.value)}
    >
      {wishes.map((wish) => (
        <option key={wish} value={wish}>
          {nameOf(wish)}
        </option>
      ))}
    </select>
  );
}
