"""T7: a caller who leaves, wherever and however: nothing stays given away, and exactly one event says so."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import pkgutil
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import anthropic
import groq
import openai
import pytest

from llm_router_middleware import Router, wrap
from llm_router_middleware.sandbox import Behaviour, Sandbox
from llm_router_middleware.testing import ManualClock
from tests.faults.calls import KINDS, SERVED, Kind, start
from tests.faults.cancelling import busy_connections, cancelled_at, held, is_closing, loses_connections, only_probes

CLASSES: dict[str, tuple[type[Any], type[Any]]] = {
    "openai": (openai.OpenAI, openai.AsyncOpenAI),
    "anthropic": (anthropic.Anthropic, anthropic.AsyncAnthropic),
    "groq": (groq.Groq, groq.AsyncGroq),
}
MOST_WAITS = 400
MOST_TICKS = 50
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
WORDS = Behaviour(text="one two three four five six", chunks=6)


@dataclass(frozen=True)
class Trouble:
    """What the call meets on its way, so that it has more places to be cancelled in."""

    name: str
    served: Behaviour = WORDS
    everyone: Behaviour = WORDS
    retries: int = 0

    def __str__(self) -> str:
        return self.name


TROUBLES = (
    Trouble("none"),
    Trouble("the cheaper model fails", Behaviour(status=500)),
    Trouble("the provider fails", Behaviour(status=500), Behaviour(status=500)),
    Trouble("a pause between rounds", Behaviour(status=503), Behaviour(status=503), retries=1),
    Trouble("the first stream ends early", Behaviour(truncate_after=0)),
)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_router_middleware.kit._BACKOFF_BASE_S", 0.01)


class World:
    """A router whose every circuit lets one probe through, a client on real sockets, and what they leave behind."""

    def __init__(self, sandbox: Sandbox, kind: Kind, trouble: Trouble) -> None:
        self.kind, self.sandbox, self.retries = kind, sandbox, trouble.retries
        self.events: list[Any] = []
        self.checked = 0
        self.clock = ManualClock()
        self.router = Router(scorer="heuristic", sinks=[self.events.append], now=self.clock)
        self.client = wrap(self.bare_client(), router=self.router)
        provider = getattr(sandbox, kind.sdk)
        others = [p for p in (sandbox.openai, sandbox.anthropic, sandbox.groq) if p is not provider]
        for other in others:
            other.default("*", WORDS if trouble.retries == 0 else trouble.everyone)
        provider.default("*", trouble.everyone)
        provider.default(SERVED[kind.sdk], trouble.served)

    def bare_client(self) -> Any:
        """What the caller would have without us."""
        sdk = CLASSES[self.kind.sdk][self.kind.is_async]
        module = sys.modules[self.kind.sdk]
        http = module.DefaultAsyncHttpxClient if self.kind.is_async else module.DefaultHttpxClient
        return sdk(max_retries=self.retries, http_client=http(verify=NO_TLS))

    def prepare(self) -> None:
        self.events.clear()
        only_probes(self.router, self.clock)

    def check(self, *, loses_it_bare: bool = False) -> None:
        self.checked += 1
        assert held(self.router) == []
        assert len(self.events) == 1, [event.error for event in self.events]
        if not loses_it_bare:
            clients = [self.client, *(backend.client for backend in self._backends())]
            assert [busy for c in clients if not loses_connections(c) for busy in busy_connections(c)] == []

    def _backends(self) -> list[Any]:
        backends = self.router._backends
        pools = [backends._sync, *backends._async.values()]
        return [backend for pool in pools for backend in pool.values()]


@pytest.fixture
def world_of(
    sandbox_keys: Sandbox, record_property: Callable[[str, object], None]
) -> Iterator[Callable[[Kind, Trouble], World]]:
    worlds: list[World] = []

    def build(kind: Kind, trouble: Trouble) -> World:
        worlds.append(World(sandbox_keys, kind, trouble))
        return worlds[-1]

    yield build
    record_property("points", sum(world.checked for world in worlds))


@contextlib.asynccontextmanager
async def no_complaints() -> AsyncIterator[None]:
    """Nothing is reported to the event loop: no exception that was never retrieved, no task that was destroyed."""
    loop, told = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _loop, context: told.append(context))
    yield
    await asyncio.sleep(0)
    gc.collect()
    await asyncio.sleep(0)
    assert told == []


async def read_all(world: World) -> int:
    answer = await start(world.client, world.kind)
    if not world.kind.stream:
        return 1
    return len([part async for part in answer])


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.is_async], ids=str)
async def test_cancelled_at_every_await(world_of: Any, kind: Kind, trouble: Trouble) -> None:
    """The probe and the connection are free one tick later, one event says "cancelled", nothing is complained of."""
    world = world_of(kind, trouble)
    async with no_complaints(), world.client:
        with contextlib.suppress(Exception):
            await read_all(world)
        for number in range(1, MOST_WAITS):
            world.prepare()
            place, value = await cancelled_at(number, lambda: read_all(world))
            await asyncio.sleep(0)
            if not place:
                break
            assert isinstance(value, asyncio.CancelledError), value
            world.check(loses_it_bare=is_closing(place))
            event = world.events[0]
            # A stream that is cancelled while it closes has been received as a whole.
            begun = [(True, None), (True, "cancelled")] if kind.stream else []
            assert (event.success, event.error) in [(False, "cancelled"), *begun]
        else:
            raise AssertionError("a call waits forever")
        assert number > 4
        world.check()


class ThrownError(Exception):
    """What a consumer throws into a stream."""


Leave = Callable[[Any], None]


def _close(answer: Any) -> None:
    answer.close()


def _throw(answer: Any) -> None:
    with pytest.raises(ThrownError):
        answer._iterator.throw(ThrownError())


def _close_the_iterator(answer: Any) -> None:
    answer._iterator.close()


def _leave_the_block(answer: Any) -> None:
    with pytest.raises(ThrownError), answer:
        raise ThrownError


LEAVING: dict[str, Leave] = {
    "close": _close,
    "throw": _throw,
    "close the iterator": _close_the_iterator,
    "leave the block": _leave_the_block,
    "forget": lambda _answer: None,
}


@pytest.mark.parametrize("leave", list(LEAVING))
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.stream and not kind.is_async], ids=str)
def test_left_at_every_chunk(world_of: Any, kind: Kind, leave: str) -> None:
    """After each chunk, in each way to leave a stream: one event, the probe free, the connection given back.

    The connection only where the SDK by itself gives it back: not of a stream that was never begun to be read.
    """
    world = world_of(kind, TROUBLES[0])
    with world.client:
        whole = len(list(start(world.client, kind)))
        assert whole > 5
        for chunks in reversed(range(whole)):
            world.prepare()
            with world.bare_client() as bare:
                left_after(bare, kind, chunks, leave)
                loses_it_bare = busy_connections(bare) != []
            left_after(world.client, kind, chunks, leave)
            assert chunks == 0 or not loses_it_bare
            world.check(loses_it_bare=loses_it_bare)
            (event,) = world.events
            assert event.error in ("closed", "abandoned", None), event.error
            assert event.success is True


def left_after(client: Any, kind: Kind, chunks: int, leave: str) -> None:
    answer = start(client, kind)
    for _ in range(chunks):
        next(answer._iterator)
    LEAVING[leave](answer)
    del answer
    gc.collect()


async def _aclose(answer: Any) -> None:
    await answer.close()


async def _athrow(answer: Any) -> None:
    with pytest.raises(ThrownError):
        await answer._iterator.athrow(ThrownError())


async def _aclose_the_iterator(answer: Any) -> None:
    await answer._iterator.aclose()


async def _leave_the_ablock(answer: Any) -> None:
    with pytest.raises(ThrownError):
        async with answer:
            raise ThrownError


async def _forget(_answer: Any) -> None:
    """Nobody holds it any more."""


ALEAVING: dict[str, Callable[[Any], Coroutine[Any, Any, None]]] = {
    "close": _aclose,
    "throw": _athrow,
    "close the iterator": _aclose_the_iterator,
    "leave the block": _leave_the_ablock,
    "forget": _forget,
}


async def aleft_after(client: Any, kind: Kind, chunks: int, leave: str) -> None:
    answer = await start(client, kind)
    for _ in range(chunks):
        await anext(answer._iterator)
    await ALEAVING[leave](answer)
    del answer
    gc.collect()
    for _ in range(MOST_TICKS):
        if not busy_connections(client):
            return
        await asyncio.sleep(0)


@pytest.mark.parametrize("leave", list(ALEAVING))
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.stream and kind.is_async], ids=str)
async def test_left_at_every_chunk_of_an_async_stream(world_of: Any, kind: Kind, leave: str) -> None:
    """The same where it is awaited. Of a forgotten stream the event loop closes the connection, when it gets to it.

    A stream that is forgotten before anything was read of it loses its connection with the bare SDK too, so this is
    not asked; asyncio may then complain of generators that it closes at once, as they hang on one another.
    """
    world = world_of(kind, TROUBLES[0])
    async with no_complaints(), world.client:
        whole = len([part async for part in await start(world.client, kind)])
        for chunks in range(whole - 1, 0 if leave == "forget" else -1, -1):
            world.prepare()
            async with world.bare_client() as bare:
                await aleft_after(bare, kind, chunks, leave)
                loses_it_bare = busy_connections(bare) != []
            await aleft_after(world.client, kind, chunks, leave)
            assert chunks == 0 or not loses_it_bare
            world.check(loses_it_bare=loses_it_bare)
            assert world.events[0].error in ("closed", "abandoned", None), world.events[0].error


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.is_async], ids=str)
def test_interrupted_at_every_read_and_write(
    world_of: Any, kind: Kind, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C wherever a sync call touches the network: the interrupt comes through, and everything is given back."""
    strike = Strike(monkeypatch)
    world = world_of(kind, trouble)
    with world.client:
        with contextlib.suppress(Exception):
            read_blocking(world)
        for number in range(1, MOST_WAITS):
            world.prepare()
            strike.at = strike.count + number
            try:
                read_blocking(world)
            except KeyboardInterrupt:
                world.check()
                assert (world.events[0].success, world.events[0].error) in [
                    (False, "cancelled"),
                    (False, "connection_lost"),
                ]
            except Exception:
                assert strike.count < strike.at
                break
            else:
                assert strike.count < strike.at, "the interrupt was swallowed"
                break
        assert number > 3


def read_blocking(world: World) -> int:
    answer = start(world.client, world.kind)
    return len(list(answer)) if world.kind.stream else 1


class Strike:
    """A KeyboardInterrupt at one touch of the network, counted over both HTTP libraries."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.at = 0, 0
        for library in ("httpcore", "httpcore2"):
            stream = f"{library}._backends.sync.SyncStream"
            backend = f"{library}._backends.sync.SyncBackend"
            for place in (f"{stream}.read", f"{stream}.write", f"{backend}.connect_tcp"):
                monkeypatch.setattr(place, self._around(pkgutil.resolve_name(place)))

    def _around(self, touch: Any) -> Any:
        def touching(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                raise KeyboardInterrupt
            return touch(*args, **kwargs)

        return touching
