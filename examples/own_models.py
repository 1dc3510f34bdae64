"""Your own tiers, your own scorer, your own sink: each is a plain value or a plain function."""

from offline import keys_or_sandbox

from llm_router_middleware import ComplexityScore, OpenAI, Router, RoutingEvent

keys_or_sandbox()


def by_length(text: str) -> ComplexityScore:
    """A scorer is a function from a text to a score."""
    score = min(len(text) / 400, 1.0)
    tier = "budget" if score < 0.3 else "mid" if score < 0.7 else "premium"
    return ComplexityScore(tier, score, signals=(f"characters={len(text)}",))


def tell(event: RoutingEvent) -> None:
    """A sink is a function of one event."""
    print(f"{event.complexity_signals[0]}: {event.complexity_tier} -> {event.selected_model}, ${event.cost_usd:.6f}")


router = Router(
    models={"budget": ["gpt-6-luna"], "mid": ["gpt-6.1-terra"], "premium": ["gpt-6.1-sol"]},
    scorer=by_length,
    sinks=[tell],
)
client = OpenAI(router=router)
for prompt in ("Hello!", "Tell me about bees. " * 10, "Compare all theories of everything. " * 12):
    client.chat.completions.create(model="gpt-6.1-sol", messages=[{"role": "user", "content": prompt}])
