"""The two listeners of the hub: its page and API on localhost, and its API on the local socket.

Plain HTTP, so localhost only. The page itself holds no data: it is the same for everybody, and what it shows
comes from the API, which wants a session.
"""

import errno
import os
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from mathmesh.types import Entropy
from meshhub import local_socket, ports
from meshhub.api import MAX_BODY, Api
from meshhub.dashboard.guard import add_headers, cookie_name, guard, set_session_cookie
from meshhub.dashboard.ports import Hub
from meshhub.dashboard.problems import Problem, problems
from meshhub.dashboard.sessions import SignIns
from meshhub.errors import HubError

STATIC = Path(__file__).parent / "static"
SIGN_INS_A_MINUTE = 20
MAX_SIGN_IN = 1024
SHUTDOWN_SECONDS = 1.0
PORT_TRIES = 32
NO_IPV6 = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT})


class Dashboard:
    """Serves one hub. `start` opens both listeners, `stop` closes them and every open page's stream.

    `port` is the wished one, the next free one is taken; browsers are signed in for as long as it runs;
    `add_local` adds more routes to the local socket, whose callers own the data folder.
    """

    def __init__(
        self,
        hub: Hub,
        data: Path,
        *,
        port: int = 8080,
        entropy: Entropy = os.urandom,
        add_local: Callable[[web.Application], None] | None = None,
    ) -> None:
        self._data = data
        self._wish = port
        self._port = 0
        self._add_local = add_local
        self._sign_ins = SignIns(entropy)
        self._api = Api(hub)
        self._runners: list[web.AppRunner] = []
        self._attempts: list[float] = []

    @property
    def port(self) -> int:
        """TCP port on localhost, once started."""
        return self._port

    @property
    def url(self) -> str:
        """Address of the page for a browser that is signed in."""
        return f"http://localhost:{self._port}/"

    def new_link(self) -> str:
        """Address that signs one browser in, once, within 24 hours; its fragment, the secret, is not sent."""
        return f"{self.url}sign-in#{self._sign_ins.new_link_token(datetime.now(UTC))}"

    async def start(self) -> None:
        """Listen on the local socket and on localhost; raises `PolicyError` when another hub runs here."""
        local = local_socket.listen(self._data)
        self._api.start()
        await self._serve(self._local_application(), [local])
        self._port, listeners = _localhost(self._wish)
        await self._serve(self._web_application(), listeners)

    async def stop(self) -> None:
        """Close everything; safe to call when start failed half way."""
        await self._api.stop()
        runners, self._runners = self._runners, []
        for runner in runners:
            await runner.cleanup()
        if runners:
            local_socket.remove(self._data)

    async def _serve(self, application: web.Application, sockets: list[socket.socket]) -> None:
        runner = web.AppRunner(
            application, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS
        )
        await runner.setup()
        self._runners.append(runner)
        for listener in sockets:
            await web.SockSite(runner, listener).start()

    def _local_application(self) -> web.Application:
        application = web.Application(middlewares=[problems], client_max_size=MAX_BODY)
        self._api.add_to(application)
        application.router.add_post("/api/link", self._link)
        if self._add_local is not None:
            self._add_local(application)
        return application

    def _web_application(self) -> web.Application:
        application = web.Application(
            middlewares=[problems, guard(self._sign_ins, lambda: self._port)], client_max_size=MAX_BODY
        )
        application.on_response_prepare.append(add_headers)
        self._api.add_to(application)
        application.router.add_post("/api/sign-in", self._sign_in)
        application.router.add_post("/api/sign-out", self._sign_out)
        for path in ("/", "/sign-in"):
            application.router.add_get(path, _page)
        application.router.add_static("/static/", STATIC)
        return application

    async def _link(self, request: web.Request) -> web.Response:
        return web.json_response({"url": self.new_link()})

    async def _sign_in(self, request: web.Request) -> web.Response:
        if request.content_length is None or request.content_length > MAX_SIGN_IN:
            raise Problem(413, "too-large", "That is too large.")
        try:
            token = (await request.json())["token"]
        except (ValueError, KeyError, TypeError, RecursionError):
            token = None
        grant = self._sign_ins.redeem(token, datetime.now(UTC)) if isinstance(token, str) else None
        if grant is None:
            self._slow_down()
            raise Problem(
                403,
                "bad-link",
                "This sign-in link was used already, or is too old.",
                "Run `meshhub link` and open the link that it prints.",
            )
        response = web.json_response({"signed_in": True, "key": grant.key})
        set_session_cookie(response, self._port, grant.cookie)
        return response

    async def _sign_out(self, request: web.Request) -> web.Response:
        name = cookie_name(self._port)
        self._sign_ins.end(request.cookies.get(name, ""))
        self._api.end_streams()
        response = web.json_response({"signed_in": False})
        response.del_cookie(name, path="/", httponly=True, samesite="Strict")
        return response

    def _slow_down(self) -> None:
        """Count a failed sign-in. A good link always works: others of this machine cannot lock it out."""
        now = time.monotonic()
        self._attempts = [moment for moment in self._attempts if now - moment < 60]
        if len(self._attempts) >= SIGN_INS_A_MINUTE:
            raise Problem(429, "too-many", "Too many sign-ins.", "Wait a minute.")
        self._attempts.append(now)


async def _page(request: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


def _localhost(wish: int) -> tuple[int, list[socket.socket]]:
    """The port, `wish` or the next free one, and listeners on 127.0.0.1 and, where the machine has it, ::1.

    `localhost` may mean either, so a port of which another program has one half is passed over: that
    program would get the secret of the sign-in link.
    """
    for number in range(PORT_TRIES):
        port = ports.choose("127.0.0.1", wish + number if wish else 0)
        first = _listener(socket.AF_INET, "127.0.0.1", port)
        try:
            return port, [first, _listener(socket.AF_INET6, "::1", port)]
        except OSError as error:
            if error.errno in NO_IPV6:
                return port, [first]
            first.close()
    raise HubError("every port that was tried is in use on ::1; choose another with --port")


def _listener(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(128)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener
