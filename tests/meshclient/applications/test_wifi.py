import pytest

from mathmesh.errors import EncodingError, PolicyError
from mathmesh.schema.cataloged import CatalogedCredential, CatalogedNetwork
from meshclient.applications import wifi


@pytest.mark.parametrize(
    ("ssid", "password", "username"),
    [
        ("home", "password", None),
        ("home", "0123456789abcdef" * 4, None),
        ("home", None, None),
        ("Häuschen am Wald", "x" * 63, None),
        ("work", "short", "alice"),
    ],
)
def test_networks_that_there_can_be(ssid: str, password: str | None, username: str | None) -> None:
    made = wifi.make_network(ssid, password, username=username)
    assert (made.service, made.password, made.username) == (ssid, password, username)
    assert wifi.key_of(made) == f"wifi:{ssid}"


@pytest.mark.parametrize(
    ("ssid", "password", "username"),
    [
        ("", "password", None),
        ("x" * 33, "password", None),
        ("ä" * 17, "password", None),
        ("two\nlines", "password", None),
        ("home", "", None),
        ("home", "short12", None),
        ("home", "x" * 64, None),
        ("home", "pässword", None),
        ("home", "pass\nword", None),
        ("home", None, "alice"),
    ],
)
def test_networks_that_there_cannot_be(ssid: str, password: str | None, username: str | None) -> None:
    with pytest.raises(EncodingError) as refused:
        wifi.make_network(ssid, password, username=username)
    assert not password or password not in str(refused.value)


def test_a_network_keeps_its_key_and_labels() -> None:
    old = CatalogedNetwork(service="home", password="before12", labels=("mine",), local_name="Home")
    made = wifi.place(wifi.make_network("home", "password", for_devices=True), [old])
    assert wifi.key_of(made) == wifi.key_of(old) == ":home"
    assert (made.labels, made.local_name, made.password) == (("mine", wifi.DEVICES), "Home", "password")
    other = wifi.make_network("other", "password")
    assert wifi.place(other, [old]) == other
    assert wifi.find([old], "home") == old
    with pytest.raises(PolicyError, match="there is no network Home"):
        wifi.find([old], "Home")


def test_what_devices_are_given() -> None:
    entries = {
        "a": wifi.make_network("a", "password"),
        "b": wifi.make_network("b", "password", username="alice"),
        "c": CatalogedNetwork(service="tunnel", protocol="vpn", password="password"),
        "d": CatalogedNetwork(service="old", password="password"),
        "e": CatalogedCredential(service="a", password="password"),
        "f": wifi.make_network("open", None),
    }
    assert [one.service for one in wifi.given(entries)] == ["a", "old", "open"]
    entries["g"] = wifi.make_network("marked", "password", for_devices=True)
    assert [one.service for one in wifi.given(entries)] == ["marked"]
    many = {str(number): wifi.make_network(str(number), None) for number in range(20)}
    assert [one.service for one in wifi.given(many)] == [str(number) for number in range(8)]
