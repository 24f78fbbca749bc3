"""The stack that a stage of Squill stands on in AWS: its templates, and `python -m infra.stack`, which makes and reads it."""
