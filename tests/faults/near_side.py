"""An SDK in a hundred lines: a client of OpenAI's shape whose requests go to a provider in virtual time.

The door, the router and everything behind them are real; the SDK's own code, which takes most of a call's time, is not.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

from llm_router_middleware.intercept import door
from llm_router_middleware.intercept.install import Entrance
from llm_router_middleware.intercept.sdk import SDKS
from tests.faults.far_side import ConnectError, NetworkError, Provider, Response

__all__ = ["Answer", "Backends", "Client", "Options", "SdkError", "Shadows", "Stream"]


class SdkError(Exception):
    """What such an SDK raises."""


class APIStatusError(SdkError):
    """An answer that is an error."""

    def __init__(self, response: Response, body: Any) -> None:
        super().__init__(response.status)
        self.status_code, self.response, self.body = response.status, response, body


class APIError(SdkError):
    """An error inside a stream."""

    def __init__(self, body: Any) -> None:
        super().__init__("in the stream")
        self.body = body


class APIConnectionError(SdkError):
    """No answer."""


class APITimeoutError(APIConnectionError):
    """No answer in time."""


class NotGiven:
    """The SDKs' word for it."""


class Options:
    """The options of a request, as the SDKs shape them."""

    url, method, content, files, extra_json = "/chat/completions", "post", None, None, None

    def __init__(self, body: dict[str, Any]) -> None:
        self.json_data = body
        self.headers: dict[str, str] = {}
        self.timeout: Any = NotGiven()
        self.max_retries: int | None = None

    def get_max_retries(self, default: int) -> int:
        return default if self.max_retries is None else self.max_retries


async def sent(provider: Provider, body: dict[str, Any], patience_s: float | None) -> Response:
    """One request over the wire, in the exceptions of an SDK; the body of the answer is unread."""
    try:
        response = await asyncio.wait_for(provider.answer(body), patience_s)
    except TimeoutError:
        raise APITimeoutError from None
    except (ConnectError, NetworkError) as error:
        raise APIConnectionError from error
    if response.status >= 400:
        raise APIStatusError(response, json.loads(await response.aread()))
    return response


class Answer:
    """A whole answer."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.model = payload["model"]
        self.usage = SimpleNamespace(model_dump=lambda **_options: payload["usage"])
        self.text = str(payload["choices"][0]["message"]["content"])


class Stream:
    """A streamed answer, read as an SDK reads it."""

    def __init__(self, response: Response) -> None:
        self.response = response

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        try:
            async for data in self._data():
                if data == "[DONE]":
                    return
                chunk = json.loads(data)
                if "error" in chunk:
                    raise APIError(chunk["error"])
                yield chunk
        finally:
            await self.response.aclose()

    async def _data(self) -> AsyncIterator[str]:
        rest = b""
        async for part in self.response.stream:
            *events, rest = (rest + part).split(b"\n\n")
            for event in events:
                for line in event.decode().split("\n"):
                    if line.startswith("data: "):
                        yield line[6:]


async def parsed(response: Response, *, stream: bool) -> Any:
    if stream:
        return Stream(response)
    content = await response.aread()
    if response.headers["content-type"] == "text/html":
        return content.decode()
    return Answer(json.loads(content))


class Client:
    """The caller's client, with the SDKs' own retries: `max_retries` of them, on the same errors, after pauses."""

    _llm_router_entrance: Any = None
    _strict_response_validation = False

    def __init__(self, provider: Provider, *, max_retries: int, timeout: float, draw: random.Random) -> None:
        self.provider, self.max_retries, self.timeout = provider, max_retries, timeout
        self.api_key = "sk-near"
        self.base_url = SimpleNamespace(host="api.openai.com", scheme="https", netloc=b"api.openai.com")
        self._base_url = self.base_url
        self._draw = draw

    async def create(self, body: dict[str, Any]) -> Any:
        """What `chat.completions.create` does; bound to no router, the door lets it through."""
        options, stream = Options(body), bool(body.get("stream"))
        return await door.aenter(self.request, self, (object, options), {"stream": stream, "stream_cls": None})

    async def request(self, _cast_to: Any, options: Any, *, stream: bool, stream_cls: Any) -> Any:
        for tried in range(options.get_max_retries(self.max_retries)):
            try:
                return await self._once(options, stream)
            except SdkError as error:
                pause = self._pause(error, tried)
                if pause is None:
                    raise
            await asyncio.sleep(pause)
        return await self._once(options, stream)

    async def _once(self, options: Any, stream: bool) -> Any:
        patience = self.timeout if isinstance(options.timeout, NotGiven) else options.timeout
        return await parsed(await sent(self.provider, options.json_data, patience), stream=stream)

    def _pause(self, error: SdkError, tried: int) -> float | None:
        """Seconds until the SDK would try again; None when it would not."""
        headers: dict[str, str] = {}
        if isinstance(error, APIStatusError):
            if error.status_code < 500 and error.status_code not in (408, 409, 429):
                return None
            headers = error.response.headers
        told = float(headers.get("retry-after", 0))
        return told if 0 < told <= 60 else min(0.5 * 2**tried, 8.0) * (1 - 0.25 * self._draw.random())


Client._llm_router_entrance = Entrance(SDKS["openai"], Client, Client.request, True)


class Backend:
    """A client of another provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def post(self, _wire: str, body: dict[str, Any], timeout_s: float | None) -> Callable[[], Any]:
        async def step() -> Any:
            return SimpleNamespace(http_response=await sent(self._provider, body, timeout_s))

        return step


WIRES = {"openai": "openai_chat", "groq": "groq_chat", "anthropic": "anthropic_messages"}


class Backends:
    """The clients of the other providers."""

    def __init__(self, providers: dict[str, Provider]) -> None:
        self._backends = {name: Backend(provider) for name, provider in providers.items()}

    def unavailable(self, provider: str, is_async: bool) -> str | None:
        return None if provider in self._backends else "not there"

    def wire(self, provider: str) -> str | None:
        return WIRES.get(provider)

    def endpoint(self, provider: str) -> str:
        return f"{provider}@far"

    def get(self, provider: str, is_async: bool) -> Backend:
        return self._backends[provider]

    def close(self) -> None: ...


class Shadows:
    """The near side's SDK, fed another provider's answer."""

    def say(
        self, native: Any, status: int, headers: dict[str, str], body: bytes | None, stream: Any = None
    ) -> Callable[[], Any]:
        async def step() -> Any:
            if status >= 400:
                raise APIStatusError(Response(status, headers, None, is_closed=True), json.loads(body or b""))
            if native.stream:
                return Stream(Response(status, headers, stream))
            return Answer(json.loads(body or b""))

        return step
