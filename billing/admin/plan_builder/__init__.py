"""
A plan is built in a form: its facts, its charges, their tiers.

What the form holds becomes the members that the catalogue file has, and goes the same way: one reader, one set of refusals,
each shown beside the field that it names.
"""
