import type { RefObject } from "react";
import { useCallback, useEffect, useRef } from "react";

import { openExchange } from "../react/conversation.ts";
import { QUESTION_UNITS_MAX } from "../react/limits.ts";
import type { Preferences } from "../react/preferences.ts";
import { useAnswer, useChat } from "../react/useChat.ts";
import type { Models } from "../react/useModels.ts";
import { DEMO } from "../react/useModels.ts";
import { Composer } from "../ui/Composer.tsx";
import { DemoChip } from "../ui/DemoChip.tsx";
import { Header } from "../ui/Header.tsx";
import { Icon } from "../ui/Icon.tsx";
import { ModelChoice } from "../ui/ModelChoice.tsx";
import { PageLinks } from "../ui/PageLinks.tsx";
import { useFollow } from "../ui/useFollow.ts";
import { Welcome } from "../ui/Welcome.tsx";
import { useWords } from "../ui/words/index.ts";
import { ExchangeView } from "./ExchangeView.tsx";
import { LineBanner } from "./LineBanner.tsx";
import { useStopKey } from "./useStopKey.ts";

export interface PageProps {
  readonly serverKey: string | null;
  readonly models: Models;
  readonly reloadModels: () => void;
  readonly preferences: Preferences;
  readonly changePreferences: (wish: Partial<Preferences>) => void;
  /** The server does not accept the key. */
  readonly onRefused: () => void;
}

export function ChatPage(props: PageProps) {
  const { serverKey, models, reloadModels, preferences, changePreferences, onRefused } = props;
  const { language, theme } = preferences;
  const words = useWords();
  const [chat, connection] = useChat(serverKey, models.state !== "loading");
  const { conversation } = chat;
  const open = openExchange(conversation);
  const openAnswer = useAnswer(open === null ? null : chat.liveOf(open.answer.id));
  const loss = open === null ? null : chat.lossOf(open.answer.id);
  const list = useRef<HTMLElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const isEmpty = conversation.exchanges.length === 0;
  const { isFollowing, toEnd } = useFollow(list, !isEmpty);
  const { providers, model, isDemo } = choiceOf(models, preferences.model);

  const ask = (question: string): boolean => {
    if (model === null || !chat.send(question, model, language)) return false;
    toEnd();
    return true;
  };
  const retry = useCallback(() => {
    if (model !== null) chat.retry(model, language);
  }, [chat, model, language]);
  const stop = useCallback(() => chat.stop(), [chat]);
  const reconnect = useCallback(() => {
    chat.reconnect();
    reloadModels();
  }, [chat, reloadModels]);
  useStopKey(open === null ? null : stop);
  useFocusAtStart(field);
  useFreshModels(reloadModels);
  useEffect(() => {
    if (loss?.code === "unauthorized") onRefused();
  }, [loss, onRefused]);

  return (
    <div className="page">
      <a className="skip" href="#message-field">
        {words.skip}
      </a>
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
        <PageLinks here="chat" />
      </Header>
      <LineBanner
        connection={connection}
        answer={openAnswer}
        isUnreachable={models.state === "unreachable"}
        isKept={chat.isKept}
        onReconnect={reconnect}
        onBack={reloadModels}
      />
      <main ref={list} className="list" tabIndex={0}>
        <div className="list__content">
          {isEmpty ? (
            <Welcome
              isDemo={isDemo}
              canSend={model !== null}
              onAsk={ask}
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
                  onReconnect={reconnect}
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
          isBusy={open !== null}
          isStopping={openAnswer?.isStopping ?? false}
          canSend={model !== null}
          onSend={ask}
          onStop={stop}
        >
          <ModelChoice
            providers={providers}
            chosen={model}
            isLoading={models.state === "loading"}
            onChoose={(chosen) => changePreferences({ model: chosen })}
          />
          {model !== null && providerOf(models, model) === DEMO && <DemoChip />}
        </Composer>
      </footer>
    </div>
  );
}

interface Choice {
  readonly providers: readonly { readonly name: string; readonly models: readonly string[] }[];
  readonly model: string | null;
  /** Whether nothing but the demo model answers. */
  readonly isDemo: boolean;
}

function choiceOf(models: Models, wish: string | null): Choice {
  const listed = models.state === "ready" ? models.models : [];
  const names = [...new Set(listed.map((model) => model.provider))];
  const providers = names.map((name) => ({
    name,
    models: listed.filter((model) => model.provider === name).map((model) => model.id),
  }));
  const wished = listed.find((model) => model.id === wish) ?? listed[0];
  return {
    providers,
    model: wished?.id ?? null,
    isDemo: listed.length > 0 && listed.every((model) => model.provider === DEMO),
  };
}

function providerOf(models: Models, id: string): string | null {
  if (models.state !== "ready") return null;
  return models.models.find((model) => model.id === id)?.provider ?? null;
}

/** Where no keyboard covers the page, one can write at once. */
export function useFocusAtStart(field: RefObject<HTMLTextAreaElement | null>): void {
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) field.current?.focus({ preventScroll: true });
  }, [field]);
}

/** Somebody who comes back may have connected a model meanwhile. */
export function useFreshModels(reload: () => void): void {
  useEffect(() => {
    const see = (): void => {
      if (document.visibilityState === "visible") reload();
    };
    document.addEventListener("visibilitychange", see);
    addEventListener("focus", see);
    return () => {
      document.removeEventListener("visibilitychange", see);
      removeEventListener("focus", see);
    };
  }, [reload]);
}
