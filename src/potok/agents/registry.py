"""Finds the agent that answers a request: a registered one by name, or a model's own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from potok.agents.contract import Agent
from potok.agents.model_agent import Continuing, ModelAgent
from potok.agents.sources import Candidate, ModelRules, ModelSource
from potok.errors import ModelUnknown, PeerError, RequestInvalid
from potok.events.run_request import RunRequest
from potok.limits import FALLBACKS_MAX
from potok.models.contract import ChatModel
from potok.protocol.continuation import POLICIES, Policy

__all__ = ["AgentRegistry", "ModelSource"]

_NO_RULES = ModelRules()


class AgentRegistry:
    """Agents by name, and behind them every model of the catalogue.

    Args:
        rules: What the operator set for models, by the names under which they are asked for, their
            full names or their providers' own.
        continuing: What answers go on with after a fault; real clocks and waits unless given.
    """

    def __init__(
        self,
        models: ModelSource,
        *,
        agents: Iterable[Agent] = (),
        rules: Mapping[str, ModelRules] | None = None,
        continuing: Continuing | None = None,
    ) -> None:
        self._models = models
        self._agents = {agent.name: agent for agent in agents}
        self._rules = dict(rules or {})
        self._continuing = continuing

    async def resolve(self, request: RunRequest) -> Agent:
        """Return the agent for a request.

        Raises:
            RequestInvalid: no agent of that name.
            ModelUnknown: no model of that name, nor of one that the request's policy names.
            PeerError: the provider that may have it cannot be asked now, and nobody stands in.
        """
        if request.agent is None:
            return await self._model_agent(request)
        agent = self._agents.get(request.agent)
        if agent is None:
            known = ", ".join(sorted(self._agents)) or "none is installed"
            raise RequestInvalid(
                f"There is no agent {request.agent[:200]!r}. Agents: {known}.", param="agent"
            )
        return agent

    async def _model_agent(self, request: RunRequest) -> ModelAgent:
        wish = request.policy or {}
        first = await self._first(request)
        rules = first.rules
        asked = wish.get("fallback")
        names = tuple(asked) if isinstance(asked, list | tuple) else rules.fallback
        fallbacks = [
            await self._fallback(name, is_asked=asked is not None) for name in names[:FALLBACKS_MAX]
        ]
        if first.failed_with is not None and not fallbacks:
            raise first.failed_with
        return ModelAgent(
            _sources([first, *fallbacks]),
            policy=_policy(wish.get("on_upstream_failure"), rules.policy),
            continuing=self._continuing,
        )

    async def _first(self, request: RunRequest) -> Candidate:
        name = request.model or "default"
        try:
            model = await self._models.resolve(request.model)
        except PeerError as error:
            return Candidate(
                name=name, models=self._models, rules=self._rules_of(name, None), failed_with=error
            )
        return Candidate(
            name=name, models=self._models, rules=self._rules_of(name, model), model=model
        )

    async def _fallback(self, name: str, *, is_asked: bool) -> Candidate:
        # Those of the settings are looked for when they are needed: a slip there, or a provider
        # that is down, must not cost an answer that the first model gives.
        candidate = Candidate(name=name, models=self._models, rules=self._rules_of(name, None))
        if is_asked:
            await candidate.find()
            if isinstance(candidate.failed_with, ModelUnknown):
                raise candidate.failed_with
        return candidate

    def _rules_of(self, name: str, model: ChatModel | None) -> ModelRules:
        names = [name] if model is None else [name, model.info.full_name, model.info.name]
        return next((self._rules[name] for name in names if name in self._rules), _NO_RULES)


def _sources(found: list[Candidate]) -> Callable[[], list[Candidate]]:
    return lambda: [replace(source) for source in found]


def _policy(asked: Any, rule: Policy) -> Policy:
    return next((policy for policy in POLICIES if policy == asked), rule)
