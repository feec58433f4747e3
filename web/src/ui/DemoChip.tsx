import { useRef } from "react";

import { DemoNote } from "./DemoNote.tsx";
import { useWords } from "./words/index.ts";

/** A reminder that no language model answers; it opens the way to one. */
export function DemoChip() {
  const words = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button
        type="button"
        className="chip"
        title={words.demoOpen}
        onClick={() => dialog.current?.showModal()}
      >
        {words.demoChip}
      </button>
      <dialog ref={dialog} aria-label={words.demoOpen}>
        <DemoNote />
        <form method="dialog">
          <button type="submit" className="button">
            {words.close}
          </button>
        </form>
      </dialog>
    </>
  );
}
