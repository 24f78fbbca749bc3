"""moto over HTTP, with what zappa and the functions need added or put right."""

import base64
import json
import logging
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import parse_qs, unquote
from wsgiref.types import StartResponse, WSGIEnvironment

import yaml
from moto.awslambda.models import lambda_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from infra.localaws import ACCOUNT, REGION
from infra.localaws.functions import Functions, Throttled, error_body
from infra.localaws.simplemail import mailbox

_FUNCTION: Final = r"/2015-03-31/functions/([^/]+)"
_LARGEST_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
_LARGEST_EVENT_BYTES: Final = 1024 * 1024  # of an asynchronous invocation
_LARGEST_DIRECT_ZIP_BYTES: Final = 50 * 1024 * 1024
_ALIAS_REFUSED: Final = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>"
    "<Message>Template error: YAML aliases are not allowed in CloudFormation templates (line {line})</Message>"
    "</Error></ErrorResponse>"
)


class Answer(Exception):
    """An answer that is given instead of moto's."""

    def __init__(self, status: str, body: Any = None, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(status)
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        self.headers = [("Content-Type", "application/json"), *headers]


class Server:
    """Answers AWS's APIs on 127.0.0.1 until it is closed."""

    def __init__(self, *, port: int = 0) -> None:
        self.functions: Functions | None = None  # set once there are some
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._http = make_server("127.0.0.1", port, self._application, threaded=True, request_handler=_Quiet)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        """Stop answering."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _application(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        for pattern, verb, handle in _ROUTES:
            match = re.fullmatch(pattern, path) if verb == method else None
            if match is None:
                continue
            try:
                return handle(self, environ, start_response, match)
            except Answer as answer:
                start_response(answer.status, [*answer.headers, ("Content-Length", str(len(answer.body)))])
                return [answer.body]
        return self._pass_on(environ, start_response)

    def _pass_on(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer

    def _ask_moto(self, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
        told: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], object]:
            told[:] = [status, headers]
            return lambda _data: None

        body = b"".join(self._moto(environ, start_response))
        return told[0], told[1], body

    def _function_urls(self, _environ: WSGIEnvironment, _start: StartResponse, match: re.Match[str]) -> Iterable[bytes]:
        """ListFunctionUrlConfigs, which `zappa update` asks and moto lacks."""
        functions = lambda_backends[ACCOUNT][REGION]
        name = unquote(match.group(1)).split(":function:")[-1].split(":")[0]
        known = {function.function_name: function for function in functions.list_functions()}
        if name not in known:
            raise Answer("404 NOT FOUND", error_body("ResourceNotFoundException", f"Function not found: {name}"))
        config = known[name].url_config
        raise Answer("200 OK", {"FunctionUrlConfigs": [config.to_dict()] if config else []})

    def _add_permission(self, environ: WSGIEnvironment, start: StartResponse, _match: re.Match[str]) -> Iterable[bytes]:
        """AddPermission answers 201; for moto's 200 zappa logs an error with every rule."""
        status, headers, body = self._ask_moto(environ)
        start("201 CREATED" if status.startswith("200") else status, headers)
        return [body]

    def _configure(self, environ: WSGIEnvironment, start: StartResponse, match: re.Match[str]) -> Iterable[bytes]:
        """CreateFunction and UpdateFunctionConfiguration: moto drops the dead-letter queue, and tracing when it is changed."""
        said = json.loads(_peek(environ) or b"{}")
        status, headers, body = self._ask_moto(environ)
        if status.startswith("2") and self.functions is not None:
            name = said.get("FunctionName") or unquote(match.group(1)).split(":function:")[-1]
            if "DeadLetterConfig" in said:
                self.functions.dead_letter_queues[name] = said["DeadLetterConfig"].get("TargetArn", "")
            if "TracingConfig" in said:
                lambda_backends[ACCOUNT][REGION].get_function(name).tracing_config = said["TracingConfig"]
        start(status, headers)
        return [body]

    def _invoke(self, environ: WSGIEnvironment, _start: StartResponse, match: re.Match[str]) -> Iterable[bytes]:
        """Invoke, synchronously or not, which moto does with Docker."""
        name, payload = unquote(match.group(1)), _peek(environ) or b"{}"
        kind = environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse")
        limit = _LARGEST_EVENT_BYTES if kind == "Event" else _LARGEST_PAYLOAD_BYTES
        if len(payload) > limit:
            raise _refusal("413 REQUEST ENTITY TOO LARGE", "RequestTooLargeException", f"{len(payload)} bytes; at most {limit}")
        if self.functions is None:
            raise _refusal("404 NOT FOUND", "ResourceNotFoundException", "no functions run here")
        try:
            if kind == "DryRun":
                raise Answer("204 NO CONTENT")
            if kind == "Event":
                request_id = self.functions.invoke_later(name, payload)
                raise Answer("202 ACCEPTED", b"", [("x-amzn-RequestId", request_id)])
            answer = self.functions.invoke(name, payload)
        except LookupError as error:
            raise _refusal("404 NOT FOUND", "ResourceNotFoundException", str(error)) from None
        except Throttled as error:
            raise _refusal("429 TOO MANY REQUESTS", "TooManyRequestsException", f"Rate Exceeded. {error}") from None
        headers = [("X-Amz-Executed-Version", "$LATEST")]
        if environ.get("HTTP_X_AMZ_LOG_TYPE") == "Tail":
            headers.append(("X-Amz-Log-Result", base64.b64encode(answer.log.encode()).decode()))
        if answer.error is not None:
            headers.append(("X-Amz-Function-Error", answer.error))
        raise Answer("200 OK", answer.payload, headers)

    def _query(self, environ: WSGIEnvironment, start: StartResponse, _match: re.Match[str]) -> Iterable[bytes]:
        """A call of the query protocol: CloudFormation takes no YAML aliases, which moto's reader would resolve."""
        body = _peek(environ)
        template = parse_qs(body.decode(errors="replace")).get("TemplateBody", [""])[0] if b"TemplateBody=" in body else ""
        if template and not template.lstrip().startswith("{"):
            for event in yaml.parse(template):
                if isinstance(event, yaml.AliasEvent):
                    start("400 BAD REQUEST", [("Content-Type", "text/xml")])
                    return [_ALIAS_REFUSED.format(line=event.start_mark.line + 1 if event.start_mark else 0).encode()]
        return self._pass_on(environ, start)

    def _take_code(self, environ: WSGIEnvironment, start: StartResponse, _match: re.Match[str]) -> Iterable[bytes]:
        """UpdateFunctionCode: a zip that comes with the call itself, and not over S3, has a limit that moto does not know."""
        sent = len(json.loads(_peek(environ) or b"{}").get("ZipFile", "")) * 3 // 4
        if sent > _LARGEST_DIRECT_ZIP_BYTES:
            message = "Request must be smaller than 69905067 bytes for the UpdateFunctionCode operation"  # base64 of 50 MB
            raise _refusal("413 REQUEST ENTITY TOO LARGE", "RequestEntityTooLargeException", message)
        return self._pass_on(environ, start)

    def _send_email(self, environ: WSGIEnvironment, start: StartResponse, _match: re.Match[str]) -> Iterable[bytes]:
        """SendEmail of SES v2: what moto accepts is kept as it was sent, and reported."""
        said = json.loads(_peek(environ))
        status, headers, body = self._ask_moto(environ)
        if status.startswith("2"):
            mailbox.take(said, json.loads(body)["MessageId"])
        start(status, headers)
        return [body]


Route = Callable[[Server, WSGIEnvironment, StartResponse, re.Match[str]], Iterable[bytes]]
_ROUTES: Final[tuple[tuple[str, str, Route], ...]] = (
    (r"/2021-10-31/functions/([^/]+)/urls/?", "GET", Server._function_urls),
    (rf"{_FUNCTION}/policy/?", "POST", Server._add_permission),
    (rf"{_FUNCTION}/configuration/?", "PUT", Server._configure),
    (r"/2015-03-31/functions(/?)", "POST", Server._configure),
    (rf"{_FUNCTION}/code/?", "PUT", Server._take_code),
    (rf"{_FUNCTION}/invocations/?", "POST", Server._invoke),
    (r"/v2/email/outbound-emails/?", "POST", Server._send_email),
    (r"/", "POST", Server._query),
)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Keep no access log."""


class _Replayed:
    """A body that was read, for whoever reads it next."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0

    def read(self, size: int = -1) -> bytes:
        """Return what is left, or so many bytes of it."""
        end = len(self.body) if size < 0 else self.at + size
        part, self.at = self.body[self.at : end], min(end, len(self.body))
        return part

    def readline(self, size: int = -1) -> bytes:
        """Return the next line."""
        newline = self.body.find(b"\n", self.at)
        end = len(self.body) if newline < 0 else newline + 1
        return self.read((end if size < 0 else min(end, self.at + size)) - self.at)


def _peek(environ: WSGIEnvironment) -> bytes:
    """Read the body and leave it to be read again."""
    held = environ["wsgi.input"]
    if not isinstance(held, _Replayed):
        held = environ["wsgi.input"] = _Replayed(held.read(int(environ.get("CONTENT_LENGTH") or 0)))
    return held.body


def _refusal(status: str, kind: str, message: str) -> Answer:
    return Answer(status, error_body(kind, message), [("X-Amzn-ErrorType", kind)])
