import type { RefObject } from "react";
import { useCallback, useEffect, useRef } from "react";

import type { AnswerView } from "../react/liveAnswer.ts";
import type { Chat } from "../react/chat.ts";
import { openExchange } from "../react/conversation.ts";
import type { Desk } from "../react/desks.ts";
import { CODING_WISHES, JEWELRY_WISHES, TRANSLATOR_WISHES } from "../react/desks.ts";
import { QUESTION_UNITS_MAX } from "../react/limits.ts";
import { useAnswer } from "../react/useChat.ts";
import { useDesk } from "../react/useDesk.ts";
import { DEMO } from "../react/useModels.ts";
import { useWish } from "../react/useWish.ts";
import { CodingAnswer } from "../ui/agents/CodingAnswer.tsx";
import { DeskTabs } from "../ui/agents/DeskTabs.tsx";
import { DeskWelcome } from "../ui/agents/DeskWelcome.tsx";
import { Voices } from "../ui/agents/Voices.tsx";
import { WishChoice } from "../ui/agents/WishChoice.tsx";
import { Composer } from "../ui/Composer.tsx";
import { DemoChip } from "../ui/DemoChip.tsx";
import { Header } from "../ui/Header.tsx";
import { Icon } from "../ui/Icon.tsx";
import { MessageParts } from "../ui/MessageParts.tsx";
import { PageLinks } from "../ui/PageLinks.tsx";
import { useFollow } from "../ui/useFollow.ts";
import { useAgentWords } from "../ui/words/agents.ts";
import { useLanguage, useWords } from "../ui/words/index.ts";
import type { PageProps } from "./ChatPage.tsx";
import { useFocusAtStart, useFreshModels } from "./ChatPage.tsx";
import type { Paint } from "./ExchangeView.tsx";
import { ExchangeView } from "./ExchangeView.tsx";
import { LineBanner } from "./LineBanner.tsx";
import { useDeskTab } from "./useDeskTab.ts";
import { useStopKey } from "./useStopKey.ts";

const WISHES = {
  jewelry: JEWELRY_WISHES,
  coding: CODING_WISHES,
  translator: TRANSLATOR_WISHES,
} as const;

/** The page at `/agents`: three desks, each with a conversation of its own. */
export function AgentsPage(props: PageProps) {
  const { serverKey, models, reloadModels, preferences, changePreferences, onRefused } = props;
  const { language, theme } = preferences;
  const words = useWords();
  const { pageTitle } = useAgentWords();
  const desk = useDeskTab();
  const isReady = models.state !== "loading";
  const [chat, connection] = useDesk(desk, serverKey, isReady);
  const open = openExchange(chat.conversation);
  const openAnswer = useAnswer(open === null ? null : chat.liveOf(open.answer.id));
  const loss = open === null ? null : chat.lossOf(open.answer.id);
  const field = useRef<HTMLTextAreaElement>(null);
  const isEmpty = chat.conversation.exchanges.length === 0;
  const listed = models.state === "ready" ? models.models : [];
  const isDemo = listed.length > 0 && listed.every((one) => one.provider === DEMO);

  const stop = useCallback(() => chat.stop(), [chat]);
  const reconnect = useCallback(() => {
    chat.reconnect();
    reloadModels();
  }, [chat, reloadModels]);
  useStopKey(open === null ? null : stop);
  useFocusAtStart(field);
  useFreshModels(reloadModels);
  useEffect(() => {
    document.title = pageTitle;
  }, [pageTitle]);
  useEffect(() => {
    if (loss?.code === "unauthorized") onRefused();
  }, [loss, onRefused]);

  return (
    <div className="page page--agents">
      <a
        className="skip"
        href="#message-field"
        onClick={(event) => {
          // The part behind the `#` names the desk.
          event.preventDefault();
          field.current?.focus();
        }}
      >
        {words.skip}
      </a>
      <div>
        <Header
          theme={theme}
          onTheme={(wish) => changePreferences({ theme: wish })}
          onLanguage={() => changePreferences({ language: language === "ru" ? "en" : "ru" })}
          onNewChat={
            isEmpty
              ? null
              : () => {
                  chat.clear();
                  field.current?.focus();
                }
          }
        >
          <PageLinks here="agents" />
        </Header>
        <DeskTabs chosen={desk} />
      </div>
      <LineBanner
        connection={connection}
        answer={openAnswer}
        isUnreachable={models.state === "unreachable"}
        isKept={chat.isKept}
        onReconnect={reconnect}
        onBack={reloadModels}
      />
      <DeskView
        key={desk}
        desk={desk}
        chat={chat}
        field={field}
        openAnswer={openAnswer}
        isReady={isReady}
        isDemo={isDemo}
        onStop={stop}
        onReconnect={reconnect}
      />
    </div>
  );
}

interface DeskViewProps {
  readonly desk: Desk;
  readonly chat: Chat;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly openAnswer: AnswerView | null;
  readonly isReady: boolean;
  readonly isDemo: boolean;
  readonly onStop: () => void;
  readonly onReconnect: () => void;
}

/** What was asked at a desk, and where one asks. */
function DeskView(props: DeskViewProps) {
  const { desk, chat, field, openAnswer, isReady, isDemo, onStop, onReconnect } = props;
  const words = useWords();
  const agentWords = useAgentWords();
  const language = useLanguage();
  const { conversation } = chat;
  const list = useRef<HTMLElement>(null);
  const isEmpty = conversation.exchanges.length === 0;
  const { isFollowing, toEnd } = useFollow(list, !isEmpty);
  const [wish, chooseWish] = useWish(desk, WISHES[desk]);
  const nameOf = useWishNames(desk);

  const ask = useCallback(
    (question: string, asked: string): boolean => {
      if (!chat.send(question, asked, language)) return false;
      toEnd();
      return true;
    },
    [chat, language, toEnd],
  );
  const retry = useCallback(() => {
    const last = chat.conversation.exchanges.at(-1);
    if (last !== undefined) chat.retry(last.answer.model, language);
  }, [chat, language]);
  const paint = usePaint(desk, ask);

  return (
    <>
      <main ref={list} className="list" tabIndex={0}>
        <div className="list__content">
          {isEmpty ? (
            <DeskWelcome
              desk={desk}
              isDemo={isDemo}
              canSend={isReady}
              onAsk={(starter) => ask(starter.text, starter.wish)}
              onRestore={chat.hasPrevious ? () => chat.restore() : null}
            />
          ) : (
            // What grows here is not read aloud word by word; the announcer tells of it.
            <div role="log" aria-live="off" aria-label={words.chat}>
              {conversation.dropped > 0 && <p className="note">{words.droppedOld}</p>}
              {conversation.exchanges.map((exchange, index) => (
                <ExchangeView
                  key={exchange.id}
                  exchange={exchange}
                  live={chat.liveOf(exchange.answer.id)}
                  loss={chat.lossOf(exchange.answer.id)}
                  isLast={index === conversation.exchanges.length - 1}
                  onRetry={retry}
                  onReconnect={onReconnect}
                  name={nameOf(exchange.answer.model)}
                  paint={paint}
                />
              ))}
            </div>
          )}
        </div>
      </main>
      <footer className="foot">
        {!isFollowing && (
          <button type="button" className="button button--down" onClick={toEnd}>
            <Icon name="down" />
            {words.toBottom}
          </button>
        )}
        <Composer
          field={field}
          unitsMax={QUESTION_UNITS_MAX}
          isBusy={chat.isBusy}
          isStopping={openAnswer?.isStopping ?? false}
          canSend={isReady}
          onSend={(question) => ask(question, wish)}
          onStop={onStop}
        >
          <WishChoice
            label={agentWords[desk].choice}
            wishes={WISHES[desk]}
            chosen={wish}
            isLoading={!isReady}
            nameOf={nameOf}
            onChoose={chooseWish}
          />
          {isDemo && <DemoChip />}
        </Composer>
      </footer>
    </>
  );
}

/** How a desk's answers are painted. */
function usePaint(desk: Desk, ask: (question: string, wish: string) => boolean): Paint {
  return useCallback<Paint>(
    (message, isOpen, isLast) => {
      if (desk === "coding") return <CodingAnswer message={message} isOpen={isOpen} />;
      if (desk === "translator") return <MessageParts message={message} isOpen={isOpen} />;
      // Whoever else the house would choose: this is an answer to the test.
      const answer = (text: string): boolean => ask(text, "taste");
      return <Voices message={message} onAnswer={isLast && !isOpen ? answer : null} />;
    },
    [desk, ask],
  );
}

function useWishNames(desk: Desk): (wish: string) => string {
  const { wishes } = useAgentWords();
  const language = useLanguage();
  if (desk !== "translator") return (wish) => wishes[wish] ?? wish;
  const names = new Intl.DisplayNames([language], { type: "language" });
  return (wish) => names.of(wish) ?? wish;
}
