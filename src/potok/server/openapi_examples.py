"""The example run of `/openapi.json`: the same few words in every form that a client may read."""

from typing import Any

__all__ = ["ASKED", "CHUNKS", "EVENTS", "HEAD", "LINES", "RUN", "STATE", "STREAM", "USAGE"]

RUN = "06fb2k9y3m7q4x1t8vzc5nhd0e"
EVENTS = f"/api/runs/{RUN}/events"
USAGE = {"prompt_tokens": 9, "completion_tokens": 3}
ASKED: list[dict[str, str]] = [{"role": "user", "content": "Say hello."}]
STATE: dict[str, Any] = {
    "id": RUN,
    "status": "finished",
    "offset": "6",
    "message": {
        "role": "assistant",
        "parts": [{"type": "text", "id": "t0", "text": "Hello!", "state": "done"}],
        "text": "Hello!",
    },
    "usage": USAGE,
    "error": None,
}
STREAM = (
    f'event: run-start\ndata: {{"run":"{RUN}","version":1,"model":"demo"}}\nid: 1\n\n'
    'event: text-start\ndata: {"part":"t0"}\nid: 2\n\n'
    'event: text-delta\ndata: {"part":"t0","text":"Hello!"}\nid: 3\n\n'
    'event: text-end\ndata: {"part":"t0"}\nid: 4\n\n'
    'event: usage\ndata: {"prompt_tokens":9,"completion_tokens":3}\nid: 5\n\n'
    'event: run-end\ndata: {"outcome":"finished","finish_reason":"stop"}\nid: 6\n\n'
)
LINES = (
    '{"id":"3","event":"text-delta","part":"t0","text":"Hello!"}\n'
    '{"id":"6","event":"run-end","outcome":"finished","finish_reason":"stop"}\n'
)
HEAD = f'"id":"chatcmpl-{RUN}","object":"chat.completion.chunk","created":1790000000,"model":"demo"'
CHUNKS = (
    "".join(
        f'data: {{{HEAD},"choices":[{{"index":0,"delta":{delta},"finish_reason":{reason}}}]}}\n'
        f"id: {RUN}.{place}\n\n"
        for delta, reason, place in (
            ('{"role":"assistant"}', "null", "1"),
            ('{"content":"Hello!"}', "null", "3"),
            ("{}", '"stop"', "6.1"),
        )
    )
    + f"data: [DONE]\nid: {RUN}.6.2\n\n"
)
