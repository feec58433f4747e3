"""What the tests of clients share: the same questions, put to the demo model and to aimock.

aimock is a server that is not ours: what it says comes through Potok unchanged. Its answers below
are what the demo model finds in the same questions by itself.
"""

from dataclasses import dataclass
from typing import Any

__all__ = [
    *("ANSWERS", "COUNT", "EXPLAIN", "QUESTIONS", "TOO_MUCH", "TRIP", "UNFIT"),
    *("WEATHER", "WEATHER_AND_TIME", "Seen", "Target"),
]

EXPLAIN = "Tell me in detail what Potok is"
COUNT = "Count to 300"
TRIP = "Plan a trip to Perm for 3 days"
TOO_MUCH = "one question too many"
UNFIT = "a question that does not fit"
WEATHER = "What is the weather in Perm?"
WEATHER_AND_TIME = "What are the weather and the time in Perm?"

QUESTIONS = {
    "explain": EXPLAIN,
    "count": COUNT,
    "trip": TRIP,
    "weather": WEATHER,
    "both": WEATHER_AND_TIME,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server that clients are pointed at, and the models to ask there."""

    url: str
    model: str
    embedding_model: str

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"


def call(name: str) -> dict[str, Any]:
    return {"name": name, "arguments": {"city": "Perm"}}


NUMBERS = ", ".join(map(str, range(1, 301))) + "."
ANSWERS: list[dict[str, Any]] = [
    {"match": {"hasToolResult": True}, "response": {"content": "They say: sunny."}},
    {
        "match": {"userMessage": WEATHER_AND_TIME},
        "response": {"toolCalls": [call("get_weather"), call("get_time")]},
        "chunkSize": 3,
    },
    {"match": {"userMessage": WEATHER}, "response": {"toolCalls": [call("get_weather")]}},
    {"match": {"userMessage": TRIP}, "response": {"content": '{"city":"Perm","days":3}'}},
    {"match": {"userMessage": COUNT}, "response": {"content": NUMBERS}, "latency": 35},
    {
        "match": {"userMessage": EXPLAIN},
        "response": {"content": "Potok — это «поток» 🌊: it keeps every answer. " * 5},
        "chunkSize": 7,
        "latency": 5,
    },
    {
        "match": {"userMessage": TOO_MUCH},
        "response": {"error": {"message": "Rate limit reached"}, "status": 429},
    },
    {
        "match": {"userMessage": UNFIT},
        "response": {"error": {"message": "max_tokens is too large"}, "status": 400},
    },
    {"match": {"inputText": "river"}, "response": {"embedding": [0.25, -0.5, 0.125]}},
]


class Seen:
    """What the scenarios of one session saw, each by its name."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told

    def __contains__(self, scenario: str) -> bool:
        return scenario in self._told

    def __getitem__(self, scenario: str) -> Any:
        told = self._told[scenario]
        assert not (isinstance(told, dict) and "failed" in told), told
        return told
