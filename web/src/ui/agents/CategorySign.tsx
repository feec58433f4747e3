/** Line drawings of 40 by 40: what kind of piece it is, and no picture of this very one. */
const PATHS = {
  ring: "M20 15a10 10 0 1 0 0 20 10 10 0 1 0 0-20zM14 6h12l3 4-9 6-9-6zM11 10h18M17 10l3 6 3-6",
  earrings:
    "M13 6a3 3 0 1 1-1 5.800M13 12v6M13 18l5 7-5 8-5-8zM27 6a3 3 0 1 1-1 5.800M27 12v6M27 18l5 7-5 8-5-8z",
  pendant: "M8 5c1 9 6 13 12 13s11-4 12-13M20 18v3M20 21l6 6-6 9-6-9z",
  bracelet:
    "M20 9c8 0 13 5 13 11s-5 11-13 11S7 26 7 20 12 9 20 9zM20 14c5 0 8 3 8 6s-3 6-8 6-8-3-8-6 3-6 8-6z",
  chain: "M10 6a4 6 0 1 0 .1 0zM15 16a6 4 0 1 0 .1 0zM25 18a4 6 0 1 0 .1 0zM31 27a4 4 0 1 0 .1 0z",
  necklace:
    "M7 6c0 14 5 20 13 20S33 20 33 6M20 26a4 4 0 1 0 .1 0zM11 22a2 2 0 1 0 .1 0zM29 22a2 2 0 1 0 .1 0z",
  brooch:
    "M20 15a5 5 0 1 0 .1 0zM20 15c-5-4-4-9 0-9s5 5 0 9M25 20c4-5 9-4 9 0s-5 5-9 0M20 25c5 4 4 9 0 9s-5-5 0-9M15 20c-4 5-9 4-9 0s5-5 9 0",
  watch: "M20 11a9 9 0 1 0 .1 0zM15 12l1-7h8l1 7M15 28l1 7h8l1-7M20 15v5l4 2",
  other: "M12 8h16l6 8-14 17L6 16zM6 16h28M15 16l5 17 5-17M12 8l3 8 5-8 5 8 3-8",
} as const;

export function CategorySign({ category }: { category: string }) {
  const known = Object.hasOwn(PATHS, category) ? (category as keyof typeof PATHS) : "other";
  return (
    <svg className="category" viewBox="0 0 40 40" aria-hidden="true" focusable="false">
      <path d={PATHS[known]} />
    </svg>
  );
}
