"""Written by training/fit.py: the hashes of the fitted data that belong to this version of the code."""

WEIGHTS_SHA256 = "8c1236c52a3fdccd286c1aa24bb0e9bae12a2425316e1c492dfc923c170fadc0"
MANIFEST_SHA256 = "b0c49ad3b440b648dfa7458d0b2685ccd5dccbfd47c3b25e0d1617a75b98aabc"
