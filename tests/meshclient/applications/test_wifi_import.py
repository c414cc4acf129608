import pytest

from mathmesh.errors import EncodingError
from meshclient.applications.wifi_import import MAXIMUM_FILE, read_networks

KEYFILE = """\
[connection]
id=Home
uuid=5cd2f5b1-4c20-4a4c-a0b5-0a4ad1e1d3ec
type=wifi

[wifi]
mode=infrastructure
ssid={ssid}

[wifi-security]
key-mgmt={method}
{secret}

[ipv4]
method=auto
"""
PHRASE = "psk=password"
PSK = "0123456789abcdef" * 4


def keyfile(ssid: str = "Home", method: str = "wpa-psk", secret: str = PHRASE) -> str:
    return KEYFILE.format(ssid=ssid, method=method, secret=secret)


def supplicant(*lines: str) -> str:
    return "ctrl_interface=/run/wpa_supplicant\ncountry=DE\nnetwork={\n" + "\n".join(lines) + "\n}\n"


@pytest.mark.parametrize(
    ("text", "ssid", "password"),
    [
        (keyfile(), "Home", "password"),
        (keyfile(method="sae"), "Home", "password"),
        (keyfile(secret=f"psk={PSK}"), "Home", PSK),
        (keyfile(ssid="72;195;164;117;115;"), "Häus", "password"),
        (keyfile(ssid=r"a\;b", secret=r"psk=\sback\\slash"), "a;b", r" back\slash"),
        (keyfile().replace("[wifi", "[802-11-wireless"), "Home", "password"),
        ("# a comment\n[wifi]\nssid=Open\n", "Open", None),
        (supplicant('ssid="Home"', "# ssid of mine", 'psk="pass#word"'), "Home", "pass#word"),
        (supplicant('\tssid="a "quoted" b"', '\tpsk="password"'), 'a "quoted" b', "password"),
        (supplicant("ssid=486f6d65", f"psk={PSK}"), "Home", PSK),
        (supplicant('ssid="Home"', 'sae_password="password"', "key_mgmt=SAE"), "Home", "password"),
        (supplicant('ssid="Open"', "key_mgmt=NONE"), "Open", None),
        ('{"CatalogedNetwork": {"Service": "Home", "Password": "password"}}', "Home", "password"),
    ],
)
def test_forms(text: str, ssid: str, password: str | None) -> None:
    read = read_networks(text.encode())
    [network] = read.found
    assert (network.service, network.password, network.username) == (ssid, password, None)
    assert read.passed_over == ()


def test_a_user_name() -> None:
    who = "\n[802-1x]\neap=peap;\nidentity=alice\npassword=secret\n"
    [network] = read_networks((keyfile(method="wpa-eap", secret="") + who).encode()).found
    assert (network.username, network.password) == ("alice", "secret")
    text = supplicant('ssid="Work"', "key_mgmt=WPA-EAP", 'identity="alice"', 'password="secret"')
    [network] = read_networks(text.encode()).found
    assert (network.service, network.username, network.password) == ("Work", "alice", "secret")


def test_several_and_what_is_passed_over() -> None:
    text = "".join(
        [
            supplicant('ssid="one"', 'psk="password1"'),
            supplicant('ssid="two"', "key_mgmt=NONE", 'wep_key0="abcde"'),
            supplicant('ssid="three"'),
            supplicant('ssid="four"', "key_mgmt=WPA-EAP", 'identity="alice"'),
            supplicant('ssid="five"', 'psk="password5"'),
        ]
    )
    read = read_networks(text.encode())
    assert [one.service for one in read.found] == ["one", "five"]
    assert [reason.partition(":")[0] for reason in read.passed_over] == ["two", "three", "four"]
    agent = read_networks(keyfile(secret="psk-flags=1").encode())
    assert agent.found == ()
    assert "not in the file" in agent.passed_over[0]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"some text\n",
        b"\xff\xfe\x00",
        b"x" * (MAXIMUM_FILE + 1),
        b"[connection]\ntype=vpn\n",
        b"[wifi]\nssid=Home\nnonsense\n",
        b"ssid=Home\n[wifi]\n",
        b"[wifi]\nmode=infrastructure\n",
        keyfile(ssid="300;1;").encode(),
        keyfile(ssid="255;").encode(),
        keyfile(secret="psk=short").encode(),
        b'network={\nssid="Home"\n',
        b'network={\nnetwork={\nssid="Home"\n}\n',
        supplicant("ssid=Home", 'psk="password"').encode(),
        supplicant('ssid="Home"', "nonsense").encode(),
        supplicant('psk="password"').encode(),
        b'{"CatalogedTask": {}}',
        b"{",
    ],
)
def test_malformed_files_are_refused_whole(octets: bytes) -> None:
    with pytest.raises(EncodingError) as refused:
        read_networks(octets)
    assert "password" not in str(refused.value)
