"""The commands' side of the local socket: one request, one answer, errors as exit codes."""

import http.client
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode

import click

from meshhub import local_socket
from meshhub.plain_text import plain

TIMEOUT_SECONDS = 60.0


class Refused(click.ClickException):
    """The hub said no, could not, or does not run: exit code 1."""

    exit_code = 1

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(str(answer.get("error", "The hub refused.")))
        self.answer = answer
        self._context = click.get_current_context(silent=True)

    def show(self, file: IO[Any] | None = None) -> None:
        """Tell it on standard error, as JSON when the command was given --json."""
        context = click.get_current_context(silent=True) or self._context
        if context is not None and context.params.get("as_json"):
            click.echo(json.dumps(self.answer, ensure_ascii=False), file=file, err=True)
        else:
            super().show(file)

    def format_message(self) -> str:
        """Error, candidates and remedy, one line each."""
        lines = [self.message]
        lines += [f"  {candidate}" for candidate in self.answer.get("candidates", ())]
        if self.answer.get("remedy"):
            lines.append(str(self.answer["remedy"]))
        return "\n".join(plain(line) for line in lines)


class HubClient:
    """Talks to the hub that runs with the data folder `data`."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """The JSON answer to GET; raises `Refused`."""
        return self._request("GET", f"{path}?{urlencode(query)}", None)

    def post(self, path: str, **body: object) -> dict[str, Any]:
        """The JSON answer to POST with `body` (members that are None are left out); raises `Refused`."""
        present = {name: value for name, value in body.items() if value is not None}
        return self._request("POST", path, json.dumps(present))

    def _request(self, method: str, path: str, body: str | None) -> dict[str, Any]:
        connection = _LocalConnection(self._data)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            answer = json.loads(response.read())
        except PermissionError:
            raise Refused(self._not_permitted()) from None
        except TimeoutError:
            raise Refused({"error": "The hub did not answer in time.", "kind": "timeout"}) from None
        except OSError:
            raise Refused(self._not_running()) from None
        except (ValueError, http.client.HTTPException):
            raise Refused({"error": "What answers there is no hub.", "kind": "protocol"}) from None
        finally:
            connection.close()
        if response.status >= 400:
            raise Refused(answer)
        return dict(answer)

    def _not_running(self) -> dict[str, str]:
        return {
            "error": f"No hub runs with the data folder {self._data}.",
            "kind": "not-running",
            "remedy": "Start it with `meshhub run`, or name its folder with --data.",
        }

    def _not_permitted(self) -> dict[str, str]:
        user = "the user who started the hub"
        try:
            user = (self._data / local_socket.NAME).owner()
        except (OSError, KeyError):
            pass
        return {
            "error": f"User {os.getuid()} may not talk to this hub.",
            "kind": "not-permitted",
            "remedy": f"Run the command as {user}.",
        }


class _LocalConnection(http.client.HTTPConnection):
    """HTTP over the hub's socket. The standard library's client, because a command should start at once."""

    def __init__(self, data: Path) -> None:
        super().__init__("hub", timeout=TIMEOUT_SECONDS)
        self._data = data

    def connect(self) -> None:
        """Connect to the socket in the data folder."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_SECONDS)
        with local_socket.short_path(self._data) as path:
            self.sock.connect(path)
