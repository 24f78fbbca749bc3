"""A subscription in the finance desk: its page, the forms that change it, and what a change would make of the next invoice."""
