"""The security table (reliability 5), row by row, and the tests that show each.

a key sent to another provider
    `test_credentials.py`; `tests/settings/test_environment.py`: a key comes with its address
redirects
    `test_redirects.py`
keys in errors, logs and frames
    `test_canaries.py`, `test_frames.py`; `tests/events/test_sinks_lines.py`: what looks like a key is cut out
prompts in logs
    `test_canaries.py`: no hash of a prompt is kept either
log injection
    `test_canaries.py`: a model's name; `tests/events/test_sinks_lines.py`; labels: `tests/events/test_sinks_metrics.py`
configuration, SSRF
    `test_steering.py`: requests; `tests/models/test_providers.py`: addresses; `tests/settings/test_problems.py`: files
model names
    `test_steering.py`; `test_canaries.py`: prompts; `tests/settings/test_problems.py`: their form
adversarial routing
    `test_adversarial.py`: the cap holds whatever the prompts, and the upgrade rate is printed
regular expressions
    `test_linear_time.py`: every one of the package
huge and odd messages
    `tests/clients/test_bad_input.py`, `tests/scoring/test_prompt.py`, `tests/dialects/test_odd_input.py`
supply chain
    `test_supply_chain.py`; `test_canaries.py`: nothing is unpickled or evaluated; `tests/cli/test_run.py`: no `.pth`
weights
    `tests/scoring/test_learned.py`: checked by hash
"""
