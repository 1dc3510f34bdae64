"""In what OpenAI's and Groq's chat wires differ, for a request that comes from Anthropic's."""

from __future__ import annotations

from dataclasses import dataclass, replace

from llm_router_middleware.engine.call import Wire

__all__ = ["GROQ", "OPENAI", "RICH", "Profile"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A chat wire as a target.

    Attributes:
        wire: which.
        system_role: the role of instructions.
        least_output: the smallest answer limit that it takes, in tokens.
        result_images: results of tools may hold images.
        result_files: results of tools may hold documents.
        document_urls: documents may be at an address.
        shows_reasoning: the reasoning can be asked for, to be read.
    """

    wire: Wire
    system_role: str
    least_output: int = 1
    result_images: bool = False
    result_files: bool = False
    document_urls: bool = False
    shows_reasoning: bool = False

    def plain(self) -> Profile:
        """The same for a server that is only known to speak the dialect: its oldest words."""
        return replace(self, system_role="system")


OPENAI = Profile("openai_chat", "developer", least_output=16)
GROQ = Profile("groq_chat", "system", result_images=True, shows_reasoning=True)
RICH = Profile(
    "openai_responses", "developer", least_output=16, result_images=True, result_files=True, document_urls=True
)
"""The chat dialect with what the Responses wire can carry beyond it: a stage on the way there, never sent."""
