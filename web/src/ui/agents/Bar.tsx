/** A share of 0 to 1 as a bar; whoever paints it writes the number beside it. */
export function Bar({ share, tone = "plain" }: { share: number; tone?: "plain" | "warm" }) {
  const width = 100 * Math.min(Math.max(share, 0), 1);
  return (
    <svg
      className={`bar bar--${tone}`}
      viewBox="0 0 100 6"
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <rect className="bar__ground" width="100" height="6" />
      <rect className="bar__value" width={width} height="6" />
    </svg>
  );
}
