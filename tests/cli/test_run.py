"""Environment alone: `llm-router run`, the two-line recipe, and nothing at all without the variable.

Every test runs a program in an interpreter of its own, as a new user would, against the sandbox.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import llm_router_middleware
from llm_router_middleware.sandbox import Sandbox

PACKAGE = Path(llm_router_middleware.__file__).parent
RUN = ["-m", "llm_router_middleware", "run"]
ASK = """
    messages = [{"role": "user", "content": "What day is it?"}]
    def openai_model():
        import openai
        return openai.OpenAI().chat.completions.create(model="gpt-6.1-sol", messages=messages).model
    def anthropic_model():
        import anthropic
        client = anthropic.Anthropic()
        return client.messages.create(model="claude-opus-5-5", max_tokens=64, messages=messages).model
    def groq_model():
        import groq
        return groq.Groq().chat.completions.create(model="openai/gpt-oss-120b", messages=messages).model
"""
BARE = ["gpt-6.1-sol", "claude-opus-5-5", "openai/gpt-oss-120b"]
ROUTED = ["gpt-6-luna", "claude-haiku-5-5", "openai/gpt-oss-20b"]
ALL = "print(openai_model(), anthropic_model(), groq_model())"

Ran = subprocess.CompletedProcess[str]
Python = Callable[..., Ran]


@pytest.fixture
def python(sandbox: Sandbox, tmp_path: Path) -> Python:
    """Runs Python with the sandbox's keys in its environment, in an empty folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_ROUTER_", "PYTHONPATH"))}

    def run(*arguments: str, code: int = 0, **environ: str) -> Ran:
        env = {**clean, **sandbox.env(), "LLM_ROUTER_SCORER": "heuristic", **environ}
        ran = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=90, check=False
        )
        assert ran.returncode == code, ran.stderr
        return ran

    return run


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., str]:
    """Writes a program of these lines, after the functions that ask; gives its name."""

    def write(lines: str, name: str = "app.py") -> str:
        (tmp_path / name).write_text(textwrap.dedent(ASK) + textwrap.dedent(lines), encoding="utf-8")
        return name

    return write


def test_a_script_is_routed_and_recorded(python: Python, program: Callable[..., str], tmp_path: Path) -> None:
    """Plain clients of all three SDKs, made and called in code that knows nothing of us; one event per call."""
    ran = python(*RUN, "--events", "events.jsonl", program(ALL))
    assert ran.stdout.split() == ROUTED
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["selected_model"] for event in events] == ROUTED
    assert [event["requested_model"] for event in events] == BARE


def test_arguments_streams_and_exit_code_are_the_programs_own(python: Python, program: Callable[..., str]) -> None:
    """Options behind the target are not ours, `sys.argv` is as Python makes it, and so is the exit code."""
    name = program("import sys; print(sys.argv, sys.stdin.isatty()); print('err', file=sys.stderr); sys.exit(7)")
    ran = python(*RUN, name, "--help", "--events", "x", "-m", "--", code=7)
    assert ran.stdout.startswith(f"['{name}', '--help', '--events', 'x', '-m', '--']")
    assert ran.stderr == "err\n"


def test_a_module_is_routed(python: Python, program: Callable[..., str], tmp_path: Path) -> None:
    """`run -m package` runs it as `python -m` does, with everything behind it as its arguments."""
    (tmp_path / "pkg").mkdir()
    program("import sys\nprint(openai_model(), sys.argv[1:], __package__)", "pkg/__main__.py")
    assert python(*RUN, "-m", "pkg", "-m", "--version").stdout == f"{ROUTED[0]} ['-m', '--version'] pkg\n"


def test_a_command_is_routed(python: Python, program: Callable[..., str], tmp_path: Path) -> None:
    """A command of the PATH, as uvicorn or celery are, is routed as well."""
    command = tmp_path / "bin" / "serve"
    command.parent.mkdir()
    command.write_text(f"#!{sys.executable}\nimport app\n")
    command.chmod(0o755)
    program("import sys; print(openai_model(), sys.argv[1:])")
    path = os.pathsep.join([str(command.parent), os.environ["PATH"]])
    assert (
        python(*RUN, "serve", "--reload", PATH=path, PYTHONPATH=str(tmp_path)).stdout == f"{ROUTED[0]} ['--reload']\n"
    )


@pytest.mark.parametrize(
    "imports",
    [
        "from openai import OpenAI",
        "import openai._client, openai.resources",
        "import importlib; importlib.import_module('openai')",
        "import llm_router_middleware, openai",
        "import openai, llm_router_middleware, wrapt",
    ],
)
def test_import_order_does_not_matter(python: Python, program: Callable[..., str], imports: str) -> None:
    """However an SDK is imported, and whether we or wrapt were imported before or after it."""
    assert python(*RUN, program(f"{imports}\nprint(openai_model())")).stdout == f"{ROUTED[0]}\n"


def test_every_way_to_a_client_is_routed(python: Python, program: Callable[..., str]) -> None:
    """Module-level calls, copies, subclasses, clients in other threads, and async ones."""
    lines = """
        import asyncio, threading, openai
        ask = dict(model="gpt-6.1-sol", messages=messages)
        print(openai.chat.completions.create(**ask).model)
        print(openai.OpenAI().with_options(timeout=9).chat.completions.create(**ask).model)
        class Mine(openai.OpenAI):
            pass
        print(Mine().chat.completions.create(**ask).model)
        thread = threading.Thread(target=lambda: print(openai_model()))
        thread.start()
        thread.join()
        async def main():
            async with openai.AsyncOpenAI() as client:
                print((await client.chat.completions.create(**ask)).model)
        asyncio.run(main())
    """
    assert python(*RUN, program(lines)).stdout.split() == 5 * [ROUTED[0]]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_child_processes_of_multiprocessing_inherit_it(
    python: Python, program: Callable[..., str], method: str
) -> None:
    """Forked after a call or started anew, a child's calls are routed."""
    if method == "fork" and sys.platform in ("win32", "darwin"):
        pytest.skip("no safe fork on this platform")
    lines = f"""
        import multiprocessing
        def child(queue):
            queue.put(openai_model())
        if __name__ == "__main__":
            before = openai_model()
            context = multiprocessing.get_context({method!r})
            queue = context.Queue()
            process = context.Process(target=child, args=(queue,))
            process.start()
            print(before, queue.get(timeout=60))
            process.join()
    """
    assert python(*RUN, program(lines)).stdout.split() == [ROUTED[0], ROUTED[0]]


def test_subprocesses_inherit_it(python: Python, program: Callable[..., str]) -> None:
    """A program that starts another Python program hands it on, through however many."""
    program("print(openai_model())", "leaf.py")
    program("import subprocess, sys; subprocess.run([sys.executable, 'leaf.py'], check=True)", "middle.py")
    name = program("import subprocess, sys; subprocess.run([sys.executable, 'middle.py'], check=True)")
    assert python(*RUN, name).stdout == f"{ROUTED[0]}\n"


def test_a_router_given_in_code_comes_first(python: Python, program: Callable[..., str]) -> None:
    """`wrap(client, router=...)` and scopes mean under `run` what they mean without it."""
    lines = """
        import openai
        from llm_router_middleware import Router, routed, wrap
        def model(client):
            return client.chat.completions.create(model="gpt-6.1-sol", messages=messages).model
        print(model(wrap(openai.OpenAI(), router=Router(min_tier="mid"))))
        with routed(pinned=True):
            print(model(openai.OpenAI()))
        print(model(openai.OpenAI()))
    """
    assert python(*RUN, program(lines)).stdout.split() == ["gpt-6.1-terra", "gpt-6.1-sol", "gpt-6-luna"]


def test_one_router_serves_all_clients_of_the_program(python: Python, program: Callable[..., str]) -> None:
    """Breakers and latencies are learnt once for the whole program, not per client."""
    lines = """
        import openai
        from llm_router_middleware import Router
        print(openai_model())
        print(openai.OpenAI()._llm_router is openai.AsyncOpenAI()._llm_router is Router.default())
    """
    assert python(*RUN, program(lines)).stdout.split() == [ROUTED[0], "True"]


# -- the sitecustomize that ours shadows


def test_the_shadowed_sitecustomize_still_runs(python: Python, program: Callable[..., str], tmp_path: Path) -> None:
    """The `sitecustomize` of the program, or of a tracer, runs after ours and is the module of that name."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("MARK = 'theirs'\n")
    name = program("import sitecustomize; print(sitecustomize.MARK, openai_model())")
    assert python(*RUN, name, PYTHONPATH=str(tmp_path / "site")).stdout.split() == ["theirs", ROUTED[0]]


def test_a_sitecustomize_before_ours_may_chain_to_us(
    python: Python, program: Callable[..., str], tmp_path: Path
) -> None:
    """Another launcher that stands before us and loads the next one, as ddtrace's does, finds us, once."""
    (tmp_path / "site").mkdir()
    launcher = """
        import sys
        print("theirs")
        here = __file__.rpartition("/")[0]
        sys.path.remove(here)
        del sys.modules["sitecustomize"]
        import sitecustomize
    """
    (tmp_path / "site" / "sitecustomize.py").write_text(textwrap.dedent(launcher))
    program("print(openai_model())", "leaf.py")
    name = program(
        f"""
        import os, subprocess, sys
        path = {str(tmp_path / "site")!r} + os.pathsep + os.environ["PYTHONPATH"]
        subprocess.run([sys.executable, "leaf.py"], env={{**os.environ, "PYTHONPATH": path}}, check=True)
        """
    )
    assert python(*RUN, name).stdout.split() == ["theirs", ROUTED[0]]


def test_another_interpreter_without_us_starts_as_usual(python: Python, tmp_path: Path) -> None:
    """A child that can't import this package, as one of another environment, starts without a word."""
    ran = python(
        "-S",
        "-c",
        "import sitecustomize; print('up')",
        PYTHONPATH=str(PACKAGE / "auto" / "path"),
        LLM_ROUTER_ENABLED="1",
    )
    assert (ran.stdout, ran.stderr) == ("up\n", "")


# -- the recipe


def test_the_two_line_recipe(python: Python, program: Callable[..., str], tmp_path: Path) -> None:
    """Two lines in a `sitecustomize` of one's own and `LLM_ROUTER_ENABLED=1`: routed, without `llm-router run`."""
    (tmp_path / "site").mkdir()
    recipe = "from llm_router_middleware import auto\nauto.arm()\n"
    (tmp_path / "site" / "sitecustomize.py").write_text(recipe)
    name, path = program(ALL), str(tmp_path / "site")
    assert python(name, PYTHONPATH=path, LLM_ROUTER_ENABLED="1").stdout.split() == ROUTED
    assert recipe in (PACKAGE / "auto" / "__init__.py").read_text().replace("\n    ", "\n")


def test_arming_after_the_import_works_too(python: Python, program: Callable[..., str]) -> None:
    """An SDK that was imported before is entered at once; one that comes later as soon as it comes."""
    lines = """
        import openai
        from llm_router_middleware import auto
        auto.arm()
        auto.arm()
        print(openai_model(), groq_model())
    """
    name = program(lines)
    assert python(name, LLM_ROUTER_ENABLED="1").stdout.split() == [ROUTED[0], ROUTED[2]]


# -- what nobody asked for does not happen


@pytest.mark.parametrize("value", ["0", "false", "", None])
def test_without_the_variable_nothing_changes(python: Python, program: Callable[..., str], value: str | None) -> None:
    """Importing us, even arming us, leaves the SDKs' classes as they are and their calls as they were written."""
    lines = """
        import llm_router_middleware
        from llm_router_middleware import auto
        auto.arm()
        import sys, openai, groq
        roots = [openai.OpenAI, openai.AsyncOpenAI, groq.Groq, groq.AsyncGroq]
        print(any("_llm_router" in name for root in roots for cls in root.__mro__ for name in vars(cls)))
        print(any(hasattr(vars(cls).get("request"), "__wrapped__") for root in roots for cls in root.__mro__))
        print("wrapt" in sys.modules, [f for f in sys.meta_path if "llm_router" in type(f).__module__])
        print(openai_model(), groq_model())
    """
    environ = {} if value is None else {"LLM_ROUTER_ENABLED": value}
    ran = python(program(lines), **environ)
    assert ran.stdout.splitlines() == ["False", "False", "False []", f"{BARE[0]} {BARE[2]}"]


def test_run_respects_an_explicit_no(python: Python, program: Callable[..., str]) -> None:
    """`LLM_ROUTER_ENABLED=0` in the environment of `run` runs the program unrouted."""
    assert python(*RUN, program("print(openai_model())"), LLM_ROUTER_ENABLED="0").stdout.split() == BARE[:1]


def test_the_kill_switch_kills(python: Python, program: Callable[..., str]) -> None:
    """`LLM_ROUTER_DISABLED` sends every call of the program through as written."""
    assert python(*RUN, program("print(openai_model())"), LLM_ROUTER_DISABLED="1").stdout.split() == BARE[:1]


def test_the_start_of_the_interpreter_stays_cheap(python: Python, program: Callable[..., str]) -> None:
    """Armed, a program that never imports an SDK imports neither wrapt nor any of our rooms, and no SDK."""
    lines = """
        import sys
        ours = sorted(name for name in sys.modules if name.startswith("llm_router_middleware"))
        others = {"wrapt", "pydantic", "openai", "anthropic", "groq", "asyncio", "typing"} & set(sys.modules)
        print(ours, sorted(others))
    """
    bare = "import sys\nprint(sorted({'asyncio', 'typing'} & set(sys.modules)))"
    already = python("-c", bare).stdout.strip()
    ran = python(*RUN, program(lines, "idle.py"))
    assert ran.stdout.strip() == f"['llm_router_middleware', 'llm_router_middleware.auto'] {already}"


def test_no_pth_file_is_shipped() -> None:
    """Nothing of ours runs in an interpreter that did not ask for it."""
    assert list(PACKAGE.rglob("*.pth")) == []
    assert [path.name for path in PACKAGE.rglob("sitecustomize.py")] == ["sitecustomize.py"]
    assert [path.name for path in (PACKAGE / "auto" / "path").glob("*.py")] == ["sitecustomize.py"]


# -- when something is wrong


def test_a_wrong_setting_is_told_before_the_program_starts(python: Python, program: Callable[..., str]) -> None:
    """`run` ends with one line that names the variable, and the program does not run."""
    ran = python(*RUN, program("print('ran')"), code=2, LLM_ROUTER_MAX_TIER="huge")
    assert (ran.stdout, ran.stderr.count("\n")) == ("", 1)
    assert "LLM_ROUTER_MAX_TIER='huge'" in ran.stderr


def test_a_misspelt_variable_is_told(python: Python, program: Callable[..., str]) -> None:
    """A variable that sets nothing is pointed out, and the program runs."""
    ran = python(*RUN, program("print('ran')"), LLM_ROUTER_MAX_TIRE="mid")
    assert ran.stdout == "ran\n"
    assert "LLM_ROUTER_MAX_TIRE is not a setting" in ran.stderr


def test_a_setting_that_breaks_later_breaks_no_call(python: Python, program: Callable[..., str]) -> None:
    """Under the recipe nobody has checked the settings: the calls go through as written, with one line in the log."""
    name = program("from llm_router_middleware import auto\nauto.arm()\nprint(openai_model())")
    ran = python(name, LLM_ROUTER_ENABLED="1", LLM_ROUTER_MAX_TIER="huge")
    assert ran.stdout.split() == BARE[:1]
    assert "calls go on unrouted: LLM_ROUTER_MAX_TIER='huge'" in ran.stderr


def test_an_sdk_that_we_do_not_know_is_imported_all_the_same(
    python: Python, program: Callable[..., str], tmp_path: Path
) -> None:
    """A future SDK whose door has moved: the program's import works, and the log says that it is not routed."""
    (tmp_path / "groq").mkdir()
    fake = "class Groq:\n    def request(self, what): ...\nclass AsyncGroq(Groq): ...\n__version__ = '99'\n"
    (tmp_path / "groq" / "__init__.py").write_text(fake)
    ran = python(*RUN, program("import groq; print(groq.Groq().request(1), openai_model())"))
    assert ran.stdout.split() == ["None", ROUTED[0]]
    assert "groq is not routed: groq 99" in ran.stderr


def test_a_target_that_is_not_there(python: Python) -> None:
    """Neither a file nor a command: one line, code 2."""
    ran = python(*RUN, "nowhere.py", code=2)
    assert ran.stderr == "llm-router: nowhere.py: neither a file nor a command\n"
