"""Every dialect, read as its own clients read it."""

import json
from typing import Any

from potok.dialects.ai_sdk_ui import AiSdkUiSse
from potok.dialects.chats_001 import Chats001Ndjson, Chats001Sse
from potok.dialects.native import NativeNdjson, NativeSse
from potok.dialects.openai_chat import OpenAiChatSse
from potok.dialects.openai_responses import OpenAiResponsesSse
from potok.dialects.simple_chat import SimpleChatSse
from potok.testing.dialect_suite import DialectSuite
from potok.wire.ndjson import NdjsonDecoder
from potok.wire.sse import SseDecoder


class TestNativeSse(DialectSuite):
    dialect = NativeSse()

    def decode(self, body: bytes) -> list[Any]:
        return [
            (frame.event, json.loads(frame.data), frame.id) for frame in SseDecoder().feed(body)
        ]

    def id_of(self, frame: bytes) -> str:
        return SseDecoder().feed(frame)[-1].id

    def text_of(self, frames: list[Any]) -> str:
        return "".join(fields["text"] for event, fields, _ in frames if event == "text-delta")


class TestNativeNdjson(DialectSuite):
    dialect = NativeNdjson()

    def decode(self, body: bytes) -> list[Any]:
        return [json.loads(line) for line in NdjsonDecoder().feed(body)]

    def id_of(self, frame: bytes) -> str:
        identity = json.loads(frame)["id"]
        assert isinstance(identity, str)
        return identity

    def text_of(self, frames: list[Any]) -> str:
        return "".join(frame["text"] for frame in frames if frame["event"] == "text-delta")


class TestOpenAiChatSse(DialectSuite):
    dialect = OpenAiChatSse()

    def decode(self, body: bytes) -> list[Any]:
        frames = [(frame.event, frame.data, frame.id) for frame in SseDecoder().feed(body)]
        assert all(event == "message" for event, _, _ in frames)
        return [(data if data == "[DONE]" else json.loads(data), id) for _, data, id in frames]

    def id_of(self, frame: bytes) -> str:
        return SseDecoder().feed(frame)[-1].id

    def text_of(self, frames: list[Any]) -> str:
        chunks = [chunk for chunk, _ in frames if chunk != "[DONE]"]
        choices = [choice for chunk in chunks for choice in chunk["choices"]]
        return "".join(choice["delta"].get("content", "") for choice in choices)


class TestSimpleChatSse(DialectSuite):
    dialect = SimpleChatSse()

    def decode(self, body: bytes) -> list[Any]:
        frames = [(frame.event, frame.data, frame.id) for frame in SseDecoder().feed(body)]
        assert all(event == "message" for event, _, _ in frames)
        return [(data if data == "[DONE]" else json.loads(data), id) for _, data, id in frames]

    def id_of(self, frame: bytes) -> str:
        return SseDecoder().feed(frame)[-1].id

    def text_of(self, frames: list[Any]) -> str:
        return "".join(said.get("content", "") for said, _ in frames if said != "[DONE]")


class TestChats001Sse(DialectSuite):
    dialect = Chats001Sse()

    def decode(self, body: bytes) -> list[Any]:
        frames = [(frame.event, frame.data, frame.id) for frame in SseDecoder().feed(body)]
        assert all(event == "message" for event, _, _ in frames)
        return [(json.loads(data), id) for _, data, id in frames]

    def id_of(self, frame: bytes) -> str:
        return SseDecoder().feed(frame)[-1].id

    def text_of(self, frames: list[Any]) -> str:
        deltas = [fields for fields, _ in frames if fields["type"] == "message_delta"]
        return "".join(fields["delta"] for fields in deltas if "channel" not in fields)


class TestChats001Ndjson(DialectSuite):
    dialect = Chats001Ndjson()

    def decode(self, body: bytes) -> list[Any]:
        return [json.loads(line) for line in NdjsonDecoder().feed(body)]

    def id_of(self, frame: bytes) -> str:
        identity = json.loads(frame)["id"]
        assert isinstance(identity, str)
        return identity

    def text_of(self, frames: list[Any]) -> str:
        deltas = [frame for frame in frames if frame["type"] == "message_delta"]
        return "".join(frame["delta"] for frame in deltas if "channel" not in frame)


class TestAiSdkUiSse(DialectSuite):
    dialect = AiSdkUiSse()

    def decode(self, body: bytes) -> list[Any]:
        frames = [(frame.event, frame.data, frame.id) for frame in SseDecoder().feed(body)]
        assert all(event == "message" for event, _, _ in frames)
        return [(data if data == "[DONE]" else json.loads(data), id) for _, data, id in frames]

    def id_of(self, frame: bytes) -> str:
        return SseDecoder().feed(frame)[-1].id

    def text_of(self, frames: list[Any]) -> str:
        chunks = [chunk for chunk, _ in frames if chunk != "[DONE]"]
        return "".join(chunk["delta"] for chunk in chunks if chunk["type"] == "text-delta")


class TestOpenAiResponsesSse(DialectSuite):
    dialect = OpenAiResponsesSse()

    def decode(self, body: bytes) -> list[Any]:
        frames = [
            (frame.event, json.loads(frame.data), frame.id) for frame in SseDecoder().feed(body)
        ]
        assert all(event == said["type"] for event, said, _ in frames)
        return [(said, id) for _, said, id in frames]

    def id_of(self, frame: bytes) -> str:
        return SseDecoder().feed(frame)[-1].id

    def text_of(self, frames: list[Any]) -> str:
        kind = "response.output_text.delta"
        return "".join(said["delta"] for said, _ in frames if said["type"] == kind)
