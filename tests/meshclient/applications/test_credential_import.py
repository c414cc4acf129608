import json
import time
from typing import Any

import pytest

from mathmesh.errors import EncodingError, PolicyError
from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.schema.primary_key import primary_key
from meshclient.applications.credential_choice import matching
from meshclient.applications.credential_import import Imported, plan, read_export

BITWARDEN = {
    "encrypted": False,
    "folders": [{"id": "f1", "name": "Work/Git"}],
    "items": [
        {
            "type": 1,
            "name": "GitHub",
            "folderId": "f1",
            "notes": "first line\nsecond",
            "fields": [
                {"name": "Recovery", "value": "1234", "type": 1},
                {"name": "n", "value": None, "type": 3},
            ],
            "login": {
                "uris": [
                    {"match": None, "uri": "https://GitHub.com/login"},
                    {"uri": "https://gist.github.com"},
                ],
                "username": "alice",
                "password": "pä ss",
                "totp": "otpauth://totp/x",
            },
        },
        {"type": 1, "name": "No password", "login": {"username": "u", "password": None, "uris": None}},
        {"type": 2, "name": "Note", "notes": "secret", "secureNote": {"type": 0}},
        {"type": 3, "name": "Card", "card": {"number": "4111"}},
    ],
}
BITWARDEN_CSV = (
    "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n"
    'Work,1,login,GitHub,,"Recovery: 1234\nn: ",0,"https://github.com,https://gist.github.com",alice,pass,\n'
    ",,note,Note,secret,,0,,,,\n"
)
KEEPASS_CSV = (
    '"Account","Login Name","Password","Web Site","Comments"\n"Mail","alice","p,""q","mail.example.com","x"\n'
)
KEEPASSXC_CSV = (
    '"Group","Title","Username","Password","URL","Notes","TOTP","Icon","Last Modified","Created"\n'
    '"Root/Home","Router","admin","secret","http://192.0.2.1:8080","","","0","2024","2024"\n'
    '"Root/Recycle Bin","Old","x","y","","","","0","2024","2024"\n'
)
KEEPASS_XML = """<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<KeePassFile><Meta><RecycleBinUUID>BIN=</RecycleBinUUID></Meta><Root><Group><UUID>A=</UUID><Name>Root</Name>
<Entry><String><Key>Title</Key><Value>Bank &amp; Co</Value></String>
<String><Key>UserName</Key><Value>alice</Value></String>
<String><Key>Password</Key><Value ProtectInMemory="True">p&lt;w</Value></String>
<String><Key>URL</Key><Value>https://bank.example.com:8443/login</Value></String>
<String><Key>PIN</Key><Value>99</Value></String>
<History><Entry><String><Key>Title</Key><Value>Old</Value></String>
<String><Key>Password</Key><Value>old</Value></String></Entry></History></Entry>
<Group><UUID>B=</UUID><Name>Sub</Name><Entry><String><Key>Title</Key><Value>Door</Value></String>
<String><Key>Password</Key><Value>1</Value></String></Entry></Group>
<Group><UUID>BIN=</UUID><Name>Bin</Name><Entry><String><Key>Title</Key><Value>Gone</Value></String>
<String><Key>Password</Key><Value>1</Value></String></Entry></Group>
</Group></Root></KeePassFile>"""


def read(text: str) -> list[Imported]:
    return read_export(text.encode())


def test_bitwarden_json() -> None:
    [one] = read(json.dumps(BITWARDEN))
    assert one == Imported(
        title="GitHub",
        username="alice",
        password="pä ss",
        uri="https://GitHub.com/login",
        notes="first line\nsecond",
        totp="otpauth://totp/x",
        folder="Work/Git",
        fields=(("Recovery", "1234"), ("n", ""), ("URI", "https://gist.github.com")),
    )
    entry = CatalogedCredential.decode(one.entry().encode())
    assert (entry.service, entry.username, entry.password) == ("github.com", "alice", "pä ss")
    assert entry.local_name == "GitHub"
    assert entry.labels == ("Work/Git",)
    assert entry.unknown["Totp"] == "otpauth://totp/x"
    assert entry.unknown["Fields"][0] == {"Name": "Recovery", "Value": "1234"}


def test_bitwarden_csv() -> None:
    [one] = read("\ufeff" + BITWARDEN_CSV)
    assert (one.service, one.username, one.password, one.folder) == ("github.com", "alice", "pass", "Work")
    assert one.fields == (("Recovery", "1234"), ("n", ""))


def test_keepass_csv() -> None:
    [one] = read(KEEPASS_CSV)
    assert (one.service, one.username, one.password) == ("mail.example.com", "alice", 'p,"q')
    [one] = read(KEEPASSXC_CSV)
    assert (one.service, one.password, one.folder) == ("192.0.2.1:8080", "secret", "Home")


def test_keepass_xml() -> None:
    first, second = read(KEEPASS_XML)
    assert (first.title, first.password, first.service) == ("Bank & Co", "p<w", "bank.example.com:8443")
    assert first.fields == (("PIN", "99"),)
    assert (second.title, second.service, second.folder) == ("Door", "Door", "Sub")


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE KeePassFile [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<KeePassFile>&b;</KeePassFile>"
)
EXTERNAL = (
    '<?xml version="1.0"?><!DOCTYPE KeePassFile [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    "<KeePassFile><Root><Group><Name>&a;</Name></Group></Root></KeePassFile>"
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "{",
        "{}",
        "[]",
        "{" * 3000,
        '{"items": 5}',
        '{"items": [5]}',
        '{"items": [{"type": 1, "login": {"password": 5, "uris": []}}]}',
        '{"items": [{"type": 1, "login": {"uris": {}}}]}',
        '{"folders": 5, "items": []}',
        "<a/>",
        "<KeePassFile>",
        BOMB,
        EXTERNAL,
        KEEPASS_XML.replace("</KeePassFile>", ""),
        KEEPASS_XML.replace("<Name>Sub</Name>", "<Group>" * 80),
        KEEPASS_XML.replace("p&lt;w", "p" * 70000),
        KEEPASS_CSV + '"too","few"\n',
        KEEPASS_CSV + '"open\n',
        KEEPASS_CSV.replace('"Comments"', '"Comments\r"x'),
        KEEPASSXC_CSV.replace("Router", "R" * 70000),
    ],
)
def test_malformed_exports_are_refused_whole(text: str) -> None:
    with pytest.raises(EncodingError):
        read(text)


def test_octets_that_are_no_text() -> None:
    for octets in (b"\xff\xfe\x00", b"x" * (16 * 1024 * 1024 + 1)):
        with pytest.raises(EncodingError):
            read_export(octets)


@pytest.mark.parametrize(
    "text",
    [
        '{"encrypted": true, "data": "2.x"}',
        '{"encKeyValidation_DO_NOT_EDIT": "x", "items": []}',
        KEEPASS_XML.replace("ProtectInMemory", "Protected"),
    ],
)
def test_encrypted_exports_are_told(text: str) -> None:
    with pytest.raises(PolicyError, match="encrypted"):
        read(text)


def login(username: str, password: str, uri: str = "example.com", title: str = "") -> Imported:
    return Imported(title=title, username=username, password=password, uri=uri)


def test_no_login_is_lost_and_no_password_replaced_unasked() -> None:
    logins = [
        login("a", "1"),
        login("b", "2"),
        login("a", "3", title="second"),
        login("", "4"),
        login("a", "1"),
    ]
    done = plan(logins, [])
    keys = [primary_key(entry) for entry in done.write]
    assert len(set(keys)) == len(keys) == 4
    assert {(entry.username, entry.password) for entry in done.write} == {
        ("a", "1"), ("b", "2"), ("a", "3"), (None, "4"),
    }  # fmt: skip
    assert done.present == 1
    assert len(list(matching(done.write, "example.com"))) == 4
    again = plan(logins, done.write)
    assert not again.write
    assert again.present == 5
    changed = [login("b", "new")]
    kept = plan(changed, done.write)
    assert not kept.write
    [entry] = kept.different
    assert entry.password == "new"
    [entry] = plan(changed, done.write, replace_passwords=True).write
    assert primary_key(entry) in keys


def test_a_large_import_takes_no_time() -> None:
    logins = [login(f"u{number % 50}", "p", f"host{number % 90}.example.com") for number in range(9000)]
    start = time.monotonic()
    done = plan(logins, [])
    assert time.monotonic() - start < 5
    assert len(done.write) + done.present == 9000


@pytest.mark.parametrize(
    ("uri", "title", "expected"),
    [
        ("https://user@Example.com:8443/x", "", "example.com:8443"),
        ("example.com/login", "", "example.com"),
        ("example.com", "", "example.com"),
        ("androidapp://com.example", "", "com.example"),
        ("some words", "t", "some words"),
        ("http://[::1", "t", "http://[::1"),
        ("", "Title ", "Title"),
        ("https://host:port/", "", "https://host:port/"),
    ],
)
def test_the_service_of_a_login(uri: str, title: str, expected: str) -> None:
    assert login("u", "p", uri, title).service == expected


def test_too_many_entries() -> None:
    items: list[Any] = [{"type": 1, "name": "x", "login": {"password": "p"}}] * 20_001
    with pytest.raises(EncodingError, match="more than"):
        read(json.dumps({"items": items}))
