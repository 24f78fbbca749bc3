"""
What Amazon's host names lead to inside a function: to this machine's own door with their certificate (tls.py).

Copied into the functions' interpreter as sitecustomize.py, which Python imports when it starts; hence the standard library
alone. boto3 needs none of it (AWS_ENDPOINT_URL); it is for code that asks Amazon's hosts itself, as Squill does for the
certificate that SNS signs with. The code in the zip stays as it is, and verifies the certificate as it does on AWS.
"""

import os
import socket
from typing import Any

DOOR_VARIABLE = "LOCAL_AWS_DOOR"  # host:port
_HTTPS = 443


def lead_to_door(door: str) -> None:
    """From now on in this process, *.amazonaws.com on port 443 is the door."""
    host, _colon, port = door.rpartition(":")
    resolve = socket.getaddrinfo

    def getaddrinfo(name: Any, service: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(name, str) and name.endswith(".amazonaws.com") and service in (_HTTPS, str(_HTTPS), "https"):
            return resolve(host, int(port), *args, **kwargs)
        return resolve(name, service, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo  # type: ignore[assignment]  # for every caller that there is


if __name__ == "sitecustomize" and os.environ.get(DOOR_VARIABLE):
    lead_to_door(os.environ[DOOR_VARIABLE])
