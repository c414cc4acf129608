import pytest

from mathmesh.schema.cataloged import CatalogedCredential
from meshclient.applications import askpass

ENTRIES = [
    CatalogedCredential(service="git.example.com", username="alice", password="web"),
    CatalogedCredential(protocol="ssh", service="host", username="alice", password="login"),
    CatalogedCredential(protocol="ssh-key", service="id_ed25519", password="phrase"),
    CatalogedCredential(protocol="ssh-key", service="/other/id_rsa", password="other phrase"),
    CatalogedCredential(service="bad", username="alice", password="two\nlines"),
]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Enter passphrase for key '/home/alice/.ssh/id_ed25519': ", "phrase"),
        ("Enter passphrase for /home/alice/.ssh/id_ed25519: ", "phrase"),
        ("Bad passphrase, try again for /home/alice/.ssh/id_ed25519: ", "phrase"),
        ("Enter passphrase for key '/other/id_rsa': ", "other phrase"),
        ("Enter passphrase for key '/home/alice/.ssh/id_rsa': ", None),
        ("Enter passphrase: ", None),
        ("alice@host's password: ", "login"),
        ("(alice@host) Password: ", "login"),
        ("bob@host's password: ", None),
        ("alice@elsewhere's password: ", None),
        ("Username for 'https://git.example.com': ", "alice"),
        ("Password for 'https://alice@git.example.com': ", "web"),
        ("Password for 'https://git.example.com/a/b.git': ", "web"),
        ("Password for 'https://bob@git.example.com': ", None),
        ("Password for 'https://alice@bad': ", None),
        ("Password for 'git.example.com': ", None),
        ("Password for 'https://[': ", None),
    ],
)
def test_questions(prompt: str, expected: str | None) -> None:
    question = askpass.parse(prompt)
    assert (None if question is None else askpass.answer(question, ENTRIES)) == expected


@pytest.mark.parametrize("prompt", ["Enter passphrase: ", "Enter old passphrase: "])
def test_a_key_without_a_name_is_the_only_one(prompt: str) -> None:
    question = askpass.parse(prompt)
    assert question is not None
    assert askpass.answer(question, ENTRIES[:3]) == "phrase"
    assert askpass.answer(question, ENTRIES[:2]) is None


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
        "Please type 'yes', 'no' or the fingerprint: ",
        "Allow use of key alice?\nKey fingerprint SHA256:x.",
        "Confirm user presence for key ED25519-SK SHA256:x",
        "Enter new passphrase (empty for no passphrase): ",
        "Enter PIN for ED25519-SK key: ",
        "alice@host's password: \nalice@host's password: ",
        "x" * 5000,
    ],
)
def test_what_is_the_persons_to_say(prompt: str) -> None:
    assert askpass.parse(prompt) is None
