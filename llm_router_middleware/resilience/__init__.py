"""Who may be called, what a failure means, how slow is too slow, and how much may be tried again. Decisions, no I/O."""
