"""`python -m llm_router_middleware.sandbox`: prints the environment variables and serves until Ctrl-C."""

from __future__ import annotations

import contextlib
import sys
import threading

from llm_router_middleware.sandbox.sandbox import Sandbox


def main() -> None:
    """Serves until it is interrupted."""
    with Sandbox() as sandbox:
        for name, value in sandbox.env().items():
            sys.stdout.write(f"export {name}={value}\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
