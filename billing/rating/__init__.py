"""The only translator between rows and pricing values: periods and usage in, rated lines out. Writes nothing."""
