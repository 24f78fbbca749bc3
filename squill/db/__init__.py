"""PostgreSQL as Squill asks it: a database that sleeps, moves to another machine, or changes its password (ADR 0031)."""
