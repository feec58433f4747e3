/** Line drawings of 20 by 20, in the colour of the words beside them. */
const PATHS = {
  plus: "M10 4v12M4 10h12",
  sun: "M10 3v1.5M10 15.5V17M3 10h1.5M15.5 10H17M5 5l1 1M14 14l1 1M5 15l1-1M14 6l1-1M10 6.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4z",
  moon: "M15.8 12A6.3 6.3 0 0 1 8 4.2 6.3 6.3 0 1 0 15.8 12z",
  half: "M10 3.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM10 3.5v13M10 6.5h4.6M10 10h6.4M10 13.5h4.6",
  down: "M10 4v12M5 11l5 5 5-5",
  send: "M10 16V4M5 9l5-5 5 5",
  stop: "M6 6h8v8H6z",
  again: "M15.5 10a5.5 5.5 0 1 1-1.6-3.9L16 8M16 4v4h-4",
  chevron: "M7 5l5 5-5 5",
  back: "M8 5L4 9l4 4M4 9h7a4.5 4.5 0 0 1 0 9h-1",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** Three currents: the sign of Potok. */
export function Sign() {
  return (
    <svg className="sign" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" />
      <path d="M7 11c3-3 6-3 9 0s6 3 9 0" />
      <path d="M7 17c3-3 6-3 9 0s6 3 9 0" opacity=".8" />
      <path d="M7 23c3-3 6-3 9 0" opacity=".6" />
    </svg>
  );
}
