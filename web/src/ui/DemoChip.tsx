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
        aria-label={`${words.demoChip}. ${words.demoOpen}`}
        onClick={() => dialog.current?.showModal()}
      >
        <span className="chip__long">{words.demoChip}</span>
        <span className="chip__short">{words.demoChipShort}</span>
      </button>
      <dialog ref={dialog} aria-label={words.demoOpen}>
        <DemoNote />
        <p className="dialog__end">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            {words.close}
          </button>
        </p>
      </dialog>
    </>
  );
}
