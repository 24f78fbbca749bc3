"""The package that Lambda runs: Squill, what it needs to run and no more, its native libraries, and checks of all of it."""
