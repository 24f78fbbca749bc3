"""The billing run: what is due, bill it, customer by customer, until nothing is left."""
