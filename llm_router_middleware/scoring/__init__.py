"""How hard is it: from a request's body to the text that counts, and from a text to a score."""

from llm_router_middleware.scoring.base import ComplexityScore, Scorer
from llm_router_middleware.scoring.cache import CachedScorer
from llm_router_middleware.scoring.controller import ShareController
from llm_router_middleware.scoring.describe import describe
from llm_router_middleware.scoring.heuristic import HeuristicScorer, score_complexity
from llm_router_middleware.scoring.learned import LearnedScorer
from llm_router_middleware.scoring.prompt import ask
from llm_router_middleware.scoring.size import estimate_tokens

__all__ = [
    "CachedScorer",
    "ComplexityScore",
    "HeuristicScorer",
    "LearnedScorer",
    "Scorer",
    "ShareController",
    "ask",
    "describe",
    "estimate_tokens",
    "score_complexity",
]
