"""What every request to the dashboard's TCP port must pass, and the headers every answer carries.

Rules, in order: the Host is this machine's own name and port (no DNS rebinding); a request that a page sent
comes from our own page (Origin and Sec-Fetch-Site, because other ports of localhost count as the same site);
a request that changes something is JSON; everything under /api/ but signing in needs a live session: its
cookie and, in a header, its page key.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.typedefs import Middleware

from meshhub.dashboard.problems import Problem
from meshhub.dashboard.sessions import SESSION_LIFETIME, SignIns
from meshhub.dashboard.stream import STILL_ALLOWED

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
SAFE_METHODS = frozenset({"GET", "HEAD"})
KEY_HEADER = "Mesh-Hub-Key"
OPEN_PATHS = frozenset({"/api/sign-in"})


def own_hosts(port: int) -> frozenset[str]:
    """The Host values under which this dashboard may be asked for."""
    return frozenset({f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"})


def cookie_name(port: int) -> str:
    """Cookies ignore ports, so two hubs of one machine need two names."""
    return f"mesh-hub-{port}"


def guard(sign_ins: SignIns, port: Callable[[], int]) -> Middleware:
    """The middleware with these rules; `port` tells the port once it is known."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        _check(request, sign_ins, port())
        return await handler(request)

    return middleware


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal `on_response_prepare`: security headers; the browser never stores answers of the API."""
    response.headers.update(HEADERS)
    response.headers["Cache-Control"] = "no-store" if request.path.startswith("/api/") else "no-cache"


def set_session_cookie(response: web.StreamResponse, port: int, cookie: str) -> None:
    """Give the browser its session: not readable by scripts, sent to this site's own pages only."""
    response.set_cookie(
        cookie_name(port),
        cookie,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        path="/",
        httponly=True,
        samesite="Strict",
    )


def _check(request: web.Request, sign_ins: SignIns, port: int) -> None:
    if request.headers.get("Host", "") not in own_hosts(port):
        raise Problem(
            403,
            "wrong-host",
            "This address is not the hub's own.",
            f"Open http://localhost:{port}/ on the machine that runs the hub.",
        )
    if not _from_own_page(request):
        raise Problem(403, "wrong-origin", "Another site tried to use the hub; it was refused.")
    if request.method not in SAFE_METHODS and request.content_type != "application/json":
        raise Problem(415, "not-json", "Requests that change something must be application/json.")
    if request.path.startswith("/api/") and request.path not in OPEN_PATHS:
        cookie = request.cookies.get(cookie_name(port), "")
        key = request.headers.get(KEY_HEADER, "")
        request[STILL_ALLOWED] = lambda: sign_ins.is_live(cookie, key, datetime.now(UTC))
        if not request[STILL_ALLOWED]():
            raise Problem(
                401,
                "signed-out",
                "This browser is not signed in.",
                "Run `meshhub link` and open the link that it prints.",
            )


def _from_own_page(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.headers['Host']}":
        return False
    site = request.headers.get("Sec-Fetch-Site")
    if site in (None, "same-origin", "none"):
        return True
    # A link elsewhere may open the page itself: that shows nothing without a session.
    return request.method in SAFE_METHODS and not request.path.startswith("/api/")
