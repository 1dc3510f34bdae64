"""Fixtures that every room's tests may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from llm_router_middleware.sandbox import Sandbox

# The same examples in every run: a mutant that is killed today is killed tomorrow. Nightly sizes draw anew.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")

_OURS = ("LLM_ROUTER_", "OPENAI_", "ANTHROPIC_", "GROQ_", "AZURE_OPENAI_")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees the keys or settings of whoever runs it."""
    import os

    for name in list(os.environ):
        if name.startswith(_OURS):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """One sandbox for the whole run; reset by `sandbox`."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, as new."""
    providers = (shared_sandbox.openai, shared_sandbox.anthropic, shared_sandbox.groq)
    for provider in providers:
        provider.reset()
    yield shared_sandbox
    for provider in providers:
        provider.reset()


@pytest.fixture
def sandbox_keys(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox, with its keys and addresses in the environment."""
    for name, value in sandbox.env().items():
        monkeypatch.setenv(name, value)
    return sandbox
