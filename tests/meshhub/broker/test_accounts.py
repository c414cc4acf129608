import hashlib
import os
from base64 import b64encode

import pytest

from meshhub.broker.accounts import BrokerAccount, hash_password, new_password, verify_password
from meshhub.mqtt import topics

ONE, TWO = topics.topic_id(bytes(10)), topics.topic_id(bytes([255]) * 10)
DEVICE = BrokerAccount(user="u", password_hash="", topic_id=ONE)
HUB = BrokerAccount(user="h", password_hash="", topic_id=None)


def test_a_hash_is_of_one_password_only() -> None:
    password = new_password(os.urandom)
    stored = hash_password(password, os.urandom)
    assert password not in stored
    assert verify_password(password, stored)
    assert not verify_password(password + "x", stored)
    assert hash_password(password, os.urandom) != stored


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "plain",
        "$6$salt$hash",
        "$7$101$AAAA",
        "$7$x$AAAA$AAAA",
        "$7$101$!!!!$AAAA",
        "$7$101$AAAA$AAAA",
        "$7$0$AAAA$" + b64encode(bytes(64)).decode(),
        "$7$99999999$AAAA$" + b64encode(hashlib.pbkdf2_hmac("sha512", b"p", bytes(3), 1, 64)).decode(),
    ],
)
def test_any_other_form_of_hash_is_of_no_password(stored: str) -> None:
    assert not verify_password("p", stored)


@pytest.mark.parametrize(
    ("topic", "write", "read"),
    [
        (topics.up(ONE), True, False),
        (topics.presence(ONE), True, False),
        (topics.down(ONE), False, True),
        (topics.up(TWO), False, False),
        (topics.presence(TWO), False, False),
        (topics.down(TWO), False, False),
        ("mh/1/+/up", False, False),
        ("mh/1/#", False, False),
        ("#", False, False),
        (topics.up(ONE) + "/x", False, False),
        (topics.up(ONE).upper(), False, False),
        ("$SYS/broker/uptime", False, False),
    ],
)
def test_rights_of_a_device(topic: str, write: bool, read: bool) -> None:
    assert (DEVICE.may_write(topic), DEVICE.may_read(topic)) == (write, read)
    assert DEVICE.may_subscribe(topic) == read


def test_rights_of_the_hub() -> None:
    assert HUB.may_write(topics.down(TWO))
    assert HUB.may_read(topics.up(ONE))
    assert HUB.may_subscribe(topics.ALL_UP)
    assert not HUB.may_read("$SYS/broker/uptime")
    assert not HUB.may_subscribe("#")
