"""routed(): what holds inside a block or a function, in this task, and nowhere else."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from typing import Any

import pytest

from llm_router_middleware import ConfigurationError, Router, routed
from llm_router_middleware.intercept import scope
from tests.clients.memory import Wire, ask

ASK = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture
def router() -> Router:
    return Router(scorer="heuristic")


@pytest.fixture
def wire() -> Wire:
    return Wire("openai")


def call(client: Any) -> str:
    return str(ask(client, "openai", model="gpt-6.1-sol", messages=ASK).model)


def test_plain_clients_inside_are_routed_and_outside_are_untouched(router: Router, wire: Wire) -> None:
    """The block routes, its end unroutes."""
    with wire.client() as client:
        assert call(client) == "gpt-6.1-sol"
        with routed(router=router):
            assert call(client) == "gpt-6-luna"
        assert call(client) == "gpt-6.1-sol"


def test_a_function(router: Router, wire: Wire) -> None:
    """A decorated function is the block of its body, and keeps its name."""

    @routed(router=router)
    def answer(client: Any) -> str:
        """Docs."""
        return call(client)

    with wire.client() as client:
        assert answer(client) == "gpt-6-luna"
        assert call(client) == "gpt-6.1-sol"
    assert (answer.__name__, answer.__doc__) == ("answer", "Docs.")


def test_methods_of_all_kinds(router: Router, wire: Wire) -> None:
    """Instance, class and static methods."""

    class Agent:
        @routed(router=router)
        def one(self, client: Any) -> str:
            return call(client)

        @classmethod
        @routed(router=router)
        def two(cls, client: Any) -> str:
            return call(client)

        @routed(router=router)  # type: ignore[arg-type]
        @staticmethod
        def three(client: Any) -> str:
            return call(client)

    with wire.client() as client:
        agent = Agent()
        assert {agent.one(client), agent.two(client), agent.three(client)} == {"gpt-6-luna"}


def test_a_generator_is_inside_only_while_its_body_runs(router: Router, wire: Wire) -> None:
    """Between two items the consumer is outside; what he sends, throws and closes reaches the body."""
    seen: list[str] = []

    @routed(router=router)
    def answers(client: Any) -> Any:
        try:
            got = yield call(client)
            seen.append(got)
            try:
                yield call(client)
            except KeyError:
                yield "caught"
        finally:
            seen.append(f"closed inside: {scope.current() is not None}")

    with wire.client() as client:
        stream = answers(client)
        assert next(stream) == "gpt-6-luna"
        assert scope.current() is None
        assert call(client) == "gpt-6.1-sol"
        assert stream.send("hello") == "gpt-6-luna"
        assert stream.throw(KeyError("k")) == "caught"
        stream.close()
    assert seen == ["hello", "closed inside: True"]
    assert scope.current() is None


async def test_an_async_generator_is_sent_to_thrown_into_and_closed_inside(router: Router) -> None:
    """The same, awaited: `asend`, `athrow` and `aclose` reach a body that is inside, and leave the consumer outside."""
    seen: list[str] = []

    class Agent:
        @routed(router=router)
        async def answers(self) -> Any:
            try:
                seen.append((yield 1))
                try:
                    yield scope.current() is not None
                except KeyError:
                    yield "caught"
            finally:
                await asyncio.sleep(0)
                seen.append(f"closed inside: {scope.current() is not None}")

    stream = Agent().answers()
    assert await anext(stream) == 1
    assert await stream.asend("hello") is True
    assert await stream.athrow(KeyError("k")) == "caught"
    assert scope.current() is None
    await stream.aclose()
    assert seen == ["hello", "closed inside: True"]
    assert scope.current() is None


async def test_methods_that_are_awaited_or_iterated(router: Router) -> None:
    """Coroutine methods, generator methods and class methods of each kind are what they were, and inside."""

    class Agent:
        @routed(router=router)
        async def one(self) -> bool:
            await asyncio.sleep(0)
            return scope.current() is not None

        @routed(router=router)
        def two(self) -> Any:
            yield scope.current() is not None

        @classmethod
        @routed(router=router)
        async def three(cls) -> Any:
            yield scope.current() is not None

    assert await Agent().one()
    assert list(Agent().two()) == [True]
    assert [item async for item in Agent.three()] == [True]
    assert inspect.iscoroutinefunction(Agent.one)
    assert inspect.isgeneratorfunction(Agent.two)
    assert inspect.isasyncgenfunction(Agent.three)
    assert scope.current() is None


def test_an_exception_leaves_the_scope(router: Router) -> None:
    """However a block or a function is left, what follows is outside, and the exception is the body's own."""

    @routed(router=router)
    def fails() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fails()
    assert scope.current() is None
    with pytest.raises(KeyError, match="mine"), routed(router=router):
        raise KeyError("mine")
    assert scope.current() is None


def test_a_coroutine_may_be_closed_by_anybody(router: Router) -> None:
    """P16: begun in one context and closed in another, as the garbage collector does, it ends without a word."""

    @routed(router=router)
    async def endless() -> None:
        await asyncio.get_running_loop().create_future()

    @routed(router=router)
    async def items() -> Any:
        await asyncio.get_running_loop().create_future()
        yield 1

    async def begun(awaitable: Any) -> Any:
        contextvars.copy_context().run(awaitable.send, None)
        return awaitable

    async def main() -> None:
        for awaitable in (endless(), anext(items())):
            (await begun(awaitable)).close()
            assert scope.current() is None

    asyncio.run(main())


async def test_coroutines_and_async_generators(router: Router) -> None:
    """The same, awaited; concurrent tasks don't see each other's scopes."""
    wire = Wire("openai")
    client = wire.client(is_async=True)

    async def acall() -> str:
        return str((await ask(client, "openai", model="gpt-6.1-sol", messages=ASK)).model)

    @routed(router=router)
    async def inside() -> str:
        await asyncio.sleep(0)
        return await acall()

    @routed(router=router)
    async def items() -> Any:
        for _ in range(2):
            yield await acall()

    assert await asyncio.gather(inside(), acall(), inside(), acall()) == [
        "gpt-6-luna",
        "gpt-6.1-sol",
        "gpt-6-luna",
        "gpt-6.1-sol",
    ]
    async for item in items():
        assert item == "gpt-6-luna"
        assert scope.current() is None
        assert await acall() == "gpt-6.1-sol"
    await client.close()


async def test_tasks_started_inside_stay_inside(router: Router) -> None:
    """A scope follows the tasks that were started in it, also after its end."""
    async with routed(router=router):
        task = asyncio.create_task(asyncio.sleep(0, scope.current))
        inner = asyncio.create_task(_current_later())
    assert (await task)() is None
    assert await inner is not None
    assert scope.current() is None


async def _current_later() -> Any:
    await asyncio.sleep(0)
    return scope.current()


def test_threads_begin_outside_unless_given_the_context(router: Router) -> None:
    """ContextVars don't cross into threads by themselves; `copy_context().run` takes them along."""
    seen: list[Any] = []
    with routed(router=router):
        for target in (lambda: seen.append(scope.current()), lambda: seen.append("ctx")):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        context = contextvars.copy_context()
        thread = threading.Thread(target=lambda: context.run(lambda: seen.append(scope.current())))
        thread.start()
        thread.join()
    assert seen[0] is None
    assert seen[2] is not None


def test_the_inner_scope_wins_and_the_outer_returns(router: Router, wire: Wire) -> None:
    """Nesting: field by field, the inner one over the outer one."""
    with wire.client() as client, routed(router=router, tier="premium"):
        assert call(client) == "gpt-6.1-sol"
        with routed(tier="mid"):
            assert call(client) == "gpt-6.1-terra"
        assert call(client) == "gpt-6.1-sol"


def test_two_limits_only_tighten() -> None:
    """allow_providers and deadline_s: an inner scope cannot widen them."""
    with routed(allow_providers=["openai", "groq"], deadline_s=5):
        with routed(allow_providers=["groq", "anthropic"], deadline_s=9):
            inner = scope.current()
        assert inner is not None
        assert inner.limits == {"allow_providers": frozenset({"groq"}), "deadline_s": 5.0}


def test_pinned_passes_through_with_an_event(wire: Wire) -> None:
    """`pinned`: the model that the call names, byte for byte, and the event says so."""
    events: list[Any] = []
    with wire.client() as client, routed(router=Router(scorer="heuristic", sinks=[events.append]), pinned=True):
        assert call(client) == "gpt-6.1-sol"
    assert events[0].selection_reason == "pinned"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tier": "gigantic"}, "tier='gigantic': expected one of budget, mid, premium"),
        ({"max_latency_s": -1}, "max_latency_s=-1: expected seconds"),
        ({"max_latency_s": float("nan")}, "max_latency_s=nan: expected seconds"),
        ({"deadline_s": "3"}, "deadline_s='3': expected seconds"),
        ({"allow_providers": "openai"}, "allow_providers='openai': expected a collection of names"),
    ],
)
def test_a_wrong_limit_is_told_when_the_scope_is_made(options: dict[str, Any], message: str) -> None:
    """Not when the first call is made inside it."""
    with pytest.raises(ConfigurationError, match=message):
        routed(**options)


def test_one_scope_object_may_be_entered_by_many_tasks(router: Router) -> None:
    """Entering and leaving is per task, in any order."""
    shared = routed(router=router)

    async def use(delay: float) -> bool:
        async with shared:
            await asyncio.sleep(delay)
            inside = scope.current() is not None
        return inside and scope.current() is None

    async def main() -> list[bool]:
        return await asyncio.gather(*(use(d) for d in (0.01, 0.0, 0.02)))

    assert asyncio.run(main()) == [True, True, True]


def test_routed_without_parentheses(sandbox_keys: Any) -> None:
    """`@routed` alone uses the default router."""

    @routed
    def inside() -> Any:
        return scope.current()

    assert inside() is not None
    assert scope.current() is None
