"""A program that knows nothing of the router. Run it twice: `python environment_alone.py`, and
`llm-router run environment_alone.py`."""

import groq
from offline import keys_or_sandbox

keys_or_sandbox()

answer = groq.Groq().chat.completions.create(
    model="openai/gpt-oss-120b", messages=[{"role": "user", "content": "What is the opposite of hot?"}]
)
print("openai/gpt-oss-120b was asked for,", answer.model, "answered")
