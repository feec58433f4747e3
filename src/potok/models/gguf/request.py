"""What a local model is asked: OpenAI's request made into one that llama.cpp takes. Pure."""

import msgspec

from potok.events.run_request import JsonObject, text_of
from potok.limits import CHOICES_MAX
from potok.models.answer import ReplyParser
from potok.models.contract import ChatRequest
from potok.models.gguf.calling import CallPlan, plan_calls
from potok.models.gguf.calls_parse import CallingParser
from potok.models.gguf.header import GgufHeader
from potok.models.gguf.source import LABEL
from potok.models.line import Asking
from potok.models.openai_chat_parse import OpenAiChatParser
from potok.models.openai_errors import Refusals

__all__ = ["asking_for"]

# What would take a slot away from whoever has it, or change the label of a call.
_OURS = frozenset({"id_slot", LABEL, "model", "messages", "stream", "stream_options"})
_ABOUT_CALLS = frozenset(
    {"tools", "tool_choice", "parallel_tool_calls", "response_format", "functions"}
)
_NO_THINKING = ("none", "minimal")


def asking_for(model: str, request: ChatRequest, *, header: GgufHeader) -> Asking:
    """Return the call for an answer.

    Raises:
        RequestInvalid: the tools cannot be called.
    """
    plan = plan_calls(request.parameters, request.messages, template_knows=header.knows_tools)
    choices = _choices(request)

    def new_parser(refusals: Refusals) -> ReplyParser:
        parser = OpenAiChatParser(refusals=refusals, choices=choices)
        if plan is None:
            return parser
        return CallingParser(parser, call_prefix=f"call-{len(request.messages)}")

    return Asking(
        model=model,
        path="/chat/completions",
        prompts=tuple(text_of(message) for message in request.messages),
        new_parser=new_parser,
        new_body=lambda asks_counts: _body(request, plan, asks_counts=asks_counts),
        principal=request.principal,
        language=request.language,
    )


def _body(request: ChatRequest, plan: CallPlan | None, *, asks_counts: bool) -> bytes:
    body: JsonObject = {
        name: value for name, value in request.parameters.items() if name not in _OURS
    }
    messages = request.messages
    if plan is not None:
        body = {name: value for name, value in body.items() if name not in _ABOUT_CALLS}
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": plan.schema},
        }
        messages = plan.messages
    effort = body.get("reasoning_effort")
    if effort in _NO_THINKING:
        given = body.get("chat_template_kwargs")
        kept = given if isinstance(given, dict) else {}
        body["chat_template_kwargs"] = {"enable_thinking": False, **kept}
    body |= {"messages": messages, "stream": True}
    if asks_counts:
        body["stream_options"] = {"include_usage": True}
    return msgspec.json.encode(body)


def _choices(request: ChatRequest) -> int:
    asked = request.parameters.get("n")
    return asked if isinstance(asked, int) and 1 <= asked <= CHOICES_MAX else 1
