import json
from typing import Any

import pytest

from potok.chats import import_formats
from potok.chats.import_formats import parse_import
from potok.errors import RequestInvalid

NOW = 1_700_000_000.0


def node(name: str, parent: str | None, *children: str, **said: Any) -> dict[str, Any]:
    message = None
    if said:
        message = {
            "author": {"role": said["role"]},
            "content": {"content_type": "text", "parts": said["parts"]},
            "create_time": said.get("at"),
            "metadata": said.get("metadata", {}),
        }
    return {"id": name, "parent": parent, "children": list(children), "message": message}


def conversation(**mapping: Any) -> dict[str, Any]:
    return {
        "title": "Rings",
        "create_time": 1_600_000_000.0,
        "update_time": 1_600_000_500.0,
        "mapping": mapping,
        "current_node": "d",
        "conversation_id": "abc",
    }


TALK = conversation(
    root=node("root", None, "s"),
    s=node("s", "root", "a", role="system", parts=[""]),
    a=node("a", "s", "b", "c", role="user", parts=["Which ring?"], at=1_600_000_001.0),
    b=node("b", "a", role="assistant", parts=["Gold."], metadata={"model_slug": "gpt-4"}),
    c=node("c", "a", "t", role="assistant", parts=["I look.", {"asset": 1}, "Silver."]),
    t=node("t", "c", "d", role="tool", parts=["{}"]),
    d=node("d", "t", role="user", parts=["Thanks"]),
)


def test_a_conversation_of_chatgpt_keeps_its_tree() -> None:
    (chat,) = parse_import(json.dumps([TALK]).encode(), now=NOW)

    assert (chat.title, chat.external_id) == ("Rings", "chatgpt:abc")
    assert (chat.created_at, chat.updated_at) == (1_600_000_000.0, 1_600_000_500.0)
    assert [(one.role, one.content, one.parent) for one in chat.messages] == [
        ("user", "Which ring?", None),
        ("assistant", "Gold.", 0),
        ("assistant", "I look.\nSilver.", 0),
        ("user", "Thanks", 2),
    ]
    assert chat.messages[1].metadata == {"model": "gpt-4"}
    assert chat.leaf == 3


def test_one_conversation_alone_is_read_too() -> None:
    assert len(parse_import(json.dumps(TALK).encode(), now=NOW)) == 1


def test_a_ring_in_a_damaged_tree_is_never_entered() -> None:
    ring = conversation(
        a=node("a", "b", "b", role="user", parts=["x"]),
        b=node("b", "a", "a", role="user", parts=["y"]),
        d=node("d", None, "d", role="user", parts=["z"]),
    )

    (chat,) = parse_import(json.dumps([ring]).encode(), now=NOW)

    assert [one.content for one in chat.messages] == ["z"]


def test_times_that_are_none_are_now() -> None:
    odd = {**TALK, "create_time": 1e300, "update_time": -5}

    (chat,) = parse_import(json.dumps([odd]).encode(), now=NOW)

    assert (chat.created_at, chat.updated_at) == (NOW, NOW)


def own(*messages: dict[str, Any], **more: Any) -> bytes:
    chat = {"title": "t", "messages": list(messages), **more}
    return json.dumps({"format": "potok-chats", "version": 1, "chats": [chat]}).encode()


def test_our_own_export_comes_back() -> None:
    body = own(
        {"id": 5, "role": "user", "content": "q", "created_at": 5.0},
        {
            "id": 9,
            "role": "assistant",
            "content": "a",
            "parent_id": 5,
            "status": "streaming",
            "metadata": {"model": "m", "run": "r"},
        },
        current_message_id=5,
        archived=True,
    )

    (chat,) = parse_import(body, now=NOW)

    assert [(one.content, one.parent, one.status) for one in chat.messages] == [
        ("q", None, "finished"),
        ("a", 0, "failed"),
    ]
    assert (chat.leaf, chat.is_archived, chat.messages[1].metadata) == (0, True, {"model": "m"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"{}",
        b"null",
        b"[1]",
        b'"potok-chats"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format":"potok-chats","version":2,"chats":[]}',
        b'[{"mapping":{"a":{"parent":5}}}]',
        own({"id": 1, "role": "robot", "content": "x"}),
        own({"id": 1, "role": "user", "content": "x", "parent_id": 2}),
        own({"id": 1, "role": "user", "content": "x", "parent_id": 1}),
        own({"id": 1, "role": "user", "content": "x"}, {"id": 1, "role": "user", "content": "y"}),
        own({"id": 1, "role": "user", "content": "x" * (1024 * 1024 + 1)}),
    ],
)
def test_garbage_is_refused_with_a_sentence(body: bytes) -> None:
    with pytest.raises(RequestInvalid) as refused:
        parse_import(body, now=NOW)

    assert len(refused.value.message) < 400


def test_a_file_may_hold_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_formats, "IMPORT_MESSAGES_MAX", 3)

    with pytest.raises(RequestInvalid):
        parse_import(json.dumps([TALK]).encode(), now=NOW)
