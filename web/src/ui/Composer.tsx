import type { KeyboardEvent, ReactNode, RefObject } from "react";
import { useEffect, useLayoutEffect, useState } from "react";

import { Icon } from "./Icon.tsx";
import { FIELD_PIXELS_MAX } from "./limits.ts";
import { useWords } from "./words/index.ts";

interface ComposerProps {
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly unitsMax: number;
  /** Whether an answer is under way. */
  readonly isBusy: boolean;
  readonly isStopping: boolean;
  /** Whether there is a model to ask. */
  readonly canSend: boolean;
  /** Returns whether it was sent; the field is then empty again. */
  readonly onSend: (text: string) => boolean;
  readonly onStop: () => void;
  /** The choice of the model. */
  readonly children: ReactNode;
}

export function Composer(props: ComposerProps) {
  const { field, unitsMax, isBusy, isStopping, canSend, onSend, onStop, children } = props;
  const words = useWords();
  const [text, setText] = useState("");
  const [hint, setHint] = useState<string | null>(null);
  // Sent before there was a model to ask; it goes as soon as there is one.
  const [isWaiting, setWaiting] = useState(false);
  useGrowth(field, text);
  const isEmpty = text.trim() === "";
  const quietHint = isWaiting ? words.modelsLoading : isBusy ? words.stopHint : words.keysHint;

  const send = (): void => {
    setWaiting(!isEmpty && !canSend);
    if (isEmpty || !canSend) return;
    if (isBusy) setHint(words.busyHint);
    else if (text.length > unitsMax) setHint(words.tooLong);
    else if (onSend(text.trim())) {
      setText("");
      // The button turns into the one that stops. On a phone the keyboard may rather go away.
      if (matchMedia("(pointer: fine)").matches) field.current?.focus();
    }
  };
  useEffect(() => {
    if (isWaiting && canSend) send();
  });
  const press = (event: KeyboardEvent): void => {
    // While a word is composed, as in Japanese, Enter belongs to it.
    if (event.key !== "Enter" || event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.shiftKey || event.altKey) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={field}
        id="message-field"
        rows={1}
        dir="auto"
        value={text}
        aria-label={words.ask}
        aria-describedby="composer-hint"
        placeholder={words.askPlaceholder}
        autoComplete="off"
        enterKeyHint="send"
        onChange={(event) => {
          setText(event.target.value);
          setHint(null);
          setWaiting(false);
        }}
        onKeyDown={press}
      />
      <div className="composer__row">
        {children}
        <p id="composer-hint" className="composer__hint" role={hint === null ? undefined : "alert"}>
          {hint ?? quietHint}
        </p>
        {isBusy ? (
          <button
            key="stop"
            type="button"
            className="button button--stop"
            disabled={isStopping}
            // The second click of a double one was meant for the button that stood here before.
            onClick={(event) => event.detail < 2 && onStop()}
          >
            <Icon name="stop" />
            {isStopping ? words.stopping : words.stop}
          </button>
        ) : (
          <button
            key="send"
            type="submit"
            className="button button--send"
            disabled={isEmpty || !canSend}
          >
            <Icon name="send" />
            {words.send}
          </button>
        )}
      </div>
    </form>
  );
}

/** Let the field be as high as its text, within bounds. */
function useGrowth(field: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, FIELD_PIXELS_MAX)}px`;
  }, [field, text]);
}
