"""What `llm-router eval`, `calibrate` and `adapt` compute; routing never loads it."""
