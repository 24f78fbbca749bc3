"""The function that we run in, asked to work beside us: Lambda starts another invocation of it, which does a part of the work."""

import json
import logging
import os
from typing import Final

logger = logging.getLogger(__name__)
NAME_VARIABLE: Final = "AWS_LAMBDA_FUNCTION_NAME"


def is_function() -> bool:
    """Say whether this process is a Lambda function."""
    return bool(os.environ.get(NAME_VARIABLE))


def start_workers(command: str, count: int, **event: object) -> int:
    """
    Start so many invocations of our own function that call `command` (zappa's event for a dotted name), and return how many
    were started. Does not wait for them.

    That some cannot be started is logged and no trouble: what they would have done, the others do.
    """
    if count <= 0:
        return 0
    import boto3  # noqa: PLC0415 (a cold start must not load it)
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    patience = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"})
    client = boto3.client("lambda", config=patience)
    payload = json.dumps({"command": command, **event}).encode()
    for started in range(count):
        try:
            client.invoke(FunctionName=os.environ[NAME_VARIABLE], InvocationType="Event", Payload=payload)
        except (BotoCoreError, ClientError) as error:
            logger.error("only %d of %d workers for %s could be started: %s", started, count, command, error)
            return started
    return count
