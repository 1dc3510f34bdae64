"""Written by training/fit.py: the hashes of the fitted data that belong to this version of the code."""

WEIGHTS_SHA256 = "006ad91bd912cca3feb5a67ae0da7042f5f4cb1ce8ffb5a002b411c1aa89242a"
MANIFEST_SHA256 = "b0c49ad3b440b648dfa7458d0b2685ccd5dccbfd47c3b25e0d1617a75b98aabc"
