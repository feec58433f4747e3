import type { RefObject } from "react";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

import { FOLLOW_PIXELS } from "./limits.ts";

export interface Follow {
  readonly isFollowing: boolean;
  /** Go to the end, and stay there. */
  readonly toEnd: () => void;
}

/**
 * Keep a scrolled view at its end while it grows, until its reader scrolls up; coming back to the
 * end goes on with it. Only people's own scrolling counts: what grows scrolls, too.
 *
 * @param isWanted Whether there is anything whose end counts.
 */
export function useFollow(view: RefObject<HTMLElement | null>, isWanted: boolean): Follow {
  const [isFollowing, setFollowing] = useState(true);
  const following = useRef(true);
  const follow = useCallback((wish: boolean) => {
    following.current = wish;
    setFollowing(wish);
  }, []);
  const toEnd = useCallback(() => {
    follow(true);
    if (view.current !== null) view.current.scrollTop = view.current.scrollHeight;
  }, [follow, view]);

  useEffect(() => {
    if (!isWanted) return;
    const element = view.current;
    const content = element?.firstElementChild;
    if (element == null || content == null) return;
    let top = element.scrollTop;
    const scrolled = (): void => {
      const left = element.scrollHeight - element.clientHeight - element.scrollTop;
      if (element.scrollTop < top - 1 && left > FOLLOW_PIXELS) follow(false);
      else if (left <= FOLLOW_PIXELS) follow(true);
      top = element.scrollTop;
    };
    const grown = new ResizeObserver(() => {
      if (following.current) element.scrollTop = element.scrollHeight;
      top = element.scrollTop;
    });
    grown.observe(content);
    grown.observe(element);
    element.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      grown.disconnect();
      element.removeEventListener("scroll", scrolled);
    };
  }, [follow, view, isWanted]);
  useLayoutEffect(() => {
    if (isWanted) toEnd();
    else follow(true);
  }, [isWanted, toEnd, follow]);
  return { isFollowing, toEnd };
}
