"""`python -m llm_router_middleware` is the command `llm-router`."""

from llm_router_middleware.cli import main

if __name__ == "__main__":
    main()
