"""Drafts, finalisation, numbers, payments, voiding: the life of an invoice."""
