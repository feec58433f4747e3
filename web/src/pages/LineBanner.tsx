import { useEffect, useState } from "react";

import type { Connection } from "../react/connection.ts";
import type { AnswerView } from "../react/liveAnswer.ts";
import { STUCK_MILLISECONDS } from "../react/limits.ts";
import type { LineNews } from "../react/useChat.ts";
import { useLineNews, useOnline } from "../react/useChat.ts";
import { Banner } from "../ui/Banner.tsx";
import { useWords } from "../ui/words/index.ts";

interface LineBannerProps {
  readonly connection: Connection;
  /** The answer under way. */
  readonly answer: AnswerView | null;
  /** Whether the list of models could not be had. */
  readonly isUnreachable: boolean;
  readonly isKept: boolean;
  readonly onReconnect: () => void;
  /** The line is there again. */
  readonly onBack: () => void;
}

/** The one most important thing to say of the way to the server. */
export function LineBanner(props: LineBannerProps) {
  const { connection, answer, isUnreachable, isKept, onReconnect, onBack } = props;
  const news = useLineNews(connection, answer?.state === "waiting");
  const isStuck = useStuck(answer);
  useEffect(() => {
    if (news === "back") onBack();
  }, [news, onBack]);
  return (
    <div role="status" className="banners">
      <News
        news={newsOf(news, isStuck, isUnreachable)}
        isBuffered={answer?.isBuffered ?? false}
        isKept={isKept}
        onReconnect={onReconnect}
      />
    </div>
  );
}

function newsOf(news: LineNews, isStuck: boolean, isUnreachable: boolean): LineNews {
  if (news !== "quiet") return news;
  if (isStuck) return "waiting";
  return isUnreachable ? "lost" : "quiet";
}

/**
 * Whether an answer stands still without a network. That the line is dead shows much later; and a
 * server on this machine needs none.
 */
function useStuck(answer: AnswerView | null): boolean {
  const isOnline = useOnline();
  const [isStuck, setStuck] = useState(false);
  useEffect(() => {
    setStuck(false);
    if (isOnline || answer === null) return;
    const timer = setTimeout(() => setStuck(true), STUCK_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [isOnline, answer]);
  return isStuck;
}

interface NewsProps {
  readonly news: LineNews;
  readonly isBuffered: boolean;
  readonly isKept: boolean;
  readonly onReconnect: () => void;
}

function News({ news, isBuffered, isKept, onReconnect }: NewsProps) {
  const words = useWords();
  const isOnline = useOnline();
  if (news === "waiting") {
    return <Banner tone="wait">{isOnline ? words.reconnecting : words.offline}</Banner>;
  }
  if (news === "lost") {
    return (
      <Banner tone="wait" action={{ name: words.reconnect, act: onReconnect }}>
        {words.disconnected}
      </Banner>
    );
  }
  if (news === "back") return <Banner tone="good">{words.back}</Banner>;
  if (isBuffered) return <Banner tone="calm">{words.buffered}</Banner>;
  if (!isKept) return <Banner tone="calm">{words.notKept}</Banner>;
  return null;
}
