"""Prices as pure mathematics: no Django, no I/O, no clock. Every amount is exact until it is rounded once."""
