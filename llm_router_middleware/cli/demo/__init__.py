"""`llm-router demo`: real SDK clients, real prompts, an outage in the middle, and what it all cost."""

from llm_router_middleware.cli.demo.command import demo_command

__all__ = ["demo_command"]
