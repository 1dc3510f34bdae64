"""What goes over the wire: packets, framing, keep-alive, and the ways in which connections end."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator

import pytest

from llm_router_middleware.sandbox import BEFORE_HEADERS, Behaviour, Provider, Sandbox
from tests.sandbox.sdks import OPENAI

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]}).encode()
STREAM = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}).encode()


def request(body: bytes = BODY, *more: str, version: str = "1.1", method: str = "POST") -> bytes:
    lines = [
        f"{method} /v1/chat/completions HTTP/{version}",
        "Host: sandbox",
        "Authorization: Bearer sk-sandbox-openai",
        f"Content-Length: {len(body)}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextlib.contextmanager
def connected(provider: Provider) -> Iterator[socket.socket]:
    port = int(provider.base_url.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        yield sock


def read_until(sock: socket.socket, end: bytes) -> bytes:
    got = bytearray()
    while got.find(end, max(0, len(got) - (1 << 20) - len(end))) < 0:
        part = sock.recv(1 << 20)
        if not part:
            break
        got += part
    return bytes(got)


def read_answer(sock: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of an answer that tells its length."""
    got = read_until(sock, b"\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2])
    while len(body) < length:
        body += sock.recv(65536)
    return head, body


def read_all(sock: socket.socket) -> bytes:
    got = b""
    while part := sock.recv(65536):
        got += part
    return got


def test_an_answer_comes_in_one_packet(sandbox: Sandbox) -> None:
    """Head and body are written at once: nobody waits for a delayed acknowledgement."""
    with connected(sandbox.openai) as sock:
        sock.sendall(request())
        first = sock.recv(1 << 20)
    head, _, body = first.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(body)["object"] == "chat.completion"


def test_a_connection_serves_many_requests(sandbox: Sandbox) -> None:
    """Keep-alive, also after errors and streams, also when requests come before the answers (pipelining)."""
    sandbox.openai.script("m", Behaviour(status=429), Behaviour(), Behaviour())
    with connected(sandbox.openai) as sock:
        sock.sendall(request())
        assert read_answer(sock)[0].startswith(b"HTTP/1.1 429")
        sock.sendall(request(STREAM))
        assert read_until(sock, b"0\r\n\r\n").endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        sock.sendall(request() + request() + request())
        got = b""
        while got.count(b'"usage"') < 3:
            got += sock.recv(65536)
    assert got.count(b"HTTP/1.1 200") == 3
    assert len(sandbox.openai.requests) == 5


def test_sdk_clients_reuse_their_connection(sandbox: Sandbox) -> None:
    """Ten calls of a client use one connection."""
    before = set(sandbox.openai.listener.connections)
    with OPENAI.client(sandbox.openai) as client:
        for _ in range(10):
            OPENAI.create(client)
        assert len(set(sandbox.openai.listener.connections) - before) == 1


def test_http_1_0_and_connection_close_end_the_connection(sandbox: Sandbox) -> None:
    """The server closes when the client's HTTP wants it."""
    for raw in (request(version="1.0"), request(BODY, "Connection: close")):
        with connected(sandbox.openai) as sock:
            sock.sendall(raw)
            assert b'"chat.completion"' in read_all(sock)


def test_a_client_may_ask_before_it_sends(sandbox: Sandbox) -> None:
    """`Expect: 100-continue` is answered, and a body in pieces is put together."""
    with connected(sandbox.openai) as sock:
        head, _, body = request(BODY, "Expect: 100-continue").partition(b"\r\n\r\n")
        sock.sendall(head + b"\r\n\r\n")
        assert sock.recv(1024).startswith(b"HTTP/1.1 100")
        for byte in body:
            sock.sendall(bytes([byte]))
        assert read_answer(sock)[0].startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "raw", [b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET\r\n\r\n"], ids=range(3)
)
def test_what_is_not_http_is_refused(sandbox: Sandbox, raw: bytes) -> None:
    """Noise (a TLS greeting too) gets a 400 and a closed connection; the provider lives on."""
    with connected(sandbox.openai) as sock:
        sock.sendall(raw)
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock)[:12] in (b"HTTP/1.1 400", b"")
    assert OPENAI.text(OPENAI.run(sandbox.openai, is_async=False))


def test_a_truncated_body_is_shorter_than_its_length(sandbox: Sandbox) -> None:
    """`content-length` promises more than comes before the connection is closed."""
    sandbox.openai.script("m", Behaviour(truncate_after=1))
    with connected(sandbox.openai) as sock:
        sock.sendall(request())
        head, _, body = read_all(sock).partition(b"\r\n\r\n")
    promised = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    assert 0 < len(body) < promised
    assert sandbox.openai.requests[0].wait(10) == "cut"


def test_a_truncated_stream_ends_as_http_wants_and_without_terminator(sandbox: Sandbox) -> None:
    """The chunked framing is complete; `[DONE]` and the finish reason are missing; the connection stays."""
    sandbox.openai.script("m", Behaviour(truncate_after=2))
    with connected(sandbox.openai) as sock:
        sock.sendall(request(STREAM))
        got = read_until(sock, b"0\r\n\r\n")
        assert got.endswith(b"0\r\n\r\n")
        assert b"[DONE]" not in got
        assert b'"finish_reason":"stop"' not in got
        sock.sendall(request())
        assert read_answer(sock)[0].startswith(b"HTTP/1.1 200")


def test_a_reset_is_a_reset(sandbox: Sandbox) -> None:
    """The client sees ECONNRESET, after what was sent before."""
    sandbox.openai.script("m", Behaviour(reset_after=2), Behaviour(reset_after=BEFORE_HEADERS))
    with connected(sandbox.openai) as sock:
        sock.sendall(request(STREAM))
        got = read_until(sock, b'"content":" an')
        with pytest.raises(ConnectionResetError):
            read_all(sock)
    assert got.count(b'"content":"') == 3  # the role's empty one, and two
    with connected(sandbox.openai) as sock:
        sock.sendall(request())
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_half_closed_means_that_only_the_server_has_stopped(sandbox: Sandbox) -> None:
    """The client reads the end, and can still write; the framing is incomplete."""
    sandbox.openai.script("m", Behaviour(truncate_after=1, half_close=True))
    with connected(sandbox.openai) as sock:
        sock.sendall(request(STREAM))
        got = read_all(sock)
        assert got
        assert not got.endswith(b"0\r\n\r\n")
        sock.sendall(b"more")
        assert sandbox.openai.listener.connections


def test_a_stall_ends_when_the_client_leaves(sandbox: Sandbox) -> None:
    """An endless stall holds nothing once its client is gone."""
    sandbox.openai.script("m", Behaviour(stall_after=1))
    with connected(sandbox.openai) as sock:
        sock.sendall(request(STREAM))
        read_until(sock, b'"content":"m')
    assert sandbox.openai.requests[0].wait(10) == "abandoned"


def test_pings_come_while_a_stream_waits(sandbox: Sandbox) -> None:
    """Comments at OpenAI and Groq, ping events at Anthropic; none in an answer that is no stream."""
    for provider in (sandbox.openai, sandbox.groq, sandbox.anthropic):
        provider.script("*", Behaviour(first_token_s=0.1, ping_every_s=0.02))
    with connected(sandbox.openai) as sock:
        sock.sendall(request(STREAM))
        got = read_until(sock, b"[DONE]")
    before_content = got.partition(b'"content":"m')[0]
    assert before_content.count(b": keep-alive\n\n") >= 2
    sandbox.openai.script("m", Behaviour(first_token_s=0.1, ping_every_s=0.02))
    with connected(sandbox.openai) as sock:
        sock.sendall(request())
        assert b"keep-alive" not in read_answer(sock)[1]


def test_a_trickle_splits_frames_and_characters(sandbox: Sandbox) -> None:
    """Every chunk of HTTP has so many bytes at most, wherever the events and the UTF-8 sequences end."""
    sandbox.openai.script("m", Behaviour(text="日本語 ☕ naïve", trickle=3))
    with connected(sandbox.openai) as sock:
        sock.sendall(request(STREAM))
        got = read_until(sock, b"\r\n0\r\n\r\n").partition(b"\r\n\r\n")[2]
    body, sizes = b"", set()
    while got:
        size, _, rest = got.partition(b"\r\n")
        length = int(size, 16)
        sizes.add(length)
        body, got = body + rest[:length], rest[length + 2 :] if length else b""
    assert max(sizes) == 3
    events = [json.loads(event[6:]) for event in body.decode().strip().split("\n\n")[:-1]]
    assert "".join(e["choices"][0]["delta"].get("content", "") for e in events) == "日本語 ☕ naïve"


def test_a_client_that_reads_slowly_gets_everything(sandbox: Sandbox) -> None:
    """A large stream waits for its reader, and other connections don't wait with it."""
    text = "word " * 100_000
    sandbox.openai.script("m", Behaviour(text=text))
    with connected(sandbox.openai) as sock:
        sock.sendall(request(STREAM))
        first = sock.recv(1024)
        assert OPENAI.text(OPENAI.run(sandbox.openai, is_async=False))
        assert sandbox.openai.requests[0].ended is None
        got = first + read_until(sock, b"\r\n0\r\n\r\n")
    assert got.count(b'"content":"') > 100_000


def test_large_requests_are_taken(sandbox: Sandbox) -> None:
    """Ten megabytes of prompt are recorded and answered."""
    prompt = "x" * 10_000_000
    answer = OPENAI.run(sandbox.openai, is_async=False, messages=[{"role": "user", "content": prompt}])
    assert OPENAI.text(answer)
    assert len(sandbox.openai.requests[0].body) > 10_000_000
