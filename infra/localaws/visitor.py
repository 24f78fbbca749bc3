"""Somebody who visits a deployed Squill: asks the API with a key, or clicks through pages with cookies and forms."""

import http.client
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class VisitError(Exception):
    """An answer that was not the one expected; the message has it."""


@dataclass(slots=True)
class Visitor:
    """One visitor of one address. Each request is on a connection of its own."""

    url: str
    host: str
    key: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
        """
        Call the API; return the JSON of its answer, or the address that it leads to.

        :raises VisitError: for another status than the one expected
        """
        content = None if body is None else json.dumps(body).encode()
        answer, said = self._send(method, f"/api/v1{path}", content, {"Content-Type": "application/json"})
        self._insist(answer, said, expect)
        return answer.headers["Location"] if answer.status // 100 == 3 else json.loads(said or b"null")

    def page(self, path: str, *, expect: int = 200) -> str:
        """
        Return a page.

        :raises VisitError: for another status than the one expected
        """
        answer, said = self._send("GET", path, None, {})
        self._insist(answer, said, expect)
        return said.decode()

    def fill_in(self, path: str, values: dict[str, str], *, expect: int = 302) -> str:
        """
        Open a page with a form, send the form, and return the address that the answer leads to.

        :raises VisitError: for another status than the one expected, or a page without a form
        """
        token = _TOKEN.search(self.page(path))
        if token is None:
            raise VisitError(f"{path} has no form")
        content = urlencode({**values, "csrfmiddlewaretoken": token[1]}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"https://{self.host}{path}"}
        answer, said = self._send("POST", path, content, headers)
        self._insist(answer, said, expect)
        return answer.headers.get("Location", "")

    def _send(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        headers = {"Host": self.host, **headers}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=120)
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _equals, value = cookie.strip().partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer, said

    def _insist(self, answer: http.client.HTTPResponse, said: bytes, expect: int) -> None:
        if answer.status != expect:
            raise VisitError(f"{answer.status} instead of {expect}: {said[:2000].decode(errors='replace')}")
