"""One request's whole answer as events: calls of tools, several choices, or one text."""

from collections.abc import Iterator

from potok.events.kinds import Event
from potok.models.contract import ChatRequest
from potok.models.demo.calling import call_events, calls_for
from potok.models.demo.composition import compose
from potok.models.demo.continuation import remaining_events
from potok.models.demo.wishes import choice_events, choices_wanted, with_logprobs

__all__ = ["answer_events"]


def answer_events(request: ChatRequest) -> Iterator[Event]:
    """Return the events that follow `request.said`.

    Raises:
        UpstreamMalformed: `request.said` is not the beginning of this answer.
    """
    said = request.said
    if said is not None and said.outcome is not None:
        return iter(())
    composition = compose(request)
    if calls := calls_for(request):
        return call_events(calls, prompt_tokens=composition.usage.prompt_tokens, said=said)
    if (count := choices_wanted(request.parameters)) > 1:
        events = choice_events(
            composition.text,
            count=count,
            usage=composition.usage,
            finish_reason=composition.finish_reason,
            said=said,
        )
    else:
        events = remaining_events(composition, said)
    return with_logprobs(events, request.parameters)
