"""
A local AWS: enough of it that the real zappa CLI deploys Squill here, and that the deployed zip runs.

The APIs are moto's, over HTTP; what zappa and the stack need beyond that is added here. README.md says what this proves and,
at more length, what it does not.
"""

# The account that moto gives everybody, and the region of the whole.
ACCOUNT = "123456789012"
REGION = "eu-central-1"
