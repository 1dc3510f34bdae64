"""The decision alone: nobody is called, nothing is paid. For tests of a policy, and for looking at your own prompts."""

from offline import keys_or_sandbox

from llm_router_middleware import Router, explain

keys_or_sandbox()

careful = Router(max_tier="mid")
for prompt in ("What time is it?", "Prove that every continuous function on a compact set is uniformly continuous."):
    decision = explain({"model": "auto", "messages": [{"role": "user", "content": prompt}]}, router=careful)
    print(f"{prompt}\n  score {decision.score:.2f} -> {decision.tier} ({decision.reason})")
    print(f"  first: {decision.candidates[0].key}; then: {', '.join(m.key for m in decision.candidates[1:3])}")
    for out in decision.ruled_out[:2]:
        print(f"  not {out.provider}/{out.model}: {out.reason}")
