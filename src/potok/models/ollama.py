"""The adapter for Ollama's own API: chats, plain prompts, and the models that are there."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack

import msgspec

from potok.errors import UpstreamMalformed, UpstreamUnreachable
from potok.events.kinds import Event
from potok.events.run_request import text_of
from potok.limits import MODELS_MAX
from potok.models.accounts import Account
from potok.models.contract import ChatRequest, ModelInfo
from potok.models.line import (
    Asking,
    Line,
    LineModel,
    LineOptions,
    LineProvider,
    refuse_begun_answer,
)
from potok.models.ollama_models_parse import ListedModel, capabilities_by_name, parse_tags
from potok.models.ollama_parse import OllamaParser
from potok.models.ollama_request import chat_body, generate_body

__all__ = ["OllamaModel", "OllamaProvider"]

Json = Any

_ADVICE = {
    404: "does not have the model {model}: run `ollama pull` with its name, or use another model.",
}


class OllamaProvider(LineProvider):
    """One Ollama server, over a pool of connections of its own.

    Args:
        name: The word before the slash in its models' full names.
        base_url: Where the server listens, `http://127.0.0.1:11434`; no path but a proxy's.
        api_key: For a server behind a proxy that asks for a key; Ollama itself asks for none.
        key_setting: What errors call the setting that holds the key.
        is_listening: Asked before each list: whether anybody listens there at all. For an address
            that nobody configured, where mostly nobody does.
        options: See `LineOptions`.

    Raises:
        SettingInvalid: the address or the key cannot be used.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        api_key: str | None = None,
        *,
        key_setting: str | None = None,
        is_listening: Callable[[], Awaitable[bool]] | None = None,
        **options: Unpack[LineOptions],
    ) -> None:
        account = Account(name=name, base_url=base_url, api_key=api_key, key_setting=key_setting)
        super().__init__(Line(account, **options, advice=_ADVICE))
        self._is_listening = is_listening
        self._listed: Mapping[str, ListedModel] = {}

    def model(self, name: str) -> "OllamaModel":
        """Return an adapter; it knows what the last list said of the model."""
        listed = self._listed.get(name)
        return OllamaModel(
            info=listed.info if listed else ModelInfo(name=name, provider=self.name),
            capabilities=(listed and listed.capabilities) or capabilities_by_name(name),
            line=self._line,
        )

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Ask `GET /api/tags` once; the caller caches.

        Raises:
            UpstreamStalled: no list within the time for it. UpstreamMalformed: no list at all.
        """
        if self._is_listening is not None and not await self._is_listening():
            raise UpstreamUnreachable(
                f"The provider {self.name} cannot be reached: nobody listens at"
                f" {self._line.account.shown_url}. Start Ollama."
            )
        listed = parse_tags(
            await self._line.read_list("/api/tags"), provider=self.name, models_max=MODELS_MAX
        )
        if listed is None:
            raise UpstreamMalformed(
                f"The provider {self.name} answers GET /api/tags with something that is no list of"
                " models. Check its address, or use the kind openai for a server that is no Ollama."
            )
        self._listed = listed
        return tuple(model.info for model in listed.values())


class OllamaModel(LineModel):
    """One model; holds nothing between calls."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """Answer a request by `/api/chat`; tries again before the first token, never after it.

        Parameters have OpenAI's names; those that neither side knows go to Ollama as `options`.

        Raises:
            RequestInvalid: a message or a parameter that Ollama cannot take.
            PeerError: also for a request whose `said` holds parts.
        """
        return self._line.stream(lambda: self._ask_chat(request))

    def generate_stream(
        self,
        prompt: str,
        *,
        system: str | None = None,
        template: str | None = None,
        suffix: str | None = None,
        is_raw: bool = False,
        images: Sequence[str] = (),
        parameters: Mapping[str, Json] | None = None,
    ) -> AsyncGenerator[list[Event], None]:
        """Go on from a plain prompt by `/api/generate`; the events are those of `stream`.

        Args:
            system: Takes the place of the model's own system prompt.
            template: Takes the place of the model's own template.
            suffix: What follows the answer, for models that fill gaps.
            is_raw: The prompt is sent to the model as it is, without any template.
            images: Pictures in base64.
            parameters: As a chat's, with OpenAI's names or Ollama's.

        Raises:
            RequestInvalid, PeerError, UpstreamBusy: as `stream`.
        """

        def ask() -> Asking:
            body = generate_body(
                self._info.name,
                prompt,
                parameters or {},
                system=system,
                template=template,
                suffix=suffix,
                is_raw=is_raw,
                images=images,
            )
            return self._asking("/api/generate", body, prompts=(prompt, system or ""))

        return self._line.stream(ask)

    def _ask_chat(self, request: ChatRequest) -> Asking:
        refuse_begun_answer(self._info, request)
        asking = self._asking(
            "/api/chat",
            chat_body(self._info.name, request.messages, request.parameters),
            prompts=tuple(text_of(message) for message in request.messages),
        )
        return replace(asking, principal=request.principal, language=request.language)

    def _asking(self, path: str, body: dict[str, Json], *, prompts: tuple[str, ...]) -> Asking:
        return Asking(
            model=self._info.name,
            path=path,
            prompts=prompts,
            new_parser=lambda refusals: OllamaParser(refusals=refusals),
            new_body=lambda _: msgspec.json.encode(body),
        )
