"""Written by training/fit.py: the hashes of the fitted data that belong to this version of the code."""

WEIGHTS_SHA256 = "6a59b64e63de472e0d52ffa6ff337baee356c8e138c50bca2d0bbc3575046a93"
MANIFEST_SHA256 = "15fdf1cd6af60a2c1a4056105854071c7a02fede29ee6e06515368b34d56d976"
