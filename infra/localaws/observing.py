"""What CloudWatch and X-Ray take from a function besides its log: metrics in the log's own lines, and segments of traces."""

import json
import socket
import threading
from datetime import UTC, datetime
from typing import Any, Final

from moto.cloudwatch.models import cloudwatch_backends

from infra.localaws import ACCOUNT, REGION

_LARGEST_DATAGRAM_BYTES: Final = 65_535


def take_metrics(line: str) -> None:
    """Take the metrics out of a line in the Embedded Metric Format, as CloudWatch Logs does; nothing from any other line."""
    if not line.startswith("{") or '"_aws"' not in line:
        return
    try:
        said = json.loads(line)
        # moto compares times without a zone, which are UTC.
        at = datetime.fromtimestamp(said["_aws"]["Timestamp"] / 1000, UTC).replace(tzinfo=None)
        for directive in said["_aws"]["CloudWatchMetrics"]:
            for dimensions in directive["Dimensions"]:
                named = [{"Name": name, "Value": said[name]} for name in dimensions]
                data = [_datum(said, metric, named, at) for metric in directive["Metrics"]]
                cloudwatch_backends[ACCOUNT][REGION].put_metric_data(directive["Namespace"], data)
    except (ValueError, KeyError, TypeError):
        return  # CloudWatch, too, keeps such a line as text alone


def _datum(said: dict[str, Any], metric: dict[str, str], dimensions: list[dict[str, str]], at: datetime) -> dict[str, Any]:
    value = said[metric["Name"]]
    numbers = value if isinstance(value, list) else [value]
    return {
        "MetricName": metric["Name"],
        "Dimensions": dimensions,
        "Unit": metric.get("Unit", "None"),
        "Timestamp": at,
        "Value": sum(numbers),
    }


class XRayDaemon:
    """Takes segments as Lambda's daemon does, a datagram each, and keeps them."""

    def __init__(self) -> None:
        self.segments: list[dict[str, Any]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Return what AWS_XRAY_DAEMON_ADDRESS is to say."""
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Listen no more."""
        self._closed.set()
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                datagram = self._socket.recv(_LARGEST_DATAGRAM_BYTES)
            except TimeoutError:
                continue
            _head, _newline, document = datagram.partition(b"\n")
            try:
                self.segments.append(json.loads(document))
            except ValueError:
                continue  # X-Ray drops it, too
