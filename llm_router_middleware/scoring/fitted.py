"""Written by training/fit.py: the hashes of the fitted data that belong to this version of the code."""

WEIGHTS_SHA256 = "7b63ba692e2dcf4d8ebdca72379f4fe57119cbc17c9cfd1ce2fdf3be9e761510"
MANIFEST_SHA256 = "15fdf1cd6af60a2c1a4056105854071c7a02fede29ee6e06515368b34d56d976"
