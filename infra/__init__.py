"""What brings Squill to AWS: the package that Lambda runs, the stack it runs in, and a local AWS to prove both."""
