import type { ReactNode } from "react";
import { memo, useId } from "react";

interface MessageProps {
  readonly role: "user" | "assistant";
  /** Who says it, for those who do not see on which side it stands. */
  readonly name: string;
  readonly isStreaming?: boolean;
  readonly children: ReactNode;
}

/** One message of the conversation. */
export const Message = memo(function Message(props: MessageProps) {
  const { role, name, isStreaming = false, children } = props;
  const id = useId();
  return (
    <article
      className={`message message--${role}${isStreaming ? " is-streaming" : ""}`}
      aria-labelledby={id}
      aria-busy={isStreaming}
    >
      <h2 id={id} className="unseen">
        {name}
      </h2>
      <div className="message__content">{children}</div>
    </article>
  );
});
