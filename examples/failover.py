"""A provider is unreachable: another one answers, in the types of the SDK that asked. Soon nobody tries the first."""

from offline import keys_or_sandbox

from llm_router_middleware import OpenAI, Router, last_event

keys_or_sandbox()

router = Router(breaker={"failure_threshold": 3})
client = OpenAI(base_url="http://127.0.0.1:9/v1", max_retries=0, router=router)  # nobody listens on port 9
for number in range(1, 6):
    answer = client.chat.completions.create(
        model="gpt-6.1-sol", messages=[{"role": "user", "content": f"What is {number} + {number}?"}]
    )
    event = last_event(answer)
    tried = ", ".join(f"{attempt.provider} {attempt.outcome}" for attempt in event.attempts)
    print(f"{number}: {type(answer).__name__} of {answer.model}; tried {tried}; {event.selection_reason}")
print("openai's circuit:", router.breakers["openai"].state)
