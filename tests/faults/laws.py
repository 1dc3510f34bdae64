"""The laws that each whole call must keep, whatever the weather."""

from __future__ import annotations

from typing import Any

from tests.faults.cancelling import held
from tests.faults.far_side import MIDWAY, Request

__all__ = ["broken_laws"]


def broken_laws(world: Any) -> list[str]:
    """Everything that was not as it must be."""
    events, requests = world.by_caller(), world.requests()
    wrong = [
        f"{played}: {law}"
        for played in world.played
        for law in _of_call(world, played, events[played.number], requests[played.number])
    ]
    if held(world.router):
        wrong.append(f"still given away: {held(world.router)}")
    left_open = {name: len(provider.open) for name, provider in world.providers.items() if provider.open}
    if left_open:
        wrong.append(f"answers neither read nor closed: {left_open}")
    if world.router._kit.bugs:
        wrong.append(f"{world.router._kit.bugs} bugs of ours")
    return wrong


def _of_call(world: Any, played: Any, events: list[Any], made: list[Request]) -> list[str]:
    if len(events) != 1:
        return [f"{len(events)} events"]
    (event,) = events
    wrong = [*_attempts(world, played, event, made), *_ending(played, event, made), *_text(played, event)]
    limit = world.router.settings.max_attempts + 2 * world.retries + 1  # the last resort, and its retries
    if len(made) > limit:
        wrong.append(f"{len(made)} requests, more than {limit}")
    if event.selection_reason == "router_error":
        wrong.append("rescued")
    routed = event.selection_reason != "passthrough"
    if world.deadline_s is not None and routed and played.seconds > world.deadline_s + 0.1:
        wrong.append(f"took {played.seconds} s of {world.deadline_s}")
    return wrong


def _attempts(world: Any, played: Any, event: Any, made: list[Request]) -> list[str]:
    """What the servers counted is what the event says, one by one, in order, and classified as it was."""
    if event.selection_reason == "passthrough":
        return []  # made by the SDK itself, its own retries included: one attempt of the event
    said = [(attempt.provider, attempt.model) for attempt in event.attempts]
    counted = [(request.provider, request.model) for request in made]
    if said != counted:
        return [f"attempts {said}, requests {counted}"]
    return [
        f"{request.fault.name} was taken for {attempt.outcome}"
        for attempt, request in zip(event.attempts, made, strict=True)
        if attempt.outcome not in _labels(world, played, request)
    ]


def _labels(world: Any, played: Any, request: Request) -> set[str]:
    fault = request.fault
    labels = {fault.stream if request.stream else fault.whole}
    if fault.name == "html" and request.provider != "openai":
        labels.add("bad_json")
    if world.deadline_s is not None:
        labels.add("timeout")
    if played.end == "cancelled":
        labels.add("cancelled")
    return labels


def _ending(played: Any, event: Any, made: list[Request]) -> list[str]:
    """The event says of the end what the caller saw."""
    seen = (event.success, event.error)
    if played.end == "cancelled":
        # A stream that has begun has succeeded, however early its reader leaves.
        fits = seen == (False, "cancelled") or (played.stream and seen in ((True, "cancelled"), (True, None)))
    elif played.end == "left":
        fits = event.success is True and event.error in ("closed", "abandoned", None)
    elif played.end == "whole":
        # The SDKs end a cut stream as if it were whole, and return a page as a str.
        fits = seen == (True, None) or (event.success is False and event.error in ("truncated", "html"))
        fits = fits or (event.selection_reason == "passthrough" and event.success is True)
    elif played.text:
        fits = event.success is False and event.error in MIDWAY.values()
    else:
        # Of a stream that failed before its first content, and that nobody else could answer, the event names the kind.
        kinds = [attempt.outcome for attempt in event.attempts] + [request.fault.stream for request in made]
        fits = event.success is False and event.error in (played.end, *kinds)
    return [] if fits else [f"success={event.success}, error={event.error}"]


def _text(played: Any, event: Any) -> list[str]:
    """What was read is what one provider said to this caller: the last one that was asked."""
    if not played.text or played.text.startswith("<html>"):
        return []
    last = event.attempts[-1]
    whole = f"{last.provider}/{last.model} " + "".join(f"{played.number}.{i} " for i in range(4))
    fits = whole == played.text if played.end == "whole" and event.error is None else whole.startswith(played.text)
    return [] if fits else [f"read {played.text!r} of {whole!r}"]
