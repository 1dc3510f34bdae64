"""One constructor instead of another: easy prompts go to a cheaper model, and every call tells what became of it."""

from offline import keys_or_sandbox

from llm_router_middleware import OpenAI, last_event

keys_or_sandbox()

client = OpenAI()
answer = client.chat.completions.create(
    model="gpt-6.1-sol",
    messages=[{"role": "user", "content": "What is the capital of Portugal?"}],
)
event = last_event(answer)
print(f"asked for gpt-6.1-sol, {answer.model} answered: {answer.choices[0].message.content}")
print(f"why: {event.selection_reason}, complexity {event.complexity_score:.2f} ({event.complexity_tier})")
print(f"cost ${event.cost_usd:.6f} instead of ${event.baseline_cost_usd:.6f}")
