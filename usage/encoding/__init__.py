"""How events are written down: exact JSON and numbers, identities, and columns of them for PostgreSQL."""
