interface WishChoiceProps {
  readonly label: string;
  readonly wishes: readonly string[];
  readonly chosen: string;
  readonly isLoading: boolean;
  readonly nameOf: (wish: string) => string;
  readonly onChoose: (wish: string) => void;
}

/** What a desk is asked for: an agent, a way to work, a language. */
export function WishChoice({
  label,
  wishes,
  chosen,
  isLoading,
  nameOf,
  onChoose,
}: WishChoiceProps) {
  return (
    <select
      className="model-choice"
      aria-label={label}
      value={chosen}
      disabled={isLoading}
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
