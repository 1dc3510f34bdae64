"""A wrapped client is the SDK's own object: its class, its text, its copies, its end, and what it can't do."""

from __future__ import annotations

import contextlib
import copy
import importlib
import inspect
import pickle
from collections.abc import AsyncIterator
from typing import Any

import pytest

import llm_router_middleware
from llm_router_middleware import Router, UnsupportedClientError, is_wrapped, last_event, unwrap, wrap
from llm_router_middleware.intercept.sdk import sdk_of
from llm_router_middleware.sandbox import Sandbox
from tests.clients.memory import Wire, ask

SIX = [
    ("openai", "OpenAI"),
    ("openai", "AsyncOpenAI"),
    ("anthropic", "Anthropic"),
    ("anthropic", "AsyncAnthropic"),
    ("groq", "Groq"),
    ("groq", "AsyncGroq"),
]
EACH = pytest.mark.parametrize(("sdk", "name"), SIX, ids=[name for _, name in SIX])
MODELS = {"openai": "gpt-6.1-sol", "anthropic": "claude-opus-5-5", "groq": "openai/gpt-oss-120b"}
ASK = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def router() -> Router:
    return Router(scorer="heuristic")


@contextlib.asynccontextmanager
async def closing(*clients: Any) -> AsyncIterator[None]:
    """Closes what was opened, awaited where need be."""
    try:
        yield
    finally:
        for client in clients:
            await done(client.close())


async def done(value: Any) -> Any:
    """A value, or what an awaitable gives."""
    return await value if inspect.isawaitable(value) else value


async def call(client: Any, sdk: str) -> Any:
    return await done(ask(client, sdk, model=MODELS[sdk], messages=ASK))


@EACH
async def test_type_text_and_pickling_are_the_bare_clients(router: Router, sdk: str, name: str) -> None:
    """`type`, `isinstance`, `repr`, `dir` and what `pickle` and `deepcopy` say: as without us."""
    wire, is_async = Wire(sdk), name.startswith("Async")
    bare, client = wire.client(is_async=is_async), wire.client(is_async=is_async)
    async with closing(bare, client):
        assert wrap(client, router=router) is client
        assert type(client) is getattr(importlib.import_module(sdk), name)
        assert repr(client).partition(" at ")[0] == repr(bare).partition(" at ")[0]
        assert {each for each in dir(client) if not each.startswith("_llm_router")} == set(dir(bare)) - {
            each for each in dir(bare) if each.startswith("_llm_router")
        }
        for refuse in (pickle.dumps, copy.deepcopy):
            said = []
            for each in (bare, client):
                with pytest.raises(TypeError) as caught:
                    refuse(each)
                said.append(str(caught.value))
            assert said[0] == said[1]


@EACH
@pytest.mark.parametrize("derive", ["copy", "with_options", "copy.copy"])
async def test_copies_are_routed_and_equal_to_the_bare_clients(
    router: Router, sdk: str, name: str, derive: str
) -> None:
    """Each way to a copy keeps the router, and every option that the SDK keeps."""
    wire = Wire(sdk)
    client = wrap(wire.client(is_async=name.startswith("Async")), router=router)
    async with closing(client):
        derived = copy.copy(client) if derive == "copy.copy" else getattr(client, derive)(max_retries=5)
        assert type(derived) is type(client)
        assert derived.max_retries == (client.max_retries if derive == "copy.copy" else 5)
        assert (derived.base_url, derived.api_key) == (client.base_url, client.api_key)
        assert is_wrapped(derived)
        assert last_event(await call(derived, sdk)) is not None
        assert wire.bodies[-1]["model"] != MODELS[sdk]


@EACH
async def test_contexts_and_close(router: Router, sdk: str, name: str) -> None:
    """`with` gives the same object, its end closes the caller's own connections, and a closed client says so."""
    is_async = name.startswith("Async")
    client = wrap(Wire(sdk).client(is_async=is_async), router=router)
    if is_async:
        async with client as inner:
            assert inner is client
            assert not client.is_closed()
    else:
        with client as inner:
            assert inner is client
            assert not client.is_closed()
    assert client.is_closed()


@EACH
async def test_unwrapping_leaves_nothing_behind(router: Router, sdk: str, name: str) -> None:
    """`unwrap` gives the object back as it was, with the same attributes, and its calls are the caller's own."""
    wire, is_async = Wire(sdk), name.startswith("Async")
    client = wire.client(is_async=is_async)
    before = set(client.__dict__)
    async with closing(client):
        assert unwrap(wrap(client, router=router)) is client
        assert set(client.__dict__) == before
        assert not is_wrapped(client)
        assert last_event(await call(client, sdk)) is None
        assert wire.bodies[-1]["model"] == MODELS[sdk]


@EACH
async def test_each_of_the_six_builds_the_sdks_own_object(
    sandbox_keys: Sandbox, router: Router, sdk: str, name: str
) -> None:
    """An object of exactly the SDK's class, routed; the SDK's arguments and no others; subclasses are the SDK's."""
    ours, real = getattr(llm_router_middleware, name), getattr(importlib.import_module(sdk), name)
    client = ours(api_key="k", router=router)
    async with closing(client):
        assert type(client) is real
        assert is_wrapped(client)
        assert isinstance(client, ours)
        assert issubclass(real, ours)
    with pytest.raises(TypeError):
        ours(api_kye="k")
    mine = type("Mine", (ours,), {"extra": 1})
    assert issubclass(mine, real)
    async with closing(own := mine(api_key="k", router=router)):
        assert isinstance(own, real)
        assert is_wrapped(own)
        assert own.extra == 1


def test_an_sdk_whose_door_has_moved_is_refused(router: Router) -> None:
    """A version that we don't know: the error names it, what was found, and what is supported; nothing is patched."""

    class Future:
        """A client of tomorrow."""

        def request(self, operation: str, *, transport: object = None) -> object:
            return transport

    Future.__module__ = "openai._client"
    before = dict(vars(Future))
    with pytest.raises(UnsupportedClientError) as caught:
        wrap(Future(), router=router)
    version = importlib.import_module("openai").__version__
    assert str(caught.value).startswith(f"openai {version}: its clients' request('self', 'operation', 'transport')")
    assert "openai >= 1.66, anthropic >= 0.49 and groq >= 0.13" in str(caught.value)
    assert dict(vars(Future)) == before


def test_what_is_supported_is_what_is_declared() -> None:
    """The versions in that error are the ones of pyproject.toml."""
    import tomllib

    from tests.environments import REPO

    extras = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    source = inspect.getsource(inspect.getmodule(sdk_of))  # type: ignore[arg-type]
    for sdk in ("openai", "anthropic", "groq"):
        (declared,) = extras[sdk]
        assert declared.replace(">=", " >= ") in source
