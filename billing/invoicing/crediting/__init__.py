"""Credit notes: planned, settled, issued; corrections of what was billed, and what is left of it after the end (ADR 0025)."""
