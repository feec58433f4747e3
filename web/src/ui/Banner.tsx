import type { ReactNode } from "react";

interface BannerProps {
  readonly tone: "calm" | "wait" | "good";
  readonly children: ReactNode;
  /** What a person can do about it. */
  readonly action?: { readonly name: string; readonly act: () => void };
}

/** One sentence above the conversation; whoever holds it says it to screen readers. */
export function Banner({ tone, children, action }: BannerProps) {
  return (
    <div className={`banner banner--${tone}`}>
      <span className="banner__dot" aria-hidden="true" />
      <span>{children}</span>
      {action !== undefined && (
        <button type="button" className="button button--small" onClick={action.act}>
          {action.name}
        </button>
      )}
    </div>
  );
}
