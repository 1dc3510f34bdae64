"""Events in a file, one JSON line each, and what `llm-router report` makes of them."""

import subprocess
import sys
import tempfile
from pathlib import Path

from offline import keys_or_sandbox

from llm_router_middleware import Groq, Router
from llm_router_middleware.events.jsonl import JsonlSink

keys_or_sandbox()

path = Path(tempfile.mkdtemp()) / "events.jsonl"
client = Groq(router=Router(sinks=[JsonlSink(path)]))
for prompt in ("Say hello.", "Spell 'cat'.", "What day comes after Monday?"):
    client.chat.completions.create(model="openai/gpt-oss-120b", messages=[{"role": "user", "content": prompt}])

print(path.read_text().splitlines()[0][:120], "...")
subprocess.run([sys.executable, "-m", "llm_router_middleware", "report", str(path)], check=True)
