"""Money that comes in: recorded, matched to invoices, allocated, left over, and taken back (ADR 0027)."""
