"""Importing us is no act: not an attribute, hook, handler, thread or variable of the process is another afterwards."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import llm_router_middleware

ROOT = Path(llm_router_middleware.__file__).parents[1]

SNAPSHOT = """
    import gc, json, logging, os, signal, sys, threading, warnings
    import anthropic, groq, openai
    import anthropic.lib.bedrock, anthropic.lib.vertex, openai.lib.azure

    def classes():
        found = {}
        for name, module in sorted(sys.modules.items()):
            if name.partition(".")[0] in ("openai", "anthropic", "groq", "httpx", "httpx2"):
                for key, value in list(vars(module).items()):
                    if type(value) is type and value.__module__ == name:  # the SDKs' proxies would wake up if asked
                        members = {each: id(member) for each, member in vars(value).items()}
                        found |= {(name, key, each): member for each, member in members.items()}
                    elif type(value) is type(classes):
                        found[name, key] = id(value)
        return found

    def process():
        return {
            "meta_path": [id(each) for each in sys.meta_path],
            "path_hooks": [id(each) for each in sys.path_hooks],
            "path": list(sys.path),
            "excepthook": id(sys.excepthook),
            "unraisablehook": id(sys.unraisablehook),
            "filters": list(warnings.filters),
            "handlers": list(logging.getLogger().handlers),
            "level": logging.getLogger().level,
            "threads": threading.active_count(),
            "signals": [signal.getsignal(each) for each in sorted(signal.valid_signals())],
            "environ": dict(os.environ),
            "audit": sys.gettrace(),
            "gc": gc.get_threshold(),
        }

    before = classes(), process()
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import llm_router_middleware",
        "from llm_router_middleware import OpenAI, AsyncAnthropic, Groq, Router, explain, last_event, routed, wrap",
        "from llm_router_middleware import auto; auto.arm()",
        "import llm_router_middleware.router, llm_router_middleware.intercept.install",
    ],
)
def test_importing_us_changes_nothing(imports: str) -> None:
    """Without the variable: the SDKs' and HTTP libraries' modules and classes, and the process, are what they were."""
    lines = f"""
        {imports}
        now = classes(), process()
        for a, b in zip(before, now):
            print([key for key in a if a[key] != b.get(key)][:9])  # what was lazy may have come
    """
    program = textwrap.dedent(SNAPSHOT) + textwrap.dedent(lines)
    env = {"PYTHONPATH": str(ROOT), "PATH": "", "OPENAI_API_KEY": "k"}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], env=env, capture_output=True, text=True, check=False
    )
    assert ran.stdout == "[]\n[]\n", ran.stdout + ran.stderr[-999:]


def test_the_snapshot_would_see_a_patch() -> None:
    """It can fail: entering one scope is seen in the classes that it enters."""
    lines = """
        from llm_router_middleware import Router, routed
        with routed(router=Router(scorer="heuristic")):
            pass
        now = classes()
        changed = {key[1:] for key in now if before[0].get(key) != now[key] and len(key) == 3}
        print(("OpenAI", "request") in changed, ("AsyncAnthropic", "copy") in changed)
    """
    program = textwrap.dedent(SNAPSHOT) + textwrap.dedent(lines)
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "True True\n", ran.stderr
