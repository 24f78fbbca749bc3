"""Tests of the package that Lambda runs."""
