"""
The part of Lambda that moto leaves out: functions run.

A function's environments are kept warm and reused, one invocation at a time each; simultaneous invocations take more of them,
up to its reserved concurrency, beyond which the caller is throttled (429). What is invoked asynchronously is tried three times
in all, and then goes to the dead-letter queue, as on AWS; only the waiting between is shorter here.
"""

import hashlib
import io
import threading
import time
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.sqs.models import sqs_backends

from infra.localaws import ACCOUNT, REGION
from infra.localaws.environment import Environment, Program
from infra.localaws.logs import LogStream
from infra.localaws.runtime_api import Answer

# The concurrency that AWS gives a new account, and about what a laptop bears.
UNRESERVED_CONCURRENCY: Final = 10
# The first try and two more.
ASYNCHRONOUS_TRIES: Final = 3
# How long an event waits for a function that is throttled (six hours on AWS).
_LONGEST_WAIT_SECONDS: Final = 300


class Throttled(Exception):
    """As many invocations of the function run as may: 429 TooManyRequestsException."""


@dataclass(slots=True)
class _Fleet:
    """The environments of one function in one state of its code and settings."""

    program: Program
    idle: list[Environment] = field(default_factory=list)
    busy: set[Environment] = field(default_factory=set)


class Functions:
    """Runs the functions that moto keeps. Threads may call anything at any time."""

    def __init__(self, *, folder: Path, python: Path, surroundings: Mapping[str, str], retry_seconds: float = 1) -> None:
        self._folder = folder
        self._python = python
        self._surroundings = surroundings
        self._retry_seconds = retry_seconds
        self._lock = threading.Lock()
        self._fleets: dict[str, _Fleet] = {}
        # What create-function and update-function-configuration say of it, and moto drops: function name -> ARN of the queue.
        self.dead_letter_queues: dict[str, str] = {}
        self._underway = 0
        self._settled = threading.Condition()
        self._closed = False

    def invoke(self, name: str, payload: bytes, *, request_id: str | None = None) -> Answer:
        """
        Run a function and return what it answers.

        :raises Throttled: if it has no concurrency left
        """
        function = self._function(name)
        environment = self._take(function)
        try:
            return environment.invoke(payload, request_id=request_id)
        finally:
            self._give_back(function.function_name, environment)

    def invoke_later(self, name: str, payload: bytes) -> str:
        """Accept an event, which is worked off by a thread of its own, and return its request id."""
        self._function(name)
        request_id = str(uuid.uuid4())
        with self._settled:
            self._underway += 1
        threading.Thread(target=self._work_off, args=(name, payload, request_id), daemon=True).start()
        return request_id

    def settle(self, timeout_seconds: float = 300) -> bool:
        """Wait until no asynchronous event is underway, those they started included; False if that took too long."""
        with self._settled:
            return self._settled.wait_for(lambda: self._underway == 0, timeout_seconds)

    def environments(self, name: str) -> list[Environment]:
        """Return the environments that a function has now."""
        with self._lock:
            fleet = self._fleets.get(name)
            return [*fleet.idle, *fleet.busy] if fleet else []

    def close(self) -> None:
        """Kill every environment."""
        self._closed = True
        with self._lock:
            fleets = list(self._fleets.values())
            self._fleets.clear()
        for fleet in fleets:
            for environment in [*fleet.idle, *fleet.busy]:
                environment.close()

    def _work_off(self, name: str, payload: bytes, request_id: str) -> None:
        try:
            answer = self._try(name, payload, request_id)
            if answer is not None and answer.error is not None:
                self._bury(name, payload, request_id, answer)
        finally:
            with self._settled:
                self._underway -= 1
                self._settled.notify_all()

    def _try(self, name: str, payload: bytes, request_id: str) -> Answer | None:
        """Invoke until it succeeds or has failed three times; None if the function is gone."""
        answer = None
        failures = 0
        give_up_at = time.monotonic() + _LONGEST_WAIT_SECONDS
        while failures < ASYNCHRONOUS_TRIES and time.monotonic() < give_up_at and not self._closed:
            try:
                answer = self.invoke(name, payload, request_id=request_id)
            except Throttled:
                time.sleep(min(self._retry_seconds, 0.2))  # not a failure: AWS keeps the event for hours
                continue
            except LookupError:
                return None
            if answer.error is None:
                return answer
            failures += 1
            if failures < ASYNCHRONOUS_TRIES:
                time.sleep(self._retry_seconds * failures)
        return answer

    def _bury(self, name: str, payload: bytes, request_id: str, answer: Answer) -> None:
        arn = self.dead_letter_queues.get(name)
        if arn is None:
            return
        attributes = {
            "RequestID": {"DataType": "String", "StringValue": request_id},
            "ErrorCode": {"DataType": "Number", "StringValue": "200"},
            "ErrorMessage": {"DataType": "String", "StringValue": answer.payload.decode(errors="replace")[:1024] or "-"},
        }
        queue = arn.rpartition(":")[2]
        sqs_backends[ACCOUNT][REGION].send_message(queue, payload.decode(), message_attributes=attributes)

    def _function(self, name: str) -> LambdaFunction:
        """
        Find a function as moto keeps it, by name or ARN.

        :raises LookupError: if there is none
        """
        # Also squill-dev:$LATEST, and versions, of which only the last is kept running.
        plain = name.split(":function:")[-1].split(":")[0]
        functions = lambda_backends[ACCOUNT][REGION]
        if plain not in {function.function_name for function in functions.list_functions()}:
            raise LookupError(f"Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:{plain}")
        return functions.get_function(plain)

    def _take(self, function: LambdaFunction) -> Environment:
        reserved = function.reserved_concurrency
        limit = UNRESERVED_CONCURRENCY if reserved is None else int(reserved)
        program = self._program(function)
        with self._lock:
            fleet = self._fleets.get(function.function_name)
            if fleet is None or fleet.program != program:
                # Other code or settings: whoever is idle goes, whoever works ends its work and goes then.
                fresh = _Fleet(program)
                if fleet is not None:
                    fresh.busy = fleet.busy
                    for environment in fleet.idle:
                        environment.close()
                fleet = self._fleets[function.function_name] = fresh
            if len(fleet.busy) >= limit:
                raise Throttled(f"{function.function_name} has reached its concurrency of {limit}")
            while fleet.idle:
                environment = fleet.idle.pop()
                if environment.is_alive:
                    break
                environment.close()
            else:
                environment = Environment(
                    program, python=self._python, surroundings=self._surroundings, stream=self._stream(function.function_name)
                )
            fleet.busy.add(environment)
            return environment

    def _give_back(self, name: str, environment: Environment) -> None:
        with self._lock:
            fleet = self._fleets.get(name)
            if fleet is not None:
                fleet.busy.discard(environment)
                if environment.is_alive and environment.program == fleet.program:
                    fleet.idle.append(environment)
                    return
        environment.close()

    def _program(self, function: LambdaFunction) -> Program:
        return Program(
            function_name=function.function_name,
            function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.function_name}",
            handler=str(function.handler),
            task_root=self._unpacked(function.code_bytes),
            timeout_seconds=int(function.timeout),
            memory_mb=int(function.memory_size),
            variables=dict(function.environment_vars),
            xray=function.tracing_config.get("Mode") == "Active",
        )

    def _unpacked(self, code: bytes) -> Path:
        """Unpack a zip, once for each content."""
        root = self._folder / "code" / _digest(code)
        with _unpacking:
            if not root.exists():
                unfinished = root.with_suffix(".unfinished")
                with zipfile.ZipFile(io.BytesIO(code)) as archive:
                    archive.extractall(unfinished)
                unfinished.rename(root)
        return root

    def _stream(self, name: str) -> LogStream:
        group = f"/aws/lambda/{name}"
        stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[$LATEST]{uuid.uuid4().hex}"
        return LogStream(group, stream, self._folder / "logs" / f"{name}.log")


_unpacking = threading.Lock()
# By the identity of the bytes, which moto keeps while the code is deployed: hashing 50 MB at every request would take longer
# than the request.
_digests: dict[int, tuple[bytes, str]] = {}


def _digest(code: bytes) -> str:
    known = _digests.get(id(code))
    if known is None or known[0] is not code:
        known = _digests[id(code)] = (code, hashlib.sha256(code).hexdigest()[:16])
    return known[1]


def error_body(kind: str, message: str) -> dict[str, Any]:
    """Return the body of an error of Lambda's own."""
    return {"Type": "User", "message": message, "Message": message, "__type": kind}
