"""Figures, printed by a command and never asserted by a test: `make bench`, or `python -m benchmarks NAME …`."""
