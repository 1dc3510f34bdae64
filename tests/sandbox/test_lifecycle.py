"""Starting, stopping, refusing, forking, and many connections at once."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from llm_router_middleware.sandbox import Behaviour, Provider, Sandbox
from tests.sandbox.sdks import MESSAGES, OPENAI, SDK, SDKS


def port_of(provider: Provider) -> int:
    return int(provider.base_url.rpartition(":")[2].partition("/")[0])


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


@contextlib.contextmanager
def many_files(wanted: int) -> Iterator[None]:
    """Allows this process so many open files, where the system lets it."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"the system allows {hard} open files; {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_sdks_find_it_by_the_environment_alone(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six variables bring an unchanged program here."""
    for name, value in sandbox.env().items():
        monkeypatch.setenv(name, value)
    assert len(sandbox.env()) == 6
    for sdk in SDKS:
        with sdk.clients[0]() as client:
            assert sdk.text(sdk.create(client))
        assert len(sdk.provider(sandbox).requests) == 1


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)
def test_refused_means_connection_refused(sandbox: Sandbox, sdk: SDK) -> None:
    """Not listening refuses new connections and closes idle ones; the port stays, and listens again."""
    provider = sdk.provider(sandbox)
    port = port_of(provider)
    with sdk.client(provider) as client:
        sdk.create(client)
        provider.refuse()
        provider.refuse()
        with pytest.raises(sdk.module.APIConnectionError) as caught:
            sdk.create(client)
        assert type(caught.value.__cause__).__name__ == "ConnectError"
        assert is_refused(port)
        provider.accept()
        provider.accept()
        assert port_of(provider) == port
        assert sdk.text(sdk.create(client))
    assert len(provider.requests) == 2


def test_refusing_lets_the_answers_under_way_end(sandbox: Sandbox) -> None:
    """A stream that has begun is completed; then its connection closes."""
    sandbox.openai.script("*", Behaviour(stall_after=1, stall_s=0.1))
    with OPENAI.client(sandbox.openai) as client:
        stream = OPENAI.create(client, stream=True)
        first = next(stream)
        sandbox.openai.refuse()
        rest = list(stream)
        assert rest[-1].choices[0].finish_reason == "stop"
        assert OPENAI.text([first, *rest])
        with pytest.raises(OPENAI.module.APIConnectionError):
            OPENAI.create(client)


def test_a_reset_listens_again(sandbox: Sandbox) -> None:
    """No test inherits a refusal from the one before."""
    sandbox.groq.refuse()
    sandbox.reset()
    assert not is_refused(port_of(sandbox.groq))


def test_nothing_is_left_behind() -> None:
    """After closing: no thread, no port, no descriptor, no warning; closing twice is allowed."""
    gc.collect()
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(3):
        sandbox = Sandbox()
        with sandbox, OPENAI.client(sandbox.openai) as client:
            OPENAI.create(client)
            sandbox.openai.script("*", Behaviour(stall_after=0))
            hanging = OPENAI.create(client, stream=True)
            ports = [port_of(provider) for provider in sandbox.providers]
            sandbox.groq.refuse()
            hanging.close()
        sandbox.close()
        assert all(map(is_refused, ports))
    gc.collect()
    assert threading.active_count() == threads
    if files:
        assert len(os.listdir("/proc/self/fd")) == files


def test_closing_does_not_wait_for_stalled_answers() -> None:
    """An endless stall does not hold the sandbox open: its client sees the connection break."""
    with Sandbox() as sandbox, OPENAI.client(sandbox.openai) as client:
        sandbox.openai.default("*", Behaviour(stall_after=1))
        stream = OPENAI.create(client, stream=True)
        next(stream)
        sandbox.close()
        with pytest.raises(OPENAI.module.APIConnectionError):
            list(stream)


def test_it_runs_once_at_a_time_and_again() -> None:
    """Starting twice is an error, starting again after closing is not; before the start there is no address."""
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.openai.base_url
    with pytest.raises(RuntimeError, match="not running"):
        sandbox.openai.refuse()
    for _ in range(2):
        with sandbox:
            with pytest.raises(RuntimeError, match="already"):
                sandbox.start()
            assert OPENAI.text(OPENAI.run(sandbox.openai, is_async=False))
        with pytest.raises(RuntimeError, match="not running"):
            sandbox.openai.refuse()


def test_a_failed_start_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no port can be had, `start` raises and the thread is gone."""
    from llm_router_middleware.sandbox import listener

    def no_port(_port: int) -> socket.socket:
        raise OSError("no port")

    threads = threading.active_count()
    monkeypatch.setattr(listener, "_bound", no_port)
    with pytest.raises(OSError, match="no port"):
        Sandbox().start()
    assert threading.active_count() == threads


async def test_it_is_an_asynchronous_context_manager_too() -> None:
    """`async with Sandbox()` serves the loop that it runs in."""
    async with Sandbox() as sandbox, OPENAI.client(sandbox.openai, is_async=True) as client:
        answers = await asyncio.gather(*(OPENAI.create(client) for _ in range(20)))
    assert len({answer.id for answer in answers}) == 20


async def test_a_thousand_connections_at_once() -> None:
    """1,000 connections are open at the same time, and the stream on every one of them is completed."""
    with many_files(3000):
        async with Sandbox() as sandbox:
            body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}'
            head = (
                f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {sandbox.openai.api_key}\r\n"
                f"content-length: {len(body)}\r\n\r\n"
            )
            sandbox.openai.default("*", Behaviour(stall_after=1, stall_s=0.5))
            begun = asyncio.Semaphore(0)
            everyone = asyncio.Event()

            async def ask() -> bytes:
                reader, writer = await asyncio.open_connection("127.0.0.1", port_of(sandbox.openai))
                writer.write(head.encode() + body)
                first = await reader.readuntil(b'"role"')
                begun.release()
                await everyone.wait()
                rest = await reader.readuntil(b"\r\n0\r\n\r\n")
                writer.close()
                await writer.wait_closed()
                return first + rest

            asked = [asyncio.create_task(ask()) for _ in range(1000)]
            for _ in range(1000):
                await begun.acquire()
            assert len(sandbox.openai.listener.connections) == 1000
            everyone.set()
            answers = await asyncio.gather(*asked)
    assert sum(b"[DONE]" in answer for answer in answers) == 1000
    assert len(sandbox.openai.requests) == 1000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_holds_nothing_and_stops_nothing() -> None:
    """In a child, closing does nothing, and what the parent closes is closed though the child lives on."""
    with Sandbox() as sandbox, OPENAI.client(sandbox.openai) as client:
        OPENAI.create(client)
        reading, writing = os.pipe()
        closed, closing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(writing)
            sandbox.close()
            os.write(closing, b".")
            os.read(reading, 1)
            os._exit(0)
        os.close(reading)
        try:
            os.read(closed, 1)
            assert OPENAI.text(OPENAI.create(client))
            sandbox.openai.refuse()
            assert is_refused(port_of(sandbox.openai))
            with pytest.raises(OPENAI.module.APIConnectionError):
                OPENAI.create(client)
            sandbox.openai.accept()
            assert OPENAI.text(OPENAI.create(client))
        finally:
            os.close(writing)
            os.waitpid(child, 0)
            os.close(closed)
            os.close(closing)


def test_it_serves_standalone() -> None:
    """`python -m llm_router_middleware.sandbox` prints the variables, serves, and ends quietly with Ctrl-C."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "llm_router_middleware.sandbox"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().split() for _ in range(6)]
        env = dict(line[1].split("=", 1) for line in lines)
        with OPENAI.clients[0](api_key=env["OPENAI_API_KEY"], base_url=env["OPENAI_BASE_URL"]) as client:
            assert OPENAI.text(client.chat.completions.create(model="m", messages=MESSAGES))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_a_mistake_of_ours_breaks_the_connection_and_is_told(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """If answering raises, the client is not left waiting, and the traceback is logged."""
    from llm_router_middleware.sandbox import exchange

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(exchange, "answer", broken)
        with pytest.raises(OPENAI.module.APIConnectionError):
            OPENAI.run(sandbox.openai, is_async=False)
    assert "the sandbox failed to answer" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert OPENAI.text(OPENAI.run(sandbox.openai, is_async=False))
