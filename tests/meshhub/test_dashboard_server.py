"""The dashboard's port: signing in, and what is refused there."""

import asyncio

import aiohttp
import pytest
from yarl import URL

from meshhub.dashboard.guard import KEY_HEADER
from meshhub.dashboard.server import SIGN_INS_A_MINUTE, Dashboard


def site(dashboard: Dashboard) -> str:
    return dashboard.url.rstrip("/")


@pytest.fixture
async def browser(dashboard):
    """A client with its own cookies, not signed in."""
    async with aiohttp.ClientSession(site(dashboard), cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def sign_in(browser: aiohttp.ClientSession, link: str) -> aiohttp.ClientResponse:
    async with browser.post("/api/sign-in", json={"token": URL(link).fragment}) as answer:
        if answer.status == 200:
            browser.headers[KEY_HEADER] = (await answer.json())["key"]
        return answer


async def status_of(browser: aiohttp.ClientSession, path: str = "/api/devices", **headers: str) -> int:
    async with browser.get(path, headers=headers) as answer:
        return answer.status


async def test_the_link_opens_a_page_and_is_spent_by_signing_in_only(browser, dashboard):
    link = dashboard.new_link()
    for _ in range(3):
        async with browser.get(link) as page:
            assert page.status == 200
            assert page.content_type == "text/html"
    assert await status_of(browser) == 401
    assert (await sign_in(browser, link)).status == 200
    assert await status_of(browser) == 200
    assert (await sign_in(browser, link)).status == 403


async def test_the_secret_of_a_link_reaches_no_server(dashboard):
    link = URL(dashboard.new_link())
    assert link.host == "localhost"
    assert len(link.fragment) == 26
    assert link.fragment not in str(link.with_fragment(None))


async def test_the_cookie_is_for_this_site_s_own_pages(browser, dashboard):
    answer = await sign_in(browser, dashboard.new_link())
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert f"Max-Age={30 * 24 * 3600}" in cookie
    assert f"mesh-hub-{dashboard.port}=" in cookie


async def test_half_a_session_opens_nothing(browser, dashboard):
    """A browser sends its cookies to every port of localhost; the page key stays with this one."""
    await sign_in(browser, dashboard.new_link())
    key = browser.headers.pop(KEY_HEADER)
    for wrong in ({}, {KEY_HEADER: ""}, {KEY_HEADER: key[:-1]}, {KEY_HEADER: "a" * 52}):
        assert await status_of(browser, **wrong) == 401
        assert await status_of(browser, "/api/events", **wrong) == 401
    assert await status_of(browser, **{KEY_HEADER: key}) == 200
    browser.cookie_jar.clear()
    assert await status_of(browser, **{KEY_HEADER: key}) == 401


async def test_halves_of_two_sessions_are_none(browser, dashboard):
    await sign_in(browser, dashboard.new_link())
    key = browser.headers[KEY_HEADER]
    await sign_in(browser, dashboard.new_link())
    assert await status_of(browser, **{KEY_HEADER: key}) == 401


async def test_signing_out_ends_the_session_and_its_stream(browser, dashboard):
    await sign_in(browser, dashboard.new_link())
    async with browser.get("/api/events") as stream:
        await stream.content.readuntil(b"event: devices\n")
        async with browser.post("/api/sign-out", json={}) as answer:
            assert answer.status == 200
        async with asyncio.timeout(3):
            await stream.content.read()
    assert await status_of(browser) == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "localhost", "127.0.0.1:1", ""])
async def test_another_host_name_is_refused(browser, dashboard, host):
    await sign_in(browser, dashboard.new_link())
    for path in ("/", "/api/devices"):
        assert await status_of(browser, path, Host=host.format(port=dashboard.port)) == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_the_page_is_there_under_both_names(browser, dashboard, host):
    assert await status_of(browser, "/", Host=f"{host}:{dashboard.port}") == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_page_is_refused(browser, dashboard, hub, headers):
    await sign_in(browser, dashboard.new_link())
    assert await status_of(browser, **headers) == 403
    body = {"name": "kitchen lamp", "values": {"on": True}}
    async with browser.post("/api/set", json=body, headers=headers) as answer:
        assert answer.status == 403
    assert hub.resolve("kitchen lamp").values["lamp", "on"].value is False


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_a_form_is_refused(browser, dashboard, hub, kind):
    await sign_in(browser, dashboard.new_link())
    text = b'{"name": "kitchen lamp", "values": {"on": true}}'
    async with browser.post("/api/set", data=text, headers={"Content-Type": kind}) as answer:
        assert answer.status == 415
    assert hub.resolve("kitchen lamp").values["lamp", "on"].value is False


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/devices"),
        ("GET", "/api/events"),
        ("GET", "/api/status"),
        ("POST", "/api/set"),
        ("POST", "/api/add"),
        ("POST", "/api/sign-out"),
        ("GET", "/api/nothing"),
    ],
)
async def test_without_a_session_the_api_tells_nothing(browser, method, path):
    async with browser.request(method, path, json={} if method == "POST" else None) as answer:
        assert answer.status == 401
        assert (await answer.json())["kind"] == "signed-out"


async def test_a_new_link_is_made_on_the_local_socket_only(browser, dashboard, api):
    await sign_in(browser, dashboard.new_link())
    async with browser.post("/api/link", json={}) as answer:
        assert answer.status == 404
    async with api.post("/api/link", json={}) as answer:
        link = (await answer.json())["url"]
    assert link.startswith(dashboard.url)
    assert (await sign_in(browser, link)).status == 200


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/static/app.css", "/static/js/main.js", "/api/devices", "/none"]
)
async def test_every_answer_carries_the_security_headers(browser, path):
    async with browser.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http:" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == ("no-store" if path.startswith("/api/") else "no-cache")


@pytest.mark.parametrize(
    "path", ["/static/../server.py", "/static/%2e%2e/server.py", "/static/", "/static/js/"]
)
async def test_nothing_beside_the_page_is_served(browser, path):
    async with browser.get(URL(site_of(browser) + path, encoded=True)) as answer:
        assert answer.status in (403, 404)


def site_of(browser: aiohttp.ClientSession) -> str:
    return str(browser._base_url).rstrip("/")


async def test_the_page_names_no_other_site(browser):
    for path in ("/", "/static/app.css", "/static/js/main.js"):
        async with browser.get(path) as answer:
            text = await answer.text()
            assert answer.status == 200
            assert "http://" not in text.replace("http://www.w3.org/", "")
            assert "https://" not in text
    assert "<script>" not in text


async def test_guessing_is_slowed_down(browser, dashboard):
    for _ in range(SIGN_INS_A_MINUTE):
        assert (await sign_in(browser, f"{dashboard.url}#guess")).status == 403
    assert (await sign_in(browser, f"{dashboard.url}#guess")).status == 429
    assert (await sign_in(browser, dashboard.new_link())).status == 200


async def test_it_listens_on_this_machine_only(dashboard):
    addresses = [address for runner in dashboard._runners for address in runner.addresses]
    hosts = {address[0] for address in addresses if isinstance(address, tuple)}
    assert "127.0.0.1" in hosts
    assert hosts <= {"127.0.0.1", "::1"}


async def test_a_taken_port_is_left_for_the_next_one(dashboard, hub, tmp_path):
    other_data = tmp_path / "other"
    other_data.mkdir()
    other = Dashboard(hub, other_data, port=dashboard.port)
    await other.start()
    assert other.port != dashboard.port
    await other.stop()
