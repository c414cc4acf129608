"""The dashboard as people use it, in Debian's Chromium."""

import io

import aiohttp
import pytest
import segno
from aiohttp import web

from meshhub.events import Alarm

playwright_api = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
expect = playwright_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
expect.set_options(timeout=5000)

GOOD_CODE = "EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"
WRONG_CODE = "EDQF-7KXK-WNDR-DB6X-WQ3V-7QGQ-VQ"


def card(page, name: str, room: str = ""):
    """The card of a device, in its room when several have its name."""
    scope = page.locator(f'.room[data-room="{room}"]') if room else page
    return scope.get_by_role("article", name=name, exact=True)


def power(page, room: str = "Kitchen"):
    return card(page, "Lamp", room).get_by_role("switch", name="Power")


async def until(page, done) -> None:
    """Wait until `done()` holds, at most 5 seconds."""
    for _ in range(100):
        if done():
            return
        await page.wait_for_timeout(50)
    pytest.fail("it did not happen")


def label_picture(code: str) -> dict:
    out = io.BytesIO()
    segno.make(f"mcu://maker@hub.local/{code}", error="m").save(out, kind="png", scale=6)
    return {"name": "label.png", "mimeType": "image/png", "buffer": out.getvalue()}


async def test_the_link_signs_one_browser_in_once(new_page, dashboard):
    link = dashboard.new_link()
    page = await new_page()
    await page.goto(link)
    await expect(page.get_by_role("heading", name="Kitchen")).to_be_visible()
    assert page.url == dashboard.url  # the secret is not left in the address
    await page.reload()
    await expect(page.get_by_role("heading", name="Kitchen")).to_be_visible()
    other = await new_page()
    await other.goto(link)
    await expect(other.get_by_role("alert")).to_contain_text("used already")
    await expect(other.get_by_role("article")).to_have_count(0)


async def test_the_link_can_be_pasted(new_page, dashboard):
    page = await new_page()
    await page.goto(dashboard.url)
    await page.get_by_label("Or paste the link here").fill(dashboard.new_link())
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Kitchen")).to_be_visible()


async def test_signing_out(page, dashboard):
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in on this browser")).to_be_visible()
    await expect(page.get_by_role("article")).to_have_count(0)
    await page.goto(dashboard.url)
    await expect(page.get_by_role("heading", name="Sign in on this browser")).to_be_visible()


async def test_a_lamp_is_switched_and_shows_the_device_s_own_result(page, hub):
    hub.delay = 0.3
    await power(page).click()
    await expect(card(page, "Lamp", "Kitchen")).to_have_attribute("aria-busy", "true")
    await expect(card(page, "Lamp", "Kitchen")).to_contain_text("Waiting")
    await expect(power(page)).to_have_attribute("aria-checked", "false")
    await expect(power(page)).to_have_attribute("aria-checked", "true")
    await expect(card(page, "Lamp", "Kitchen")).to_have_attribute("aria-busy", "false")
    assert hub.resolve("kitchen lamp").values["lamp", "on"].value is True
    assert hub.resolve("bedroom lamp").values["lamp", "on"].value is True  # it was on before


async def test_a_lamp_is_dimmed_and_switched_with_the_keyboard(page, hub):
    slider = card(page, "Lamp", "Kitchen").get_by_role("slider", name="Brightness")
    await slider.focus()
    for _ in range(5):
        await page.keyboard.press("ArrowRight")
    await until(page, lambda: hub.resolve("kitchen lamp").values["lamp", "level"].value == 45)
    await expect(card(page, "Lamp", "Kitchen")).to_contain_text("45\u202f%")
    await expect(slider).to_be_focused()
    await power(page).focus()
    await page.keyboard.press("Space")
    await expect(power(page)).to_have_attribute("aria-checked", "true")
    assert hub.resolve("kitchen lamp").values["lamp", "level"].value == 45


async def test_what_a_device_reports_appears_without_reload(page, hub):
    await page.evaluate("window.notReloaded = true")
    hub.report(hub.resolve("climate"), "air", "temperature", 23.4)
    await expect(card(page, "Climate")).to_contain_text("23.4\u202f°C")
    hub.report(hub.resolve("kitchen lamp"), "lamp", "on", True)
    await expect(power(page)).to_have_attribute("aria-checked", "true")
    fan = {"d": 1, "v": 1, "m": "maker/fan", "n": {"fan": {"k": "fan", "p": {"speed": ["i", "w"]}}}}
    hub.put("Fan", "Attic", fan, fan__speed=2)
    await expect(page.get_by_role("heading", name="Attic")).to_be_visible()
    assert await page.evaluate("window.notReloaded")


async def test_a_change_is_said_to_screen_readers(page, hub):
    hub.report(hub.resolve("kitchen lamp"), "lamp", "on", True)
    await expect(page.locator("#announcer")).to_have_text("Lamp: On")
    hub.turn(hub.resolve("doorbell"), online=False)
    await expect(page.locator("#announcer")).to_have_text("Doorbell: Offline")


async def test_an_offline_device_is_shown_so_and_cannot_be_switched(page, hub):
    hub.turn(hub.resolve("kitchen lamp"), online=False)
    await expect(card(page, "Lamp", "Kitchen")).to_contain_text("Offline")
    await expect(power(page)).to_be_disabled()
    hub.turn(hub.resolve("kitchen lamp"), online=True)
    await expect(power(page)).to_be_enabled()


async def test_a_refused_command_is_told_on_the_card(page, hub):
    lamp = hub.resolve("kitchen lamp")
    lamp.online = False  # the page has not heard of it yet
    await power(page).click()
    alert = card(page, "Lamp", "Kitchen").get_by_role("alert")
    await expect(alert).to_contain_text("offline")
    await expect(alert).to_contain_text("power and network")
    await expect(power(page)).to_have_attribute("aria-checked", "false")


async def test_an_alarm_stays_on_the_card_until_it_was_seen(page, hub):
    lamp = hub.resolve("kitchen lamp")
    hub.events.publish(Alarm(time=1, kind="clone", text="There may be a copy of it.", device=lamp.udf))
    hub.events.publish(Alarm(time=1, kind="storage", text="The disk is full."))
    shown = card(page, "Lamp", "Kitchen")
    await expect(shown).to_contain_text("There may be a copy of it.")
    await expect(shown).to_contain_text("Check this device")
    await expect(page.locator("#alarms")).to_contain_text("The disk is full.")
    await page.reload()
    await shown.get_by_role("button", name="Seen").click()
    await expect(shown).to_contain_text("Live")
    await expect(page.locator("#alarms")).to_contain_text("The disk is full.")


async def test_every_kind_has_its_control(page, hub):
    box = card(page, "Everything box")
    values = hub.resolve("everything box").values
    await box.get_by_role("switch", name="Right: power").click()
    await expect(box.get_by_role("switch", name="Right: power")).to_have_attribute("aria-checked", "true")
    await box.get_by_role("button", name="Cool").click()
    await expect(box.get_by_role("button", name="Cool")).to_have_attribute("aria-pressed", "true")
    await box.get_by_role("button", name="Close", exact=True).click()
    await box.get_by_role("button", name="Target: more").click()
    await expect(box.get_by_label("Target (°C)")).to_have_value("21.5")
    await box.get_by_label("Value").fill("good morning")
    await box.get_by_role("button", name="Set").click()
    await expect(box).to_have_attribute("aria-busy", "false")
    await until(page, lambda: values["heat", "target"].value == 21.5)
    assert values["blind", "move"].value == "close"
    assert values["note", "value"].value == "good morning"


async def test_a_lock_acts_when_held_and_not_when_touched(page, hub):
    box = card(page, "Everything box")
    values = hub.resolve("everything box").values
    unlock = box.get_by_role("button", name="Unlock")
    await unlock.click()
    await page.wait_for_timeout(1200)
    assert values["door", "locked"].value is True
    await unlock.click(delay=1200)
    await expect(box.get_by_role("button", name="Lock", exact=True)).to_be_visible()
    assert values["door", "locked"].value is False


async def test_rename_and_move(page, hub):
    await card(page, "Climate").get_by_role("button", name="Rename Climate").click()
    form = page.locator("form.rename")
    await form.get_by_label("Name").fill("Weather")
    await form.get_by_label("Room").fill("Porch")
    await page.keyboard.press("Enter")
    await expect(
        page.locator('.room[data-room="Porch"]').get_by_role("article", name="Weather")
    ).to_be_visible()
    assert hub.resolve("porch weather").udf


async def test_escape_leaves_a_name_as_it_was(page, hub):
    await page.get_by_role("button", name="Rename Climate").click()
    await page.locator("form.rename").get_by_label("Name").fill("Oops")
    await page.keyboard.press("Escape")
    await expect(card(page, "Climate")).to_be_visible()
    await expect(page.get_by_role("button", name="Rename Climate")).to_be_focused()


async def test_forget_asks_first(page, hub):
    await page.get_by_role("button", name="Forget Climate").click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(card(page, "Climate")).to_be_visible()
    await page.get_by_role("button", name="Forget Climate").click()
    await page.get_by_role("button", name="Forget", exact=True).click()
    await expect(card(page, "Climate")).to_have_count(0)
    assert "Climate" not in [device.name for device in hub.devices()]


async def test_the_last_hour(page, hub):
    hub.report(hub.resolve("climate"), "air", "temperature", 24.5)
    await page.get_by_role("button", name="History Climate").click()
    await expect(page.get_by_role("img", name="highest 24.5")).to_be_visible()
    await expect(page.get_by_role("row").nth(1)).to_contain_text("24.5\u202f°C")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_device_is_added_by_its_typed_code(page, hub):
    await page.get_by_role("button", name="Add a device").click()
    await page.get_by_label("Code on the label").fill(GOOD_CODE.lower().replace("-", " "))
    await expect(page.get_by_text("26 of 26 characters")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Is this the one that blinks?")).to_be_visible()
    await expect(page.get_by_role("button", name="Yes")).to_be_focused()
    await page.keyboard.press("Enter")
    form = page.get_by_role("dialog")
    await form.get_by_label("Name").fill("Weather")
    await form.get_by_label("Room").fill("Porch")
    await page.get_by_role("button", name="Done").click()
    await expect(
        page.locator('.room[data-room="Porch"]').get_by_role("article", name="Weather")
    ).to_be_visible()
    assert hub.resolve("porch weather").online


async def test_a_device_is_added_by_a_photo_of_its_label(page, hub):
    await page.get_by_role("button", name="Add a device").click()
    await page.get_by_label("Or a photo of the label").set_input_files(files=[label_picture(GOOD_CODE)])
    await page.get_by_role("button", name="Yes").click()
    await page.get_by_role("button", name="Done").click()
    await expect(card(page, "Climate sensor")).to_be_visible()


async def test_no_stops_the_adding(page, hub):
    await page.get_by_role("button", name="Add a device").click()
    await page.get_by_label("Code on the label").fill(GOOD_CODE)
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="No", exact=True).click()
    await expect(page.locator("#add-failed").get_by_role("alert")).to_contain_text("not the one")
    assert len(hub.devices()) == 5


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (WRONG_CODE, "No device with this code was found"),
        ("EDRL 4MZP", "26 characters"),
        ("", "Type the code"),
    ],
)
async def test_a_wrong_code_is_told_and_can_be_tried_again(page, hub, code, text):
    await page.get_by_role("button", name="Add a device").click()
    await page.get_by_label("Code on the label").fill(code)
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(text)
    again = page.get_by_role("button", name="Try again")
    if await again.is_visible():
        await again.click()
        await expect(page.get_by_label("Code on the label")).to_have_value(code)
    await expect(page.get_by_label("Code on the label")).to_be_editable()


async def test_a_picture_without_a_label_is_told(page):
    await page.get_by_role("button", name="Add a device").click()
    picture = label_picture("x") | {"buffer": b"no picture"}
    await page.get_by_label("Or a photo of the label").set_input_files(files=[picture])
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("PNG, JPEG or WebP")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
async def test_nothing_is_wider_than_the_window(new_page, dashboard, hub, width, scheme):
    hub.put("A lamp with a name that is much longer than names usually are " + "x" * 40, "Kitchen", {"n": {}})
    page = await new_page({"width": width, "height": 740}, scheme)
    await page.goto(dashboard.new_link())
    await page.locator(".card").first.wait_for()

    async def fits():
        return await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    assert await fits()
    await page.get_by_role("button", name="Rename Climate").click()
    assert await fits()
    await page.keyboard.press("Escape")
    for opener in ("History Climate", "Add a device"):
        await page.get_by_role("button", name=opener).click()
        assert await page.evaluate(
            "(() => { const box = document.querySelector('dialog[open]');"
            " return box.scrollWidth <= box.clientWidth"
            " && box.getBoundingClientRect().right <= innerWidth })()"
        )
        await page.keyboard.press("Escape")


async def test_every_input_has_a_name(page):
    await page.get_by_role("button", name="Rename Climate").click()
    unnamed = await page.evaluate(
        "[...document.querySelectorAll('input, button')].filter((part) => !part.labels?.length"
        " && !part.getAttribute('aria-label') && !part.getAttribute('aria-labelledby')"
        " && !part.textContent.trim() && part.id !== 'ask-yes').map((part) => part.outerHTML)"
    )
    assert unnamed == []


async def test_the_page_comes_back_when_the_hub_does(page, dashboard, hub, tmp_path):
    """The hub's run ends every session, so a new link is needed, in the same page."""
    from meshhub.dashboard.server import Dashboard

    await dashboard.stop()
    await expect(page.get_by_text("Hub not reachable")).to_be_visible()
    await expect(power(page)).to_be_disabled()
    again = Dashboard(hub, tmp_path, port=dashboard.port)
    await again.start()
    assert again.port == dashboard.port
    await expect(page.get_by_role("heading", name="Sign in on this browser")).to_be_visible(timeout=15_000)
    await expect(page.get_by_role("article")).to_have_count(0)
    await page.get_by_label("Or paste the link here").fill(again.new_link())
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    await expect(power(page)).to_be_enabled()
    await again.stop()


async def test_the_page_goes_on_when_its_stream_breaks(page, dashboard, hub):
    dashboard._api.end_streams()
    await expect(page.get_by_text("Hub not reachable")).to_be_visible()
    await expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    hub.report(hub.resolve("climate"), "air", "temperature", 7.5)
    await expect(page.get_by_text("7.5")).to_be_visible()


async def test_another_port_of_this_machine_gets_the_cookie_and_can_do_nothing_with_it(page, dashboard):
    seen = []

    async def keep(request):
        seen.append(dict(request.headers))
        return web.Response(text="hello", content_type="text/html")

    runner = web.ServerRunner(web.Server(keep))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    await page.goto(f"http://localhost:{port}/")
    assert await page.evaluate("localStorage.length") == 0
    await runner.cleanup()
    cookie = seen[0]["Cookie"]
    assert cookie.startswith(f"mesh-hub-{dashboard.port}=")
    async with aiohttp.ClientSession(dashboard.url, headers={"Cookie": cookie}) as stranger:
        async with stranger.get("/api/devices") as answer:
            assert answer.status == 401
