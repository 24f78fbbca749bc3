"""Everything recomputed from raw events by other code than the one that billed, and the list of invariants."""
