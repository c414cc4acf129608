"""Records, CCM, Noise and sessions: what must hold on either runtime."""

import unit
import world

from mathmesh.errors import EncodingError, ProtocolError
from meshlink import agreement, json_text, label, messages, noise, record
from meshlink.ccm import Ccm
from meshlink.record import FrameReader
from meshlink.session import Session

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
SUITE = world.suite()


def sessions():
    return Session(SUITE, b"abcd", KEY, OTHER, 0), Session(SUITE, b"abcd", OTHER, KEY, 0)


def test_frames_come_out_however_they_are_cut():
    records = [record.pack(record.DATA, b"abcd", i, bytes(i * 7)) for i in range(1, 6)]
    stream = b"".join([record.frame(one) for one in records])
    for step in (1, 2, 3, 17, len(stream)):
        reader = FrameReader()
        out = []
        for start in range(0, len(stream), step):
            out += reader.feed(stream[start : start + step])
        assert out == records
    assert record.unframe(record.frame(records[0])) == records[0]
    for wrong in (b"", b"\0", record.frame(records[0])[:-1], record.frame(records[0]) + b"x"):
        assert record.unframe(wrong) is None


def test_a_record_that_is_too_large_ends_a_stream():
    largest = record.pack(record.DATA, b"abcd", 0, bytes(4112))
    assert FrameReader().feed(record.frame(largest)) == [largest]
    assert world.refused(FrameReader().feed, (4126).to_bytes(2, "big")) == 7
    assert record.unpack(largest + b"x") is None


def test_what_is_no_record():
    good = record.pack(record.REPLY, b"abcd", 0, b"x")
    assert record.unpack(good) is not None
    unknown = [record.pack(kind, b"abcd", 0, b"x") for kind in (0, 0x10, 0x14, 0x1C, 0x1F, 0xFF)]
    for wrong in [b"", good[:12], good[:13], record.pack(record.REPLY, b"abcd", 1, b"x")] + unknown:
        assert record.unpack(wrong) is None


def test_ccm_refuses_every_flipped_bit():
    ccm = Ccm(SUITE, KEY)
    nonce = bytes(12)
    for size in (0, 5, 20):
        sealed = ccm.seal(nonce, b"associated", bytes(size))
        assert ccm.open(nonce, b"associated", sealed) == bytes(size)
        for bit in range(8 * len(sealed)):
            changed = bytearray(sealed)
            changed[bit // 8] ^= 1 << bit % 8
            assert ccm.open(nonce, b"associated", bytes(changed)) is None
        for wrong in (b"associatee", b"", b"associated\0"):
            assert ccm.open(nonce, wrong, sealed) is None
        assert ccm.open(bytes(11) + b"\1", b"associated", sealed) is None
        assert Ccm(SUITE, OTHER).open(nonce, b"associated", sealed) is None
        for cut in range(len(sealed)):
            assert ccm.open(nonce, b"associated", sealed[:cut]) is None


def test_ccm_of_a_whole_record_in_pieces():
    ccm = Ccm(SUITE, KEY)
    text = bytes([i % 251 for i in range(1500)])
    sealed = ccm.seal(bytes(12), b"", text)
    assert len(sealed) == 1516
    assert sealed[:1500] != text
    assert ccm.open(bytes(12), b"", sealed) == text


def test_window_takes_each_counter_once_and_64_back():
    one, other = sessions()
    sent = {}
    for i in range(130):
        octets = one.seal(bytes([i]), 0)
        if i in (0, 1, 2, 6, 7, 8, 65, 66, 69, 70, 71, 129):
            sent[i] = record.unpack(octets)
    for i in (0, 2, 1, 70, 69, 7, 71):
        assert other.open(sent[i], 0) == bytes([i])
        assert other.open(sent[i], 0) is None
    assert other.open(sent[8], 0) == bytes([8])
    assert other.open(sent[6], 0) is None
    assert other.open(sent[129], 0) == bytes([129])
    assert other.open(sent[66], 0) == bytes([66])
    assert other.open(sent[65], 0) is None


def test_window_moves_only_for_what_verifies():
    one, other = sessions()
    first = record.unpack(one.seal(b"first", 0))
    forged = record.unpack(record.pack(record.DATA, b"abcd", 60000, bytes(40)))
    assert other.open(forged, 0) is None
    assert other.open(first, 0) == b"first"


def test_a_session_ends_with_its_counter_and_its_day():
    one, other = sessions()
    one.next_counter = 65535
    assert other.open(record.unpack(one.seal(b"last", 0)), 0) == b"last"
    assert world.refused(one.seal, b"too far", 0) == 4
    one, other = sessions()
    day = 24 * 3600 * 1000
    sealed = record.unpack(one.seal(b"in time", day - 1))
    assert other.open(sealed, day) is None
    assert other.open(sealed, day - 1) == b"in time"
    assert world.refused(one.seal, b"late", day) == 4
    assert world.refused(one.seal, bytes(4097), 0) == 7
    assert len(one.seal(bytes(4096), 0)) == 4125


def test_renewal_is_due_by_age_or_use():
    one, other = sessions()
    assert not one.renewal_due(23 * 3600 * 1000 - 1)
    assert one.renewal_due(23 * 3600 * 1000)
    one.next_counter = 59999
    assert not one.renewal_due(0)
    other.open(record.unpack(one.seal(b"", 0)), 0)
    assert one.renewal_due(0)
    other.open(record.unpack(one.seal(b"", 0)), 0)
    assert other.renewal_due(0)


def test_keys_are_gone_after_erase():
    one, other = sessions()
    sealed = record.unpack(one.seal(b"text", 0))
    one.erase()
    other.erase()
    assert other.open(sealed, 0) is None
    assert world.refused(one.seal, b"text", 0) == 4


def handshake(psk=KEY, prologue=b"prologue"):
    return noise.Handshake(SUITE, prologue, psk)


def test_handshake_needs_the_same_psk_and_prologue():
    message = handshake().write_first(b"payload")
    assert handshake().read_first(message) == b"payload"
    assert handshake(OTHER).read_first(message) is None
    assert handshake(KEY, b"another").read_first(message) is None
    for cut in (0, 31, 32, 40, len(message) - 1):
        assert handshake().read_first(message[:cut]) is None


def test_a_forged_reply_leaves_the_handshake_as_it_was():
    one, other = handshake(), handshake()
    other.read_first(one.write_first())
    reply = other.write_second(b"payload")
    for wrong in (reply[:-1] + bytes([reply[-1] ^ 1]), bytes(32) + reply[32:], b"", reply[:31]):
        before = one.h, one.ck, one.k, one.n
        assert one.read_second(wrong) is None
        assert (one.h, one.ck, one.k, one.n) == before
    assert one.read_second(reply) == b"payload"
    assert one.split() == other.split()
    assert one.export() == other.export()


def test_a_point_of_small_order_is_refused_by_the_responder():
    other = handshake()
    one = handshake()
    one._suite = Zero(SUITE)
    assert other.read_first(one.write_first()) == b""
    assert other.write_second() is None


class Zero:
    """A suite whose ephemeral public key is the point of order one."""

    def __init__(self, real):
        self.hmac = real.hmac
        self.sha256 = real.sha256
        self.random = real.random
        self.aes_ecb = real.aes_ecb
        self.aes_cbc = real.aes_cbc

    def x25519_base(self, scalar):
        return bytes(32)


def test_short_secrets_are_refused():
    for psk in (bytes(32), bytes(19) + bytes(range(1, 14)), bytes(range(1, 14)) + bytes(19), KEY[:31]):
        world.raises(ProtocolError, noise.Handshake, SUITE, b"", psk)
    for psk in (bytes(18) + bytes(range(1, 15)), bytes(range(1, 15)) + bytes(18)):
        noise.Handshake(SUITE, b"", psk)
    world.raises(ProtocolError, label.psk_on, SUITE, bytes(range(13)))


def test_json_is_strict():
    assert json_text.loads(b' {"a":[1,-2.5,true,null,"x\\u00e9"]} ') == {"a": [1, -2.5, True, None, "xé"]}
    deep = b'{"a":' * 7 + b"{}" + b"}" * 7
    assert json_text.loads(deep)
    for wrong in (
        b"",
        b"[]",
        b"1",
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":1}x',
        b'{"a":1',
        b'{"a":01}',
        b'{"a":NaN}',
        b'{"a":"\xff"}',
        b'{"a":"\n"}',
        b"{'a':1}",
        b'{"a":\x88\x01x}',
        b'{"a"\xa0\x01}',
        b"{\xb4\x01a1}",
        b'{"a":' + deep + b"}",
    ):
        world.raises(EncodingError, json_text.loads, wrong)


def test_messages_keep_to_their_tables():
    assert messages.encode("blink", {"s": 10}) == b'{"t":"blink","s":10}'
    assert messages.decode(b'{"s":10,"t":"blink","later":[]}') == {"t": "blink", "s": 10}
    assert messages.decode(b'{"t":"unheard of"}') is None
    assert messages.decode(b'{"t":"time"}') == {"t": "time"}
    assert messages.decode(b'{"t":"time","now":5}') == {"t": "time", "now": 5}
    for members in ({}, {"s": "10"}, {"s": -1}, {"s": True}, {"s": 1.5}, {"s": 1, "more": 1}):
        world.raises(ProtocolError, messages.encode, "blink", members)
    for wrong in (
        b"{}",
        b'{"t":1}',
        b'{"t":"blink"}',
        b'{"t":"blink","s":null}',
        b'{"t":"blink","s":1,"s":1}',
        b'{"t":"proof","mac":"AAAA"}',
        b'{"t":"proof","mac":"!!!!"}',
        b'{"t":"tel","b":1,"s":1,"r":[]}',
        b'{"t":"tel","b":1,"s":1,"r":[[0,"node","prop"]]}',
        b'{"t":"tel","b":1,"s":1,"r":[[0,"node","prop",{}]]}',
    ):
        assert world.refused(messages.decode, wrong) == 3


def test_ladder_scalar_is_what_clamping_leaves_alone():
    for i in range(8):
        start = int.from_bytes(SUITE.hmac(KEY, bytes([i])) * 2, "big") % agreement.ORDER_448
        s = start.to_bytes(56, "little")
        k = agreement.ladder_scalar(s)
        clamped = bytearray(k)
        clamped[0] &= 0xFC
        clamped[55] |= 0x80
        assert bytes(clamped) == k
        left = int.from_bytes(k, "little") % agreement.ORDER_448
        assert left in (start, agreement.ORDER_448 - start)


def test_a_zero_agreement_is_error_17():
    parts = (b"h", KEY, unit.DEVICE_UDF, unit.ACCOUNT_UDF, unit.AUTHENTICATION, unit.ADOPTER_KEY, b"act")
    assert world.refused(agreement.Agreement, SUITE, *parts, bytes(56)) == 17
    assert agreement.Agreement(SUITE, *parts, unit.AGREED).psk_run is not None


if __name__ == "__main__":
    world.main(globals())
