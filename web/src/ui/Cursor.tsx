/** The blinking mark behind the newest word; it stands still where motion is not wanted. */
export function Cursor() {
  return (
    <span className="message__cursor cursor" aria-hidden="true">
      ▋
    </span>
  );
}
