"""Debian's Chromium on the dashboard of a hub in the same process."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest
import pytest_asyncio

CHROMIUM = shutil.which("chromium", path="/usr/bin:/usr/local/bin")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = {"width": 1440, "height": 900}


@pytest.fixture(scope="session")
def hub_double():
    """The household in memory that the web edge's own tests use."""
    path = Path(__file__).parents[1] / "meshhub" / "hub_double.py"
    spec = importlib.util.spec_from_file_location("hub_double", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["hub_double"] = module
    spec.loader.exec_module(module)
    return module


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def chromium():
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    playwright_api = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    async with playwright_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def hub(hub_double):
    made = hub_double.household()
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def dashboard(hub, tmp_path):
    from meshhub.dashboard.server import Dashboard

    served = Dashboard(hub, tmp_path, port=0)
    await served.start()
    yield served
    await served.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def new_page(chromium):
    """Makes a page of a given size; errors in its scripts and refused resources fail the test."""
    problems = []
    contexts = []

    async def make(viewport=None, scheme="light"):
        context = await chromium.new_context(viewport=viewport or WIDE, color_scheme=scheme)
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(5000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None,
        )
        return page

    yield make
    for context in contexts:
        await context.close()
    assert problems == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(new_page, dashboard):
    """A page that is signed in and shows the devices."""
    made = await new_page()
    await made.goto(dashboard.new_link())
    await made.locator(".card").first.wait_for()
    return made
