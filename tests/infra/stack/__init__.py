"""Tests of the stack: its templates, its policies, and the command that makes and reads it."""
