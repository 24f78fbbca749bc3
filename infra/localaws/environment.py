"""
An execution environment: one process of a function, which is started, asked, and killed at its deadline.

Its process group is killed, so that what the function started (the process that lays PDFs out) goes with it.
"""

import os
import queue
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.localaws import ACCOUNT, REGION
from infra.localaws.logs import LogStream
from infra.localaws.runtime_api import Answer, Invocation, RuntimeApi, failure

# Lambda gives an initialisation ten seconds before it begins anew within the invocation's own time; on a busy laptop that would
# only measure the laptop, so what is allowed here is generous.
INIT_SECONDS: Final = 120
_TASK_ROOT_ON_LAMBDA: Final = "/var/task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What an environment runs: the code of a function, with its settings."""

    function_name: str
    function_arn: str
    handler: str
    task_root: Path
    timeout_seconds: int
    memory_mb: int
    variables: Mapping[str, str]
    xray: bool


class Environment:
    """One process of a function; whoever holds it has it alone."""

    def __init__(self, program: Program, *, python: Path, surroundings: Mapping[str, str], stream: LogStream) -> None:
        self.program = program
        self.api = RuntimeApi()
        self._stream = stream
        self._initialised = False
        self.init_seconds = 0.0
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [str(python), "-m", "awslambdaric", program.handler],
            cwd=program.task_root,
            env=self._variables(surroundings, python),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def invoke(self, payload: bytes, *, request_id: str | None = None) -> Answer:
        """Run one invocation to its end, which is at the function's timeout at the latest; then the environment is dead."""
        request_id = request_id or str(uuid.uuid4())
        program = self.program
        with self._stream.tail() as tail:
            failed = self._initialise()
            self._stream.write(f"START RequestId: {request_id} Version: $LATEST")
            began = time.monotonic()
            if failed is None:
                self.api.give(
                    Invocation(
                        request_id=request_id,
                        payload=payload,
                        function_arn=program.function_arn,
                        trace_id=f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled={int(program.xray)}",
                        timeout_seconds=program.timeout_seconds,
                    )
                )
                answer = self._wait(request_id, program.timeout_seconds)
            else:
                answer = failed
            took_ms = (time.monotonic() - began) * 1000
            self._stream.write(f"END RequestId: {request_id}")
            self._stream.write(self._report(request_id, took_ms))
            return Answer(payload=answer.payload, error=answer.error, log=tail.text())

    def close(self) -> None:
        """Kill the process and everything it started."""
        self._kill()
        self.api.close()

    def _initialise(self) -> Answer | None:
        """Wait until the code is loaded; what failed, if that did."""
        if self._initialised:
            return None
        give_up_at = time.monotonic() + INIT_SECONDS
        while time.monotonic() < give_up_at:
            try:
                ready_at = self.api.asked.get(timeout=0.05)
            except queue.Empty:
                if self.is_alive:
                    continue
                self._reader.join(5)
                return self._said() or failure("Runtime.ExitError", "Runtime exited during initialisation")
            self._initialised = True
            self.init_seconds = ready_at - self._started
            return None
        self._kill()
        return failure("Sandbox.Timedout", f"Initialisation took longer than {INIT_SECONDS} seconds")

    def _wait(self, request_id: str, seconds: float) -> Answer:
        give_up_at = time.monotonic() + seconds
        while (left := give_up_at - time.monotonic()) > 0:
            try:
                answer = self.api.answered.get(timeout=min(left, 0.2))
            except queue.Empty:
                if self.is_alive:
                    continue
                self._reader.join(5)
                message = f"RequestId: {request_id} Error: Runtime exited with {self._exit()}"
                self._stream.write(message)
                return failure("Runtime.ExitError", message)
            # It asks for more only once it has written what it had to say.
            self.api.asked.get(timeout=30)
            return answer
        self._kill()
        message = f"{request_id} Task timed out after {seconds:.2f} seconds"
        self._stream.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {message}")
        return failure("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds")

    def _said(self) -> Answer | None:
        try:
            return self.api.answered.get_nowait()
        except queue.Empty:
            return None

    def _exit(self) -> str:
        status = self._process.poll() or 0
        return f"error: signal: {signal.Signals(-status).name}" if status < 0 else f"error: exit status {status}"

    def _kill(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(30)
        self._reader.join(5)

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - said by Popen's arguments
        for line in self._process.stdout:
            self._stream.write(line.decode(errors="replace").rstrip("\n"))

    def _report(self, request_id: str, took_ms: float) -> str:
        parts = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {took_ms:.2f} ms",
            f"Memory Size: {self.program.memory_mb} MB",
            f"Max Memory Used: {self._peak_memory_mb()} MB",
        ]
        if self.init_seconds:
            parts.append(f"Init Duration: {self.init_seconds * 1000:.2f} ms")
            self.init_seconds = 0.0
        return "\t".join(parts)

    def _peak_memory_mb(self) -> int:
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return 0
        return next((int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)

    def _variables(self, surroundings: Mapping[str, str], python: Path) -> dict[str, str]:
        """Return the whole environment: what Lambda sets, what surrounds every function here, what the function was given."""
        program, root = self.program, str(self.program.task_root)
        # Paths are settings that name /var/task, which on this machine is where the zip was unpacked.
        own = {name: value.replace(_TASK_ROOT_ON_LAMBDA, root) for name, value in program.variables.items()}
        return {
            "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": root,
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LD_LIBRARY_PATH": f"{root}:{root}/lib",
            # Lambda's task root is read-only, so there nothing keeps compiled code from one start to the next.
            "PYTHONDONTWRITEBYTECODE": "1",
            "_HANDLER": program.handler,
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "AWS_LAMBDA_FUNCTION_NAME": program.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(program.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self._stream.group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._stream.name,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": f"local-{ACCOUNT}",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "local",
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            **own,
            **surroundings,
        }
