import { useCallback, useEffect, useState } from "react";

import type { Preferences } from "../react/preferences.ts";
import { usePreferences } from "../react/preferences.ts";
import { browserStorage } from "../react/storage.ts";
import { useModels } from "../react/useModels.ts";
import { Announcer } from "../ui/announcer.tsx";
import { KeyForm } from "../ui/KeyForm.tsx";
import { LanguageProvider } from "../ui/words/index.ts";
import { AgentsPage } from "./AgentsPage.tsx";
import { ChatPage } from "./ChatPage.tsx";

const KEY = "potok.key";
const session = browserStorage("sessionStorage");

const Page = location.pathname === "/agents" ? AgentsPage : ChatPage;

/** The page at `/`, or at `/agents`. It asks for the server's key first, where there is one. */
export function App() {
  const [preferences, changePreferences] = usePreferences();
  const [key, setKey] = useState(() => session.read(KEY));
  const [wasRefused, setRefused] = useState(false);
  const [models, reloadModels] = useModels(key);
  useDocument(preferences);

  const enter = (given: string): void => {
    session.write(KEY, given);
    setKey(given);
    setRefused(false);
    reloadModels();
  };
  const refuse = useCallback(() => setRefused(true), []);
  const needsKey = wasRefused || models.state === "refused";
  return (
    <LanguageProvider value={preferences.language}>
      <Announcer>
        {needsKey ? (
          <KeyForm isWrong={key !== null} onKey={enter} />
        ) : (
          <Page
            serverKey={key}
            models={models}
            reloadModels={reloadModels}
            preferences={preferences}
            changePreferences={changePreferences}
            onRefused={refuse}
          />
        )}
      </Announcer>
    </LanguageProvider>
  );
}

/** Let the document itself say its language and theme. */
function useDocument({ language, theme }: Preferences): void {
  useEffect(() => {
    const { documentElement } = document;
    documentElement.lang = language;
    if (theme === "auto") delete documentElement.dataset["theme"];
    else documentElement.dataset["theme"] = theme;
  }, [language, theme]);
}
