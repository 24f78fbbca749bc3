"""The local AWS as a whole: started in a process, and closed with everything that it started."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.message import Message
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

from infra.localaws import ACCOUNT, REGION, cloudformation, names
from infra.localaws.front import Front
from infra.localaws.functions import Functions
from infra.localaws.http import Request, Response
from infra.localaws.interpreter import make_interpreter
from infra.localaws.notifications import HOST, Notifications
from infra.localaws.observing import XRayDaemon
from infra.localaws.resources.declaring import cloud
from infra.localaws.server import Server
from infra.localaws.simplemail import Mailbox, mailbox
from infra.localaws.ticker import Ticker
from infra.localaws.tls import Authority

# The interpreter of functions is the same for all, and takes seconds to make.
BUILD: Final = Path(__file__).resolve().parents[2] / "build" / "localaws"


class LocalAws:
    """APIs, functions, their front and the clock that fires their rules. One at a time in a process: moto's data is global."""

    def __init__(self, folder: Path, *, api_port: int = 0, retry_seconds: float = 1) -> None:
        """
        Start it, with nothing in it.

        :param folder: for unpacked code and logs
        :param retry_seconds: between the tries of an asynchronous invocation (on AWS a minute, then two)
        """
        self.folder = folder
        self._stack = ExitStack()
        self._fronts: list[Front] = []
        _start_with_nothing()
        cloudformation.install()
        self.server = Server(port=api_port)
        self._stack.callback(self.server.close)
        cloud.endpoint_url = self.server.url
        authority = Authority(folder / "tls")
        self.notifications = Notifications(authority, self.deliver)
        self._stack.callback(self.notifications.close)
        door = authority.door(HOST, self.notifications.answer)
        self._stack.callback(door.close)
        # What Amazon's hosts are in functions, and whose certificates they believe there.
        self.door = f"127.0.0.1:{door.port}"
        self.bundle = authority.bundle
        self.xray = XRayDaemon()
        self._stack.callback(self.xray.close)
        surroundings = {
            "AWS_ENDPOINT_URL": self.server.url,
            "AWS_XRAY_DAEMON_ADDRESS": self.xray.address,
            names.DOOR_VARIABLE: self.door,
            "SSL_CERT_FILE": str(self.bundle),
        }
        self.functions = Functions(
            folder=folder,
            python=make_interpreter(BUILD / "interpreter"),
            surroundings=surroundings,
            retry_seconds=retry_seconds,
        )
        self._stack.callback(self.functions.close)
        self.server.functions = self.functions
        self.ticker = Ticker(self.functions)
        self._stack.callback(self.ticker.close)

    @property
    def mailbox(self) -> Mailbox:
        """The mails that SES accepted."""
        return mailbox

    def client(self, service: str) -> Any:
        """Return a boto3 client of the local AWS."""
        return cloud.client(service)

    def environment(self) -> dict[str, str]:
        """Return the variables by which any program (zappa, the aws CLI) comes here instead of to AWS."""
        return {
            "AWS_ENDPOINT_URL": self.server.url,
            "AWS_ACCESS_KEY_ID": f"local-{ACCOUNT}",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def front(self, *, function_name: str, stage: str, port: int = 0) -> Front:
        """Open the address of a web function. What SNS delivers to any HTTPS endpoint goes to the first one."""
        front = Front(self.functions, function_name=function_name, stage=stage, port=port)
        self._fronts.append(front)
        self._stack.callback(front.close)
        return front

    def close(self) -> None:
        """End every process and thread that was started."""
        self._stack.close()

    def deliver(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """Post a message of SNS to the front, which stands for every custom domain, over TLS as it were."""
        if not self._fronts:
            return 503
        parts = urlsplit(url)
        message = Message()
        for name, value in {"Host": parts.netloc, "X-Forwarded-Proto": "https", **headers}.items():
            message[name] = value
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        response: Response = self._fronts[0].answer(
            Request(method="POST", target=target, headers=message, body=body, peer="127.0.0.1")
        )
        return response.status


@contextmanager
def running(folder: Path, **options: Any) -> Iterator[LocalAws]:
    """Run a local AWS for as long as the block."""
    aws = LocalAws(folder, **options)
    try:
        yield aws
    finally:
        aws.close()


def _start_with_nothing() -> None:
    BackendDict.reset()
    reset_model_data()
    mailbox.clear()
