import { useEffect } from "react";

/** Let Esc stop what is under way. */
export function useStopKey(stop: (() => void) | null): void {
  useEffect(() => {
    if (stop === null) return;
    const press = (event: KeyboardEvent): void => {
      // A dialog, or a word that is being composed, has the key first.
      if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return;
      if (document.querySelector("dialog[open]") === null) stop();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [stop]);
}
