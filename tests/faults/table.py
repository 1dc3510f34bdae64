"""One call over real sockets: what the caller saw, what was asked of whom, and what the circuits learnt."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from llm_router_middleware import Router, wrap
from llm_router_middleware.models.spec import ModelSpec, Tier
from llm_router_middleware.sandbox import Sandbox
from llm_router_middleware.testing import ManualClock
from tests.faults.calls import ASKED, SERVED, Kind, start
from tests.sandbox.sdks import SDKS

__all__ = ["Call", "Seen", "bare_call", "others", "paused", "read_out", "routed_call"]

POOL_S = 0.02
"""How long a client with a single connection waits for it."""

BY_NAME = {sdk.name: sdk for sdk in SDKS}
_REQUEST_ID = re.compile(r"req_\w+")
_DIFFERS = frozenset({"id", "created", "system_fingerprint", "seed", "request_id"})
"""What two answers of one model to the same question need not have in common."""


@dataclass
class Seen:
    """What a caller saw.

    Attributes:
        raised: the class of what was raised, with its package; None if nothing was.
        status: of that exception, where it has one.
        message: of it.
        parts: the answer, or the chunks of a stream that came before its end.
    """

    raised: str | None = None
    status: int | None = None
    message: str = ""
    parts: list[Any] = field(default_factory=list)

    def caught(self, error: Exception) -> None:
        self.raised = f"{type(error).__module__.partition('.')[0]}.{type(error).__name__}"
        self.status = getattr(error, "status_code", None)
        self.message = _REQUEST_ID.sub("req_", str(error))[:200]

    def read(self, part: Any) -> None:
        dump = getattr(part, "model_dump", None)
        self.parts.append((type(part).__name__, _stripped(dump(warnings=False))) if dump else part)

    def is_whole(self, kind: Kind) -> bool:
        """Whether an answer of the SDK's own type came to its end."""
        if self.raised or not self.parts or isinstance(self.parts[-1], str):
            return False
        last = self.parts[-1][1]
        if not kind.stream:
            return bool(last.get("content") or last.get("choices"))
        return last.get("type") == "message_stop" or bool(last.get("choices") and last["choices"][0]["finish_reason"])


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stripped(item) for key, item in value.items() if key not in _DIFFERS}
    return [_stripped(item) for item in value] if isinstance(value, list) else value


@dataclass
class Call:
    """What came of one call.

    Attributes:
        seen: by the caller.
        requests: (provider, model) of every one that reached a server, in order.
        events: of the router.
        router: which carried it; None if nobody did.
        pauses: seconds that it let pass between two tries.
    """

    seen: Seen
    requests: list[tuple[str, str]]
    events: list[Any] = field(default_factory=list)
    router: Any = None
    pauses: list[float] = field(default_factory=list)

    @property
    def event(self) -> Any:
        (event,) = self.events
        return event

    def lessons(self, provider: str, model: str) -> tuple[str, str]:
        """What the circuits of a model and of its endpoint have learnt, in the words of the failure table."""
        circuits = self.router.breakers
        endpoint = next(name for name in circuits if name.startswith(f"{provider}@"))
        return _lesson(circuits[f"{endpoint}/{model}"]), _lesson(circuits[endpoint])


def _lesson(circuit: Any) -> str:
    if circuit.failures:
        return "failure" if circuit.failures == 1 else f"{circuit.failures} failures"
    seconds = circuit.retry_after()
    if seconds:
        return f"{'ejected' if circuit.state == 'open' else 'cooldown'} {seconds:g} s"
    return "success" if circuit._circuit.health.window.total else "neutral"


def _client(sandbox: Sandbox, kind: Kind, name: str, *, one_connection: bool = False, **options: Any) -> Any:
    sdk = BY_NAME[name]
    if one_connection:
        http_client = sdk.module.DefaultAsyncHttpxClient if kind.is_async else sdk.module.DefaultHttpxClient
        options["http_client"] = http_client(verify=False, limits=sdk.http.Limits(max_connections=1))
        options["timeout"] = sdk.http.Timeout(5.0, pool=POOL_S)
    return sdk.client(getattr(sandbox, name), is_async=kind.is_async, **options)


def _is_small(client: Any) -> bool:
    return getattr(client.timeout, "pool", None) == POOL_S


def _anything(client: Any) -> Any:
    """A request whose answer, unread, keeps the only connection busy."""
    return client._client.build_request("GET", client.base_url)


def made(sandbox: Sandbox) -> list[tuple[str, str]]:
    """(provider, model) of every request for an answer, in the order in which they came."""
    requests = [(r.monotonic, p.name, r.model) for p in sandbox.providers for r in p.requests if r.model]
    return [(name, model) for _, name, model in sorted(requests)]


def read_out(kind: Kind, clients: list[Any], model: str) -> Seen:
    """The call of the first client, read to its end; then all are closed."""
    seen, mine = Seen(), clients[0]

    async def awaited() -> None:
        held = await mine._client.send(_anything(mine), stream=True) if _is_small(mine) else None
        try:
            answer = await start(mine, kind, model=model)
            if kind.stream and not isinstance(answer, str):
                async for part in answer:
                    seen.read(part)
            else:
                seen.read(answer)
        except Exception as error:
            seen.caught(error)
        if held is not None:
            await held.aclose()
        for client in clients:
            await client.close()

    if kind.is_async:
        asyncio.run(awaited())
        return seen
    held = mine._client.send(_anything(mine), stream=True) if _is_small(mine) else None
    try:
        answer = start(mine, kind, model=model)
        for part in answer if kind.stream and not isinstance(answer, str) else (answer,):
            seen.read(part)
    except Exception as error:
        seen.caught(error)
    for each in (held, *clients):
        if each is not None:
            each.close()
    return seen


def bare_call(sandbox: Sandbox, kind: Kind, *, options: dict[str, Any]) -> Call:
    """The call without a router, with one retry of the SDK's own, which takes no time."""
    client = _client(sandbox, kind, kind.sdk, max_retries=1, **options)
    client._calculate_retry_timeout = lambda *_args, **_named: 0.0
    return Call(read_out(kind, [client], SERVED[kind.sdk]), made(sandbox))


def others(kind: Kind) -> tuple[str, str]:
    """The other providers, in the order in which they are asked: each is the first for somebody."""
    names = [sdk.name for sdk in SDKS]
    place = names.index(kind.sdk)
    return names[place - 2], names[place - 1]


def specs(kind: Kind, *, rewritten: bool) -> list[ModelSpec]:
    """One model of each provider, of one tier; of the caller's own a dearer one too, if his call is to be rewritten."""
    models = [ModelSpec(SERVED[name], name, Tier.BUDGET) for name in (kind.sdk, *others(kind))]
    return [*models, ModelSpec(ASKED[kind.sdk], kind.sdk, Tier.PREMIUM)] if rewritten else models


class Clock(ManualClock):
    """A clock that moves only while the flow pauses between two tries.

    Attributes:
        pauses: in seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []


def paused(visit: Any, seconds: float) -> Any:
    """In the place of `Visit._sleep`: moves the clock, and takes no time."""

    def step() -> Any:
        clock: Clock = visit._kit.now
        clock.pauses.append(seconds)
        clock.advance(seconds)
        return asyncio.sleep(0) if visit._native.is_async else None

    return step


def routed_call(
    sandbox: Sandbox,
    kind: Kind,
    *,
    rewritten: bool = False,
    retries: int = 0,
    options: dict[str, Any],
    **settings: Any,
) -> Call:
    """The call through a router of its own, whose clock stands still but for the pauses between two tries.

    Args:
        sandbox: the providers.
        kind: of the call.
        rewritten: the caller names a dearer model than his question needs.
        retries: of the caller's client.
        options: of the caller's client.
        settings: of the router.
    """
    clock, events = Clock(), []  # type: ignore[var-annotated]
    clients = [_client(sandbox, kind, kind.sdk, max_retries=retries, **options)]
    clients += [_client(sandbox, kind, name) for name in others(kind)]
    router = Router(
        specs(kind, rewritten=rewritten),
        scorer="heuristic",
        now=clock,
        random=lambda: 0.0,
        backends=clients[1:],
        sinks=[events.append],
        **settings,
    )
    wrap(clients[0], router=router)
    seen = read_out(kind, clients, (ASKED if rewritten else SERVED)[kind.sdk])
    return Call(seen, made(sandbox), events, router, clock.pauses)
