"""The adapter for every server that speaks Chat Completions: says what is sent, knows who reads."""

from collections.abc import AsyncGenerator, Callable
from typing import Unpack

import msgspec

from potok.errors import UpstreamMalformed
from potok.events.kinds import Event
from potok.events.run_request import JsonObject, text_of
from potok.limits import CHOICES_MAX, EMBEDDING_SECONDS_MAX, MODELS_MAX
from potok.models.accounts import Account
from potok.models.answer import Timeouts
from potok.models.capabilities import capabilities_of
from potok.models.contract import Capabilities, ChatModel, ChatRequest, ModelInfo
from potok.models.embeddings import EmbeddingInput, Embeddings, parse_embeddings
from potok.models.line import (
    Asking,
    Line,
    LineModel,
    LineOptions,
    LineProvider,
    refuse_begun_answer,
)
from potok.models.openai_chat_parse import OpenAiChatParser
from potok.models.openai_models_parse import parse_models
from potok.models.retrying import RetryRules

__all__ = ["OpenAiProvider", "RetryRules", "Timeouts"]


class OpenAiProvider(LineProvider):
    """An account with one server that speaks Chat Completions.

    Args:
        name: The word before the slash in its models' full names.
        base_url: Where its API begins, `https://api.openai.com/v1`.
        api_key: Its key, or None where it asks for none; never shown anywhere.
        key_setting: What errors call the setting that holds the key.
        capabilities: What a model can do, by its name.
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
        capabilities: Callable[[str], Capabilities] = capabilities_of,
        **options: Unpack[LineOptions],
    ) -> None:
        account = Account(name=name, base_url=base_url, api_key=api_key, key_setting=key_setting)
        self._capabilities = capabilities
        super().__init__(Line(account, **options))

    def model(self, name: str) -> ChatModel:
        return _OpenAiModel(
            info=ModelInfo(name=name, provider=self.name),
            capabilities=self._capabilities(name),
            line=self._line,
        )

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Ask `GET /models` once; the caller caches.

        Raises:
            UpstreamStalled: no list within the time for it. UpstreamMalformed: no list at all.
        """
        body = await self._line.read_list("/models")
        models = parse_models(body, provider=self.name, models_max=MODELS_MAX)
        if models is None:
            raise UpstreamMalformed(
                f"The provider {self.name} answers GET /models with something that is no list of"
                " models. Check its base URL: it usually ends in /v1."
            )
        return models


class _OpenAiModel(LineModel):
    """One model; holds nothing between calls."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """Answer a request; tries again before the first token, never after it.

        A begun answer cannot be handed in: an agent continues by asking anew, in the way that
        `capabilities.continues` names, without `said`.

        Raises:
            PeerError: also for a request whose `said` holds parts.
        """
        return self._line.stream(lambda: self._asking(request))

    async def embed(self, inputs: tuple[EmbeddingInput, ...], parameters: JsonObject) -> Embeddings:
        body = {**parameters, "model": self._info.name, "input": inputs, "encoding_format": "float"}
        reply = await self._line.post(
            "/embeddings",
            msgspec.json.encode(body),
            model=self._info.name,
            prompts=tuple(one for one in inputs if isinstance(one, str)),
            seconds=EMBEDDING_SECONDS_MAX,
        )
        made = parse_embeddings(reply, count=len(inputs))
        if made is None:
            raise UpstreamMalformed(
                f"The provider {self._info.provider} answers POST /embeddings with something that"
                f" is not {len(inputs)} vectors. Does it serve {self._info.name!r} for that?"
            )
        return made

    def _asking(self, request: ChatRequest) -> Asking:
        refuse_begun_answer(self._info, request)
        return Asking(
            model=self._info.name,
            path="/chat/completions",
            prompts=tuple(text_of(message) for message in request.messages),
            new_parser=lambda refusals: OpenAiChatParser(
                refusals=refusals, choices=_choices(request)
            ),
            new_body=lambda asks_counts: _body(self._info.name, request, asks_usage=asks_counts),
            principal=request.principal,
            language=request.language,
        )


def _body(model: str, request: ChatRequest, *, asks_usage: bool) -> bytes:
    body: JsonObject = {
        **request.parameters,
        "model": model,
        "messages": request.messages,
        "stream": True,
    }
    if asks_usage:
        options = request.parameters.get("stream_options")
        asked = options if isinstance(options, dict) else {}
        body["stream_options"] = {**asked, "include_usage": True}
    else:
        body.pop("stream_options", None)
    return msgspec.json.encode(body)


def _choices(request: ChatRequest) -> int:
    asked = request.parameters.get("n")
    return asked if isinstance(asked, int) and 1 <= asked <= CHOICES_MAX else 1
