"""Types of CloudFormation that the stack uses and moto has not: each is made through the service's own API, here."""
