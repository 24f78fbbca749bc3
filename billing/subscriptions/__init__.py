"""Start and end subscriptions, and keep their billing periods as rows."""
