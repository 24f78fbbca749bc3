"""The books of a month, for the accountant: every document and movement as CSV, and totals that sum to the books."""
