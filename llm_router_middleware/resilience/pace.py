"""How long an answer would have taken at the usual length: a long answer is not a slow model."""

from __future__ import annotations

import math

__all__ = ["Pace", "UsualLength"]


class UsualLength:
    """The usual length of an answer over all models: the geometric mean of the latest hundred or so, which a few very
    long ones don't move.
    """

    __slots__ = ("_answers", "_log_tokens")

    WEIGHT = 0.02
    """Of a new answer, once there have been fifty; before that all count alike."""

    def __init__(self) -> None:
        self._answers = 0
        self._log_tokens = 0.0

    def take(self, tokens: int) -> float:
        """Takes the length of one answer, returns the usual one, in tokens."""
        self._answers += 1
        weight = max(self.WEIGHT, 1.0 / self._answers)
        self._log_tokens += weight * (math.log(tokens) - self._log_tokens)
        return math.exp(self._log_tokens)


class Pace:
    """How many seconds a token takes with one model: the slope of a line through its latest answers."""

    __slots__ = ("_covariance", "_seconds", "_tokens", "_variance")

    WEIGHT = 0.1
    """Of a new answer in the line."""

    DOUBT = 0.1
    """Where lengths vary by less than this share of their mean, the slope is noise and is drawn towards nothing."""

    def __init__(self) -> None:
        self._tokens = self._seconds = math.nan
        self._variance = self._covariance = 0.0

    def at_length(self, usual: float, seconds: float, tokens: int) -> float:
        """Takes one answer, returns the seconds that it would have taken at the usual length."""
        self._learn(seconds, tokens)
        return max(seconds - self._slope() * (tokens - usual), 0.0)

    def _learn(self, seconds: float, tokens: int) -> None:
        if math.isnan(self._tokens):
            self._tokens, self._seconds = tokens, seconds
            return
        weight, keep = self.WEIGHT, 1.0 - self.WEIGHT
        off_tokens, off_seconds = tokens - self._tokens, seconds - self._seconds
        self._tokens += weight * off_tokens
        self._seconds += weight * off_seconds
        self._variance = keep * (self._variance + weight * off_tokens * off_tokens)
        self._covariance = keep * (self._covariance + weight * off_tokens * off_seconds)

    def _slope(self) -> float:
        """Between no time a token and all time spent on tokens: the line never starts below zero."""
        slope = self._covariance / (self._variance + (self.DOUBT * self._tokens) ** 2)
        return min(max(slope, 0.0), self._seconds / self._tokens)
