"""Exports of other password managers, keys of OpenSSH, and what git and ssh ask."""

from collections.abc import Iterable

from mathmesh.errors import EncodingError, MeshError, PolicyError
from meshclient.applications import askpass, git_credential, ssh_hosts
from meshclient.applications.credential_import import plan, read_export
from meshclient.applications.ssh_key import parse_public_line

LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea alice"


def seeds() -> Iterable[bytes]:
    """An export of each form, lines of keys and hosts, requests and prompts."""
    yield (
        b'{"encrypted":false,"folders":[{"id":"f","name":"F"}],"items":[{"type":1,"name":"N","folderId":"f",'
        b'"fields":[{"name":"a","value":"b"}],"login":{"uris":[{"uri":"https://h"}],"username":"u",'
        b'"password":"p","totp":null}}]}'
    )
    yield (
        b"folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n"
        b'F,1,login,N,,"a: b",0,https://h,u,p,\n'
    )
    yield b'"Account","Login Name","Password","Web Site","Comments"\n"N","u","p","h","c"\n'
    yield b'"Group","Title","Username","Password","URL","Notes","TOTP"\n"Root/F","N","u","p","http://h:1","",""\n'
    yield (
        b"<KeePassFile><Meta><RecycleBinUUID>B</RecycleBinUUID></Meta><Root><Group><Name>R</Name><Entry>"
        b"<String><Key>Title</Key><Value>N</Value></String><String><Key>Password</Key><Value>p</Value>"
        b"</String><History><Entry/></History></Entry></Group></Root></KeePassFile>"
    )
    yield b'<!DOCTYPE x [<!ENTITY a "aaaa">]><KeePassFile>&a;</KeePassFile>'
    yield LINE.encode()
    yield f"[host]:2222,host {LINE}\n".encode()
    yield b"protocol=https\nhost=h\npath=p\nusername=u\npassword=p\n\n"
    yield b"url=https://u:p@h/p\n"
    yield b"Password for 'https://u@h/p': "


def one(data: bytes) -> None:
    """What is read is used and written again alike; anything else is refused."""
    try:
        found = read_export(data)
        written = plan(found, []).write
        assert len(written) <= len(found)
        again = plan(found, written)
        assert not again.write
        assert not again.different
    except (EncodingError, PolicyError):
        pass
    text = data.decode("utf-8", "replace")
    try:
        line = parse_public_line(text)
        assert parse_public_line(line.text) == line
        assert "\n" not in line.text
    except EncodingError:
        pass
    try:
        for name, line in ssh_hosts.parse_known_hosts(text):
            entry = ssh_hosts.make_host(name, [line])
            assert [held.blob for held in ssh_hosts.keys_of(entry)] == [line.blob]
            assert list(ssh_hosts.parse_known_hosts(ssh_hosts.known_hosts([entry])))
    except EncodingError:
        pass
    try:
        request = git_credential.parse_request(text)
        stored = git_credential.stored(request, [])
        if stored is not None:
            answered = git_credential.answer(request, [stored])
            assert answered in ("", f"username={request.username}\npassword={request.password}\n")
    except MeshError:
        pass
    question = askpass.parse(text)
    assert question is None or all(question.services)
