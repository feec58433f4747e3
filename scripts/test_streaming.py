"""Shows the jewelry house's streams as they come, with a running server.

python scripts/test_streaming.py consultation
python scripts/test_streaming.py orchestrator
"""

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from typing import Any

USER = "test_user_123"
WIDTH = 80
# A run without a word for so long is taken for dead; the server gives a sign of life before.
SILENCE_SECONDS_MAX = 60

QUESTIONS = {
    "consultation": {
        "message": "Я ищу обручальное кольцо для помолвки, бюджет до 100000 рублей",
        "conversation_history": [],
    },
    "orchestrator": {
        "message": "Какие украшения сейчас в моде?",
        "conversation_history": [],
    },
}


def frames_of(url: str, question: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the frames of a stream as they come."""
    request = urllib.request.Request(
        url,
        data=json.dumps(question).encode(),
        headers={
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "Accept-Language": "en",
        },
    )
    with urllib.request.urlopen(request, timeout=SILENCE_SECONDS_MAX) as reply:
        for line in reply:
            if line.startswith(b"data: "):
                yield json.loads(line[len(b"data: ") :])


def now() -> str:
    """Return the time of day, to the millisecond."""
    return f"[{datetime.now():%H:%M:%S.%f}"[:-3] + "]"


def show(what: str, frames: Iterator[dict[str, Any]]) -> bool:
    """Print frames; return whether the stream came to its end."""
    is_in_text, speaker = False, None
    for frame in frames:
        kind = frame["type"]
        if kind == "token":
            if frame.get("agent") != speaker:
                speaker = frame.get("agent")
                print(f"\n{speaker}:" if is_in_text else f"{speaker}:")
            print(frame["content"], end="", flush=True)
            is_in_text = True
            continue
        if is_in_text:
            print("\n" + "-" * WIDTH)
            is_in_text = False
        if kind == "status":
            print(f"{now()} 📊 {frame['message']}")
        elif kind == "metadata":
            print(f"{now()} 📦 Metadata:")
            show_metadata(frame)
        elif kind == "done":
            print(f"{now()} ✅ {what.capitalize()} completed")
            return True
        elif kind == "error":
            print(f"{now()} ❌ {frame['message']} ({frame['error']})")
            return False
    print(f"{now()} ❌ The stream was cut before its end")
    return False


def show_metadata(frame: dict[str, Any]) -> None:
    """Print what the agents found, in a line each."""
    if "completed_agents" not in frame:
        print(f"  Recommendations: {frame.get('recommendations', [])}")
        print(f"  Products: {len(frame.get('products', []))} items")
        return
    print(f"  Completed agents: {frame['completed_agents']}")
    for agent, found in frame["data"].items():
        print(f"  {agent}: {', '.join(sorted(found))}")


def main() -> int:
    """Ask one of the two; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=sorted(QUESTIONS))
    parser.add_argument("--url", default="http://localhost:8000", help="the server's address")
    given = parser.parse_args()
    url = f"{given.url.rstrip('/')}/api/{given.what}/{USER}/stream"
    question = QUESTIONS[given.what]
    print("=" * WIDTH)
    print(f"Testing {given.what.capitalize()} Token-by-Token Stream")
    print("=" * WIDTH)
    print(f"\nSending request to: {url}")
    print(f"Payload: {json.dumps(question, ensure_ascii=False, indent=2)}\n")
    print("Streaming response:")
    print("-" * WIDTH)
    try:
        return 0 if show(given.what, frames_of(url, question)) else 1
    except urllib.error.HTTPError as error:
        print(f"{now()} ❌ {error.read().decode(errors='replace')}")
    except OSError as error:
        print(f"{now()} ❌ No server answers at {given.url}: {error}. Start one: make serve")
    return 1


if __name__ == "__main__":
    sys.exit(main())
