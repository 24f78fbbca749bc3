"""Tests of what brings Squill to AWS."""
