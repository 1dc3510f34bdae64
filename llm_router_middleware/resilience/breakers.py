"""All circuits of a router, in two layers: one per endpoint, and under it one per model."""

from __future__ import annotations

import random as random_module
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from llm_router_middleware.engine.call import Effect, Failure
from llm_router_middleware.resilience.admission import Admission, Refused
from llm_router_middleware.resilience.breaker import CircuitBreaker
from llm_router_middleware.resilience.breaker_settings import DEFAULTS, BreakerSettings
from llm_router_middleware.resilience.endpoint import Endpoint
from llm_router_middleware.resilience.forking import renew_after_fork
from llm_router_middleware.resilience.transition import State, Transition, log_transition

__all__ = ["Admission", "BreakerSettings", "Breakers", "CircuitReport"]

SUCCESS, NEUTRAL = Effect.SUCCESS, Effect.NEUTRAL


@dataclass(frozen=True, slots=True)
class CircuitReport:
    """A circuit at one moment, for people.

    Attributes:
        state: what the next caller meets.
        disabled: whether everybody is let through all the same.
        failures: failures that it has learnt of, in all.
        rejections: callers that it has refused, in all.
        transitions: changes of state, in all.
        retry_after_s: seconds until somebody may be let through.
    """

    state: State
    disabled: bool
    failures: int
    rejections: int
    transitions: int
    retry_after_s: float


class Breakers(Mapping[str, CircuitBreaker]):
    """The circuits of a router, by name: an endpoint's key, or `endpoint/model`. Made when they are first asked.

    As a mapping it is for people: `breakers["openai"].force_open()` finds the one endpoint of that provider, and
    `breakers["openai/gpt-5"]` its model.

    Args:
        settings: the numbers.
        now: a monotonic clock, in seconds.
        random: a source of numbers in [0, 1), for jitter.
        on_transition: told of every transition, outside all locks; what it raises is swallowed.
    """

    def __init__(
        self,
        settings: BreakerSettings = DEFAULTS,
        now: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random_module.random,
        on_transition: Callable[[Transition], None] | None = log_transition,
    ) -> None:
        self._settings = settings
        self._now = now
        self._random = random
        self._on_transition = on_transition
        self._lock = threading.Lock()
        self._endpoints: dict[str, Endpoint] = {}
        self._kept = 0
        renew_after_fork(self)

    # -- permission before a call, the lesson after it

    def acquire(self, endpoint: str, model: str, lease_s: float | None = None) -> Admission:
        """Asks both layers for permission to make one call.

        Args:
            endpoint: who is asked: provider, origin and credential in one key, as `provider@origin#credential`.
            model: for which of its models.
            lease_s: seconds that the attempt may take; frees a probe that never reports.

        Returns:
            An admission to be settled; false when the answer is no.
        """
        place = self._endpoints.get(endpoint)
        circuit = None if place is None else place.models.get(model)
        if place is None or circuit is None:
            place, circuit = self._find(endpoint, model)
        of_endpoint = place.circuit.try_acquire(lease_s)
        if of_endpoint is None:
            return Refused(place.circuit, "endpoint")
        of_model = circuit.try_acquire(lease_s)
        if of_model is None:
            place.circuit.settle(of_endpoint, NEUTRAL)
            return Refused(circuit, "model")
        return Admission(place, circuit, of_endpoint, of_model)

    def settle(self, admission: Admission, failure: Failure | None, *, neutral: bool = False) -> None:
        """Gives an admission back and teaches both layers. Once: a second time, or a refusal, is ignored.

        Args:
            admission: from `acquire()`.
            failure: what went wrong; None for success.
            neutral: the call says nothing of the provider, as when it was cancelled.
        """
        if not admission.close():
            return
        place, circuit, now = admission.endpoint, admission.model, self._now()
        if neutral:
            place.circuit.settle(admission.of_endpoint, NEUTRAL, now=now)
            circuit.settle(admission.of_model, NEUTRAL, now=now)
        elif failure is None:
            place.succeeded(circuit.name, now)
            place.circuit.settle(admission.of_endpoint, SUCCESS, now=now)
            circuit.settle(admission.of_model, SUCCESS, now=now)
        else:
            effect, ejection_s = place.failed(failure, circuit.name, now)
            place.circuit.settle(admission.of_endpoint, effect, ejection_s, now=now, reason=failure.kind.label)
            effect = _effect_on_model(failure)
            circuit.settle(admission.of_model, effect, None if effect is NEUTRAL else failure.retry_after_s, now=now)

    # -- for people

    def __getitem__(self, name: str) -> CircuitBreaker:
        """The circuit of that name. A provider's name will do where it has one endpoint.

        Raises:
            KeyError: there is none, or more than one.
        """
        circuits = {circuit.name: circuit for circuit in self._circuits()}
        if name in circuits:
            return circuits[name]
        provider, slash, model = name.partition("/")
        endpoints = [key for key in list(self._endpoints) if key.partition("@")[0] == provider]
        if len(endpoints) > 1:
            raise KeyError(f"{name}: more than one endpoint, name one of {', '.join(endpoints)}")
        try:
            return circuits[f"{endpoints[0]}{slash}{model}"]
        except (IndexError, KeyError):
            raise KeyError(f"{name}: no call has gone there yet") from None

    def __iter__(self) -> Iterator[str]:
        return (circuit.name for circuit in self._circuits())

    def __len__(self) -> int:
        return self._kept

    def states(self) -> dict[str, CircuitReport]:
        """All circuits at this moment. Reading changes nothing."""
        return {circuit.name: _report(circuit) for circuit in self._circuits()}

    def _circuits(self) -> Iterator[CircuitBreaker]:
        for place in list(self._endpoints.values()):
            yield place.circuit
            yield from list(place.models.values())

    # -- keeping them

    def _find(self, endpoint: str, model: str) -> tuple[Endpoint, CircuitBreaker]:
        """The two circuits, made if need be. Where there is no room for more they live for this one call."""
        with self._lock:
            if self._kept + 2 > self._settings.max_keys:
                self._make_room_locked()
            has_room = self._kept + 2 <= self._settings.max_keys
            place = self._endpoints.get(endpoint)
            if place is None:
                place = Endpoint(self._circuit(endpoint), self._settings)
                if has_room:
                    self._endpoints[endpoint] = place
                    self._kept += 1
            circuit = place.models.get(model)
            if circuit is None:
                circuit = self._circuit(f"{endpoint}/{model}")
                if has_room:
                    place.models[model] = circuit
                    self._kept += 1
        return place, circuit

    def _circuit(self, name: str) -> CircuitBreaker:
        return CircuitBreaker(
            settings=self._settings,
            name=name,
            now=self._now,
            random=self._random,
            on_transition=self._on_transition,
            renewed_by_owner=True,
        )

    def _make_room_locked(self) -> None:
        """Forgets the longest unused circuits of those that know nothing bad.

        If that is not enough, then those whose time is over and whom nobody has asked since: they keep nobody waiting.
        """
        for may_go in (_knows_nothing_bad, _keeps_nobody_waiting):
            self._forget_locked(may_go, max(self._settings.max_keys // 4, 2))
            if self._kept + 2 <= self._settings.max_keys:
                return

    def _forget_locked(self, may_go: Callable[[CircuitBreaker], bool], count: int) -> None:
        models = (
            (place, name, circuit) for place in self._endpoints.values() for name, circuit in place.models.items()
        )
        spare = [(circuit.last_used, place, name) for place, name, circuit in models if may_go(circuit)]
        spare.sort(key=lambda entry: entry[0])
        for _, place, name in spare[:count]:
            del place.models[name]
        for key, place in list(self._endpoints.items()):
            if not place.models and may_go(place.circuit):
                del self._endpoints[key]
        self._kept = sum(1 + len(place.models) for place in self._endpoints.values())

    def renew(self) -> None:
        """After a fork, in the child: new locks throughout."""
        self._lock = threading.Lock()
        for place in self._endpoints.values():
            place.renew()


def _knows_nothing_bad(circuit: CircuitBreaker) -> bool:
    return circuit.is_idle


def _keeps_nobody_waiting(circuit: CircuitBreaker) -> bool:
    return circuit.refusal is None and not circuit.disabled


def _effect_on_model(failure: Failure) -> Effect:
    # 413 says that this request is too big, for the model or for the tokens a minute: smaller ones still pass.
    return NEUTRAL if failure.status == 413 else failure.kind.model_effect


def _report(circuit: CircuitBreaker) -> CircuitReport:
    return CircuitReport(
        circuit.state,
        circuit.disabled,
        circuit.failures,
        circuit.rejections,
        circuit.transitions,
        circuit.retry_after(),
    )
