"""The wire formats: how a request is read, and how an answer is said, whole and as a stream."""

from __future__ import annotations
