"""Saying it in their words: requests, answers, streams and errors from wire to wire. Pure: dicts in, dicts out."""

from __future__ import annotations

from llm_router_middleware.dialects.base import Answer, Frame, StreamTranslator, Translation, Translator
from llm_router_middleware.dialects.table import target_wire, translator

__all__ = ["Answer", "Frame", "StreamTranslator", "Translation", "Translator", "target_wire", "translator"]
