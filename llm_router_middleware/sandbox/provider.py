"""What tests hold in their hands: a provider that does as it is told, without a port and with one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from llm_router_middleware.sandbox.behaviour import Behaviour
from llm_router_middleware.sandbox.errors import fault_of
from llm_router_middleware.sandbox.exchange import Exchange
from llm_router_middleware.sandbox.listener import Listener
from llm_router_middleware.sandbox.origins import Origin
from llm_router_middleware.sandbox.perform import Step, perform
from llm_router_middleware.sandbox.recording import RecordedRequest, Recorder
from llm_router_middleware.sandbox.script import ANY, Script

__all__ = ["Provider", "ScriptedProvider"]


class ScriptedProvider:
    """A provider that does as it is told. Every method may be called from any thread, while requests are under way.

    Args:
        origin: whose wire format it speaks.
        now: the clock of `requests[i].monotonic` and of time windows, in seconds.
        strict: refuse what the provider would refuse at a closer look (`Sandbox`).
    """

    def __init__(self, origin: Origin, now: Callable[[], float] = time.monotonic, *, strict: bool = False) -> None:
        self._strict = strict
        self._origin = origin
        self._now = now
        self._script = Script(now)
        self._recorder = Recorder()
        self._models: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @property
    def name(self) -> str:
        """Of the provider: "openai", "anthropic" or "groq"."""
        return self._origin.name

    @property
    def api_key(self) -> str:
        """The one API key that it accepts."""
        return self._origin.key

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request since the start or the last reset, as it is now."""
        return self._recorder.snapshot()

    def script(self, model: str, *behaviours: Behaviour) -> None:
        """Queues behaviours for the next calls of a model.

        Args:
            model: its name; "*" for any.
            behaviours: one per call, in order. Once they are used up, the default applies.
        """
        self._script.queue(model, tuple(map(self._checked, behaviours)))

    def default(self, model: str, behaviour: Behaviour) -> None:
        """Sets what a model does when nothing is queued; "*" for any model without a default of its own."""
        self._script.default(model, self._checked(behaviour))

    def at_call(self, number: int, behaviour: Behaviour, model: str = ANY) -> None:
        """Sets what one call meets: the model's (or the provider's) call of this number; 1 is the first."""
        self._script.at_call(number, self._checked(behaviour), model)

    def between(self, start_s: float, end_s: float, behaviour: Behaviour, model: str = ANY) -> None:
        """Sets what a model does within a window of time, in seconds since the start or the last reset."""
        self._script.between(start_s, end_s, self._checked(behaviour), model)

    def outage(self, behaviour: Behaviour | None = None, model: str = ANY) -> None:
        """Starts an outage: every request meets the behaviour (503 when None), before anything else is looked at."""
        self._script.outage(self._checked(behaviour or Behaviour(error="overloaded")), model)

    def recover(self, model: str | None = None) -> None:
        """Ends an outage: a model's, or when None every one."""
        self._script.recover(model)

    def serve(self, *models: str) -> None:
        """Serves only these models: any other is unknown. Without arguments: every name is a model again."""
        self._models = models or None

    def reset(self) -> None:
        """Forgets requests, scripts, outages and the list of models."""
        self._script.reset()
        self._recorder.clear()
        self._models = None

    def _checked(self, behaviour: Behaviour) -> Behaviour:
        """A misspelt error is told to whoever writes the script, not to the client that meets it."""
        if behaviour.error is not None:
            fault_of(self.name, behaviour)
        return behaviour

    def respond(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[RecordedRequest, Iterator[Step]]:
        """Answers a request.

        Args:
            method: of HTTP.
            target: the path, with its query.
            headers: with lower-case names.
            body: its bytes.

        Returns:
            The request as it is recorded, and the steps that deliver the answer.
        """
        request = self._recorder.add(method, target, headers, body, self._now())
        reply, behaviour = Exchange(
            self._origin, self._script, self._models, request, int(time.time()), self._strict
        ).reply()
        return request, perform(reply, behaviour)


class Provider(ScriptedProvider):
    """A provider on a port of its own.

    Args:
        origin: whose wire format it speaks.
        now: the clock of `requests[i].monotonic` and of time windows, in seconds.
        strict: refuse what the provider would refuse at a closer look (`Sandbox`).
    """

    def __init__(self, origin: Origin, now: Callable[[], float] = time.monotonic, *, strict: bool = False) -> None:
        super().__init__(origin, now, strict=strict)
        self.listener = Listener(self.respond)

    @property
    def base_url(self) -> str:
        """What its SDK takes as `base_url`."""
        return f"http://127.0.0.1:{self.listener.port}{self._origin.base_path}"

    def refuse(self) -> None:
        """Stops listening: new connections are refused, idle ones closed; answers under way are completed."""
        self.listener.stop_listening()

    def accept(self) -> None:
        """Listens again, on the same port."""
        self.listener.listen()

    def reset(self) -> None:
        """Forgets requests, scripts, outages and the list of models, and listens again."""
        super().reset()
        self.accept()
