"""Onboarding by both state machines, and what attackers on the wire get out of it: nothing."""

import unit
import world
from world import Onboarding

from mathmesh.errors import LocalProtocolError
from meshlink import messages, noise, record
from meshlink.hkdf import lp
from meshlink.onboard_device import TRANSITIONS, DeviceLink
from meshlink.session import Session

MINUTE = 60 * 1000


def hint_of(effects):
    """(sid, code) of the only effect, a Hint."""
    assert len(effects) == 1
    parsed = record.unpack(effects[0][1])
    assert parsed.type == record.HINT
    return parsed.sid, parsed.body[0]


def test_a_whole_onboarding():
    both = Onboarding().start()
    hello = both.value("hello")
    assert hello["udf"] == unit.DEVICE_UDF
    assert (hello["st"], hello["err"], hello["led"], hello["both"]) == ("FREE", 0, True, False)
    both.adopt().secrets()
    assert (both.adopter.state, both.device.state) == ("STORED", "PENDING")
    both.commit()
    assert (both.adopter.state, both.device.state) == ("COMMITTED", "CLAIMED")
    held = both.value("pending", "store")
    for name in ("psk_run", "psk_repair", "own"):
        assert held[name] == both.adopter.keys[name]
        assert len(held[name]) == 32
    assert held["secrets"]["id"] == both.adopter.keys["topic_id"]
    assert held["secrets"]["wifi"] == world.SECRETS["wifi"]
    assert held["audf"] == unit.ACCOUNT_UDF
    assert held["acct"] == unit.ACCOUNT
    assert both.names() == ["window", "hello", "proved", "ent", "stored", "window", "run"][1:]
    assert both.names("store") == ["pending", "claimed"]
    assert both.names("close") == ["peer"]


def test_stored_is_said_only_after_storing():
    both = Onboarding().start().adopt()
    both.adopter.seen()
    effects = both.adopter.secrets(dict(world.SECRETS), 0)
    out = both.device.receive(effects[0][1], 0, "peer")
    assert [effect[:2] for effect in out[:2]] == [("event", "ent"), ("store", "pending")]
    assert out[2][0] == "send"
    assert len(out) == 3


def test_two_onboardings_share_nothing():
    one, other = Onboarding().start().adopt().secrets(), Onboarding()
    other.adopter._suite = world.suite(7)
    other.start().adopt().secrets()
    assert one.adopter.keys["psk_run"] != other.adopter.keys["psk_run"]


def test_secrets_wait_for_proof_and_for_the_eyes_of_the_user():
    both = Onboarding()
    world.raises(LocalProtocolError, both.adopter.secrets, dict(world.SECRETS), 0)
    both.start()
    world.raises(LocalProtocolError, both.adopter.seen)
    world.raises(LocalProtocolError, both.adopter.secrets, dict(world.SECRETS), 0)
    both.adopt()
    world.raises(LocalProtocolError, both.adopter.secrets, dict(world.SECRETS), 0)
    world.raises(LocalProtocolError, both.adopter.commit, 0)
    both.secrets()
    assert both.adopter.state == "STORED"


def test_a_wrong_code_gets_no_answer_and_ends_in_20_s():
    both = Onboarding(psk=bytes(range(50, 82))).start()
    inits = [octets for octets, _ in both.records]
    assert both.adopter.deadline == 5000
    for now in (4999, 5000, 9999, 10000, 19999):
        both.tick(now)
    assert [octets for octets, to_device in both.records] == [inits[0]] * 3
    assert both.adopter.state == "INIT"
    both.tick(20000)
    assert both.adopter.state == "FAILED"
    assert both.value("failed")["c"] == 0
    assert both.device.deadline == 15 * MINUTE


def test_forged_replies_do_not_kill_the_try():
    both = Onboarding()
    replies = []
    both.tap = lambda octets, to_device: [octets] if to_device else replies.append(octets) or []
    both.start()
    both.tap = None
    forged = bytearray(replies[0])
    forged[-1] ^= 1
    for _ in range(3):
        assert both.adopter.receive(bytes(forged), 0) == []
    both.carry(both.adopter.receive(replies[0], 0), False)
    assert both.adopter.state == "HELLO"


def test_four_replies_are_tried_for_one_init():
    both = Onboarding()
    replies = []
    both.tap = lambda octets, to_device: [octets] if to_device else replies.append(octets) or []
    both.start()
    forged = replies[0][:-1] + bytes([replies[0][-1] ^ 1])
    for _ in range(4):
        assert both.adopter.receive(forged, 0) == []
    assert both.adopter.receive(replies[0], 0) == []


def test_every_bit_of_an_init_counts():
    both = Onboarding()
    init = both.adopter.start(0)[0][1]
    for bit in range(8 * len(init)):
        changed = bytearray(init)
        changed[bit // 8] ^= 1 << bit % 8
        assert both.device.receive(bytes(changed), 0, "peer") == []
    assert both.device.receive(init, 0, "peer")[0][0] == "send"


def test_every_bit_of_a_record_counts():
    both = Onboarding().start().adopt()
    sent = both.adopter.blink(5, 0)[0][1]
    for bit in range(8 * len(sent)):
        changed = bytearray(sent)
        changed[bit // 8] ^= 1 << bit % 8
        assert both.device.receive(bytes(changed), 0, "peer") == []
    assert both.device.receive(sent, 0, "peer") == [("event", "blink", 5)]


def test_replayed_and_reordered_records():
    both = Onboarding().start().adopt()
    first, second = both.adopter.blink(5, 0)[0][1], both.adopter.blink(6, 0)[0][1]
    assert both.device.receive(second, 0, "peer") == [("event", "blink", 6)]
    assert both.device.receive(first, 0, "peer") == [("event", "blink", 5)]
    for octets, to_device in both.records:
        out = both.device.receive(octets, 0, "peer") if to_device else both.adopter.receive(octets, 0)
        assert out == [] or out[0][1] == both.records[1][0]
    assert both.device.receive(second, 0, "peer") == []
    both.secrets()
    assert both.adopter.state == "STORED"


def test_a_record_of_another_device_says_nothing():
    one, other = Onboarding().start(), Onboarding()
    other.adopter._suite = world.suite(7)
    other.start()
    sent = one.adopter.blink(5, 0)[0][1]
    assert other.device.receive(sent, 0, "peer") == []
    renamed = sent[:1] + other.adopter._sid + sent[5:]
    assert other.device.receive(renamed, 0, "peer") == []


def test_a_record_over_another_connection_says_nothing():
    both = Onboarding().start()
    assert both.device.receive(both.adopter.blink(5, 0)[0][1], 0, "stranger") == []


def test_a_replayed_init_of_a_stranger_does_not_stop_the_adopter():
    both = Onboarding()
    old = both.adopter.start(0)[0][1]
    reply = both.device.receive(old, 0, "stranger")
    for i in range(1, 6):
        assert both.device.receive(old, i, "stranger") == reply
    later = Onboarding()
    later.device = both.device
    later.adopter._suite = world.suite(5)
    later.start().adopt().secrets().commit()
    assert later.device.state == "CLAIMED"


def test_the_same_init_gets_the_same_reply():
    both = Onboarding()
    init = both.adopter.start(0)[0][1]
    first = both.device.receive(init, 0, "peer")
    assert both.device.receive(init, 100, "peer") == first
    assert both.device.receive(init, 100, "stranger") == []


def test_a_second_adopter_hears_that_the_device_is_busy():
    both = Onboarding().start()
    second = world.adopter()
    second._suite = world.suite(8)
    init = second.start(0)[0][1]
    assert hint_of(both.device.receive(init, 1000, "second")) == (second._sid, 6)
    assert both.device.receive(init, 1500, "second") == []
    effects = both.device.receive(init, 2000, "second")
    assert second.receive(effects[0][1], 2000) == [("event", "busy", None)]
    assert second.state == "INIT"
    stranger = world.adopter(psk=bytes(range(60, 92)))
    assert both.device.receive(stranger.start(0)[0][1], 9000, "third") == []
    assert both.adopt().secrets().commit().device.state == "CLAIMED"


def test_a_second_begin_meets_a_busy_device():
    both = Onboarding()
    second = world.adopter()
    second._suite = world.suite(8)
    reply = both.device.receive(second.start(0)[0][1], 0, "second")
    both.start()
    begin = second.receive(reply[0][1], 0)
    assert both.device.receive(begin[0][1], 0, "second") == []
    assert both.adopt().adopter.state == "PROVED"


def test_who_is_told_that_it_is_not_now():
    for state, window, expected in (("FREE", False, 2), ("CLAIMED", True, 2), ("PENDING", True, None)):
        both = Onboarding(state=state, window=window)
        out = both.device.receive(both.adopter.start(0)[0][1], 0, "peer")
        assert (hint_of(out)[1] if out else None) == expected
        stranger = world.adopter(psk=bytes(range(60, 92)))
        assert both.device.receive(stranger.start(0)[0][1], 5000, "peer") == []


def test_the_window_shuts_after_15_minutes():
    device = DeviceLink(world.suite(), world.Unit(), state="FREE", now=0)
    assert device.open_window(1000) == [("event", "window", True)]
    assert device.deadline == 1000 + 15 * MINUTE
    assert device.tick(15 * MINUTE) == []
    assert device.tick(1000 + 15 * MINUTE) == [("event", "window", False)]
    assert not device.window
    for state in ("PENDING", "CLAIMED"):
        assert DeviceLink(world.suite(), world.Unit(), state=state, now=0).open_window(0) == []


def test_messages_out_of_form():
    both = Onboarding().start().adopt()
    for plaintext, code in (
        (b"not json", 3),
        (b'{"t":"blink","s":1,"s":2}', 3),
        (b'{"t":"blink"}', 3),
        (b'{"t":"blink","s":' + b'{"a":' * 8 + b"1" + b"}" * 8 + b"}", 3),
    ):
        (answer,) = both.heard(both.raw(plaintext))
        assert messages.decode(answer)["c"] == code
    assert both.raw(b'{"t":"unheard of"}') == []
    out = both.raw(b"\xff")
    assert out[-1] == ("close", "peer")
    assert both.heard(out[:1])


def test_messages_out_of_order():
    both = Onboarding().start()
    for plaintext in (b'{"t":"commit"}', messages.encode("secrets", secrets_members())):
        (answer,) = both.heard(both.raw(plaintext))
        assert messages.decode(answer)["c"] == 2
    both.adopt()
    out = both.raw(messages.encode("secrets", secrets_members()))
    assert messages.decode(both.heard(out)[0])["c"] == 18
    assert both.device.state == "FREE"
    both.secrets()
    assert messages.decode(both.heard(both.raw(b'{"t":"begin"}'))[0])["c"] == 2


def secrets_members():
    members = dict(world.SECRETS)
    members.update({"mac": bytes(32), "id": bytes(10), "ent": bytes(32)})
    return members


def test_five_errors_end_the_link():
    both = Onboarding().start()
    for i in range(5):
        assert both.adopter.state == "HELLO"
        both.adopt(act=b"[]")
        if i < 4:
            assert both.value("refused")["c"] == 16
    assert both.adopter.state == "FAILED"
    assert both.names("close") == ["peer", None] or both.names("close") == [None, "peer"]
    assert both.device.receive(both.records[-1][0], 0, "peer") == []


def test_adopt_again_after_a_refusal():
    both = Onboarding().start().adopt(act=unit.ACTIVATION.replace(b"X448", b"X449", 1))
    assert both.value("refused")["c"] == 16
    zero = unit.ADOPTER_KEY[:0] + bytes(57)
    both.adopt(key=zero)
    assert both.value("refused")["c"] == 17
    both.adopt().adopt().secrets().commit()
    assert both.device.state == "CLAIMED"


def test_an_altered_activation_is_refused():
    middle = unit.ACTIVATION.find(b'"wmk":"') + 20
    body = unit.ACTIVATION.find(b'"}]},"') + 30
    for place in (middle, body):
        changed = bytearray(unit.ACTIVATION)
        changed[place] = 65 if changed[place] != 65 else 66
        both = Onboarding().start().adopt(act=bytes(changed))
        assert both.value("refused")["c"] == 16


def test_a_copied_label_without_the_keys_is_found_out():
    both = Onboarding()
    unit_without = world.Unit()
    unit_without.activate = lambda act: {"authentication": bytes(range(1, 57))}
    both.device = DeviceLink(world.suite(), unit_without, state="FREE", now=0)
    both.device.open_window(0)
    both.start().adopt()
    assert both.adopter.state == "FAILED"
    assert both.value("failed")["c"] == 18
    assert both.adopter.keys == {}


def test_another_device_under_the_label_is_found_out():
    both = Onboarding()
    both.device._identity.udf = bytes([96]) + bytes(63)
    both.start()
    both.tick(20000)
    assert both.adopter.state == "FAILED"


class Relay:
    """A man in the middle who photographed the label: he has psk_on, but neither side's private keys."""

    def __init__(self, both):
        self.both = both
        self.texts = []
        self.to_adopter = None
        self.to_device = None

    def tap(self, octets, to_device):
        suite = world.suite(3)
        parsed = record.unpack(octets)
        if parsed.type == record.INIT_ONBOARD:
            prologue = b"meshlink 1" + octets[:23] + lp(unit.DEVICE_UDF) + lp(b"")
            answer = noise.Handshake(suite, prologue, unit.PSK_ON)
            answer.read_first(octets[23:])
            message = answer.write_second()
            receive, send = answer.split()
            self.to_adopter = Session(suite, parsed.sid, send, receive, 0)
            header = record.pack(record.INIT_ONBOARD, b"midd", 0, unit.LID)
            asked = noise.Handshake(
                suite, b"meshlink 1" + header + lp(unit.DEVICE_UDF) + lp(b""), unit.PSK_ON
            )
            effects = self.both.device.receive(header + asked.write_first(), 0, "peer")
            asked.read_second(record.unpack(effects[0][1]).body)
            send, receive = asked.split()
            self.to_device = Session(suite, b"midd", send, receive, 0)
            self.both.carry(
                self.both.adopter.receive(record.pack(record.REPLY, parsed.sid, 0, message), 0), False
            )
            return []
        source, target = (self.to_adopter, self.to_device) if to_device else (self.to_device, self.to_adopter)
        text = source.open(parsed, 0)
        self.texts.append(text)
        return [target.seal(text, 0)]


def test_a_man_in_the_middle_with_the_code_never_sees_secrets():
    both = Onboarding()
    relay = Relay(both)
    both.tap = relay.tap
    both.start().adopt()
    kinds = [messages.decode(text)["t"] for text in relay.texts]
    assert kinds == ["begin", "hello", "adopt", "proof"]
    assert both.adopter.state == "FAILED"
    assert both.value("failed")["c"] == 18
    world.raises(LocalProtocolError, both.adopter.secrets, dict(world.SECRETS), 0)
    assert both.device.state == "FREE"


def test_a_man_in_the_middle_cannot_hand_over_secrets_of_his_own():
    both = Onboarding()
    relay = Relay(both)
    both.tap = relay.tap
    both.start().adopt()
    forged = relay.to_device.seal(messages.encode("secrets", secrets_members()), 0)
    out = both.device.receive(forged, 0, "peer")
    answer = relay.to_device.open(record.unpack(out[0][1]), 0)
    assert messages.decode(answer)["c"] == 18
    assert both.device.state == "FREE"


def test_a_man_in_the_middle_without_the_code_relays_or_fails():
    both = Onboarding()
    both.tap = lambda octets, to_device: [octets[:-1] + bytes([octets[-1] ^ 1])]
    both.start()
    assert both.adopter.state == "INIT"
    assert both.names() == []


def test_a_silent_peer_is_dropped():
    both = Onboarding().start()
    both.tick(1000)
    assert both.device.deadline == 120 * 1000
    assert both.device.tick(120 * 1000 - 1) == []
    assert both.device.tick(120 * 1000) == [("close", "peer")]
    later = Onboarding()
    later.device = both.device
    later.adopter._suite = world.suite(5)
    assert later.start().adopt().secrets().commit().device.state == "CLAIMED"


def test_blinking_keeps_the_device_while_the_user_looks():
    both = Onboarding().start().adopt()
    both.carry(both.adopter.blink(5, 0), False)
    for second in range(1, 300):
        both.tick(second * 1000)
    assert both.names().count("blink") == 10
    both.secrets().commit()
    assert both.device.state == "CLAIMED"


def test_an_adopter_waits_60_s_for_an_answer():
    both = Onboarding().start()
    both.tap = lambda octets, to_device: []
    both.adopt()
    both.tick(59999)
    assert both.adopter.state == "ADOPT"
    both.tick(60000)
    assert both.adopter.state == "FAILED"


def test_pending_ends_after_10_minutes():
    both = Onboarding().start().adopt().secrets()
    assert both.device.closed("peer", 1000) == [("event", "window", False), ("event", "run", None)]
    assert both.device.receive(world.adopter().start(0)[0][1], 2000, "new") == []
    assert both.device.tick(10 * MINUTE - 1) == []
    assert both.device.tick(10 * MINUTE) == [("store", "free", None)]
    assert both.device.state == "FREE"
    assert not both.device.window
    assert both.device.deadline is None


def test_pending_over_a_restart_ends_too():
    device = DeviceLink(world.suite(), world.Unit(), state="PENDING", now=0)
    assert device.deadline == 10 * MINUTE
    assert device.tick(10 * MINUTE) == [("store", "free", None)]


def test_a_run_session_stands_in_for_a_lost_commit():
    both = Onboarding().start().adopt().secrets()
    both.device.closed("peer", 0)
    assert both.device.confirmed(1000) == [("store", "claimed", None)]
    assert both.device.state == "CLAIMED"
    assert both.device.confirmed(2000) == []
    assert both.device.deadline is None


def test_secrets_again_under_the_same_id():
    both = Onboarding().start().adopt()
    first = []
    both.tap = lambda octets, to_device: [octets] if to_device else first.append(octets) or []
    both.secrets()
    both.tap = None
    both.secrets()
    assert both.adopter.state == "STORED"
    assert both.names("store") == ["pending"]


def test_a_device_that_cannot_store_says_19():
    both = Onboarding().start().adopt()
    both.tap = lambda octets, to_device: [octets] if to_device else []
    both.secrets()
    both.tap = None
    both.carry(both.device.store_failed(0), True)
    assert both.device.state == "FREE"
    assert both.value("failed")["c"] == 19


def test_a_board_with_both_radios_tries_the_network_first():
    both = Onboarding(both=True).start().adopt().secrets()
    assert both.device.state == "FREE"
    assert both.value("join")["wifi"] == world.SECRETS["wifi"]
    both.carry(both.device.network(33, 0), True)
    assert both.value("trouble")["c"] == 33
    both.secrets(wifi=[["house", "better"]])
    both.carry(both.device.network(0, 0), True)
    assert both.value("pending", "store")["secrets"]["wifi"] == [["house", "better"]]
    assert both.commit().device.state == "CLAIMED"
    assert both.device.network(0, 0) == []


def test_reset_from_every_state():
    for state in ("FREE", "PENDING", "CLAIMED"):
        device = DeviceLink(world.suite(), world.Unit(), state=state, now=0)
        assert device.reset(0) == [("store", "free", None)]
        assert device.state == "FREE"
    both = Onboarding().start()
    assert both.device.reset(0) == [("store", "free", None), ("event", "window", False), ("close", "peer")]


def test_the_table_holds_every_move():
    states = ("FREE", "PENDING", "CLAIMED")
    for state in states:
        for event in ("secrets", "commit", "session", "expired", "reset"):
            device = DeviceLink(world.suite(), world.Unit(), state=state, now=0)
            if (state, event) in TRANSITIONS:
                device._move(event)
                assert device.state == TRANSITIONS[(state, event)]
            else:
                world.raises(LocalProtocolError, device._move, event)
                assert device.state == state
    assert set(TRANSITIONS.values()) == set(states)


def test_a_closed_connection_ends_the_adopter():
    both = Onboarding().start()
    assert both.adopter.closed(0)[0][1] == "failed"
    assert both.adopter.state == "FAILED"
    assert both.adopter.closed(0) == []
    done = Onboarding().start().adopt().secrets().commit()
    assert done.adopter.closed(0) == []


def test_a_connection_lost_before_commit_is_no_failure():
    both = Onboarding().start().adopt().secrets()
    assert both.adopter.closed(0) == []
    assert both.adopter.state == "STORED"
    both.device.closed("peer", 0)
    assert both.adopter.keys["psk_run"] == both.value("pending", "store")["psk_run"]
    both.tap = lambda octets, to_device: []
    assert both.commit().adopter.state == "COMMITTED"


def test_hints_change_nothing():
    both = Onboarding()
    both.adopter.start(0)
    sid = both.adopter._sid
    for code, name in ((2, "not now"), (6, "busy"), (1, "hint")):
        assert both.adopter.receive(record.hint(sid, code), 0)[0][:2] == ("event", name)
    assert both.adopter.receive(record.hint(b"else", 6), 0) == []
    assert both.adopter.state == "INIT"


if __name__ == "__main__":
    world.main(globals())
