"""Running by both state machines: handshakes, sessions, commands, telemetry, and attacks on them."""

import unit
import world
from world import EPOCH, Running, device_run, hub_run

from mathmesh.errors import LocalProtocolError, ProtocolError
from meshlink import messages, record
from meshlink.commands import Gate
from meshlink.ring import Ring

HOUR = 3600 * 1000


def kinds(records, to_device=False):
    """Types of the records that went one way."""
    return [octets[0] for octets, way in records if way == to_device]


def test_the_first_session():
    both = Running().at(5200).start()
    assert both.device.online
    assert both.hub.online
    assert both.hub.pair == (1, 1)
    order = [(end, what, name) for end, what, name, _ in both.seen]
    assert order[:2] == [("device", "event", "ent"), ("device", "event", "time")]
    assert ("device", "event", "session") in order
    hub = [what for what in order if what[0] == "peer"]
    assert hub == [("peer", "store", "pair"), ("peer", "event", "session"), ("peer", "event", "ready")]
    assert both.value("ready") == {"st": "PENDING", "up": 5200, "ring": []}
    assert both.device.time(6200) == EPOCH + 6200


def test_telemetry_is_receipted_and_freed():
    both = Running().start().at(100)
    both.report(("light", "on", False), ("light", "level", 0))
    tel = both.value("tel")
    assert (tel["b"], tel["s"], tel["t0"]) == (1, 1, EPOCH)
    assert tel["r"] == [[100, "light", "on", False], [100, "light", "level", 0]]
    assert len(both.device._ring) == 0
    both.report(("air", "temperature", 21.5))
    assert both.value("tel")["s"] == 3


def test_readings_wait_for_a_session_and_for_receipts():
    both = Running()
    both.receipts = False
    both.report(("light", "on", True))
    assert both.records == []
    both.start()
    assert both.value("ready")["ring"] == [[1, 1, 1, EPOCH]]
    both.carry(both.device.report([], 0), True)
    assert both.names().count("tel") == 1
    both.tick(59999)
    assert both.names().count("tel") == 1
    both.tick(60000)
    assert both.names().count("tel") == 2
    assert both.value("tel")["s"] == 1
    both.carry(both.hub.receipt(2, 1, 0), False)
    assert len(both.device._ring) == 1
    both.carry(both.hub.receipt(1, 1, 0), False)
    assert len(both.device._ring) == 0
    both.tick(200000)
    assert both.names().count("tel") == 2


def test_much_telemetry_goes_in_small_records_and_little_is_under_way():
    both = Running()
    both.receipts = False
    for i in range(200):
        both.device._ring.add(i, "light", "level", i % 100)
    both.start()
    both.carry(both.device.report([], 0), True)
    tels = [value for _, _, name, value in both.seen if name == "tel"]
    assert sum([len(tel["r"]) for tel in tels]) == 64
    assert max([len(octets) for octets, _ in both.records]) < 1300
    both.receipts = True
    both.carry(both.hub.receipt(1, 64, 0), False)
    assert len(both.device._ring) == 0
    rows = []
    for _, _, name, value in both.seen:
        if name == "tel":
            assert value["s"] == len(rows) + 1
            rows += value["r"]
    assert [row[0] for row in rows] == list(range(200))


def test_a_full_ring_tells_its_loss():
    ring = Ring(1, 16)
    for i in range(40):
        ring.add(i, "light", "level", i)
    assert len(ring) <= 16
    assert ring.high == 40
    both = Running(device_run(capacity=16))
    for i in range(40):
        both.device._ring.add(i, "light", "level", i)
    both.start()
    both.carry(both.device.report([], 0), True)
    low = both.value("ready")["ring"][0][1]
    assert both.value("gap") == {"b": 1, "from": 1, "to": low - 1}
    assert both.names().count("gap") == 1
    both.report(("light", "level", 1))
    assert both.names().count("gap") == 1


def test_schedule_of_tries():
    run = device_run()
    sent = run.start(0)
    first = sent[0][1]
    assert run.deadline == 5000
    assert run.tick(4999) == []
    assert run.tick(5000) == [("send", first, None)]
    assert run.tick(9999) == []
    assert run.tick(10000) == [("send", first, None)]
    assert run.deadline == 20000
    second = run.tick(20000)[0][1]
    assert second[:5] != first[:5]
    assert second[23:55] != first[23:55]
    pause = 10000
    for _ in range(9):
        while run._try is not None:
            ended = run.deadline
            run.tick(ended)
        waited = run.deadline - ended
        assert pause * 8 // 10 <= waited <= pause * 12 // 10
        pause = min(2 * pause, 600000)
        assert run.tick(run.deadline - 1) == []
        assert run.tick(run.deadline)[0][1][0] == record.INIT_RUN
    assert run.try_number == 11


def test_a_lost_carrier_pauses_the_tries():
    run = device_run()
    run.start(0)
    assert run.stop(1000) == []
    assert run.deadline is None
    assert run.tick(30000) == []
    assert run.start(31000)[0][1][0] == record.INIT_RUN


def test_forged_replies_and_the_true_one():
    both = Running()
    replies = []
    both.tap = lambda octets, to_device: replies.append(octets) or [] if to_device else [octets]
    both.start()
    both.tap = None
    forged = replies[0][:-1] + bytes([replies[0][-1] ^ 1])
    for _ in range(3):
        assert both.device.receive(forged, 0) == []
    both.carry(both.device.receive(replies[0], 0), True)
    assert both.hub.online
    assert both.device.receive(replies[0], 0) == []


def test_time_of_a_late_reply_does_not_count():
    both = Running()
    replies = []
    both.tap = lambda octets, to_device: replies.append(octets) or [] if to_device else [octets]
    both.start()
    both.tap = None
    both.now = 10001
    both.carry(both.device.receive(replies[0], 10001), True)
    assert both.value("time") == EPOCH + 10001
    late = Running()
    late.start()
    before = late.device._origin
    late.message("time", {"now": 5})
    assert late.device._origin == before
    late.carry(late.device.ask_time(0)[:0], True)
    asked = late.device.ask_time(0)
    late.now = 10001
    late.carry(asked, True)
    assert late.device._origin == before


def test_every_bit_of_an_init_and_of_data_counts():
    both = Running().start()
    init = device_run(boot=2).start(0)[0][1]
    for bit in range(8 * len(init)):
        changed = bytearray(init)
        changed[bit // 8] ^= 1 << bit % 8
        assert all([effect[1][0] == record.HINT for effect in both.hub.receive(bytes(changed), EPOCH)])
    sent = both.device.ask_time(0)[0][1]
    for bit in range(8 * len(sent)):
        changed = bytearray(sent)
        changed[bit // 8] ^= 1 << bit % 8
        out = both.hub.receive(bytes(changed), EPOCH)
        assert all([effect[1][0] in (record.HINT, record.REPLY) for effect in out])
    assert len(both.hub.receive(sent, EPOCH)) == 1


def test_an_identical_init_gets_the_same_reply():
    run, hub = device_run(), hub_run()
    init = run.start(0)[0][1]
    first = hub.receive(init, EPOCH)
    assert hub.receive(init, EPOCH + 5000) == first
    assert hub.receive(init, EPOCH + 60000) != first


def test_a_replayed_init_raises_nothing():
    both = Running().start()
    init = both.records[0][0]
    both.device = device_run(boot=2)
    both.start()
    assert both.hub.pair == (2, 1)
    assert both.hub.receive(init, EPOCH + 1000) == []
    both.tick(130000)
    out = both.hub.receive(init, EPOCH + 130000)
    assert [effect[1][0] for effect in out] == [record.REPLY]
    assert both.hub.pair == (2, 1)
    assert both.device.online
    both.report(("light", "on", True))
    assert both.value("tel")["r"][0][1:] == ["light", "on", True]
    assert both.names().count("alarm") == 0


def test_replayed_inits_do_not_push_out_a_fresh_one():
    olds = []
    both = Running()
    for boot in range(1, 8):
        both.device = device_run(boot=boot)
        count = len(both.records)
        both.start()
        olds.append(both.records[count][0])
    both.tick(200000)
    fresh = device_run(boot=9)
    init = fresh.start(200000)[0][1]
    reply = both.hub.receive(init, EPOCH + 200000)[0][1]
    for old in olds:
        both.hub.receive(old, EPOCH + 200001)
    both.device = fresh
    both.carry(fresh.receive(reply, 200002), True)
    assert both.hub.pair == (9, 1)


def test_a_clone_raises_the_alarm_and_gets_no_session():
    both = Running()
    both.device = device_run(boot=3)
    both.start()
    mine = both.hub._current
    clone = Running(device_run(boot=2), both.hub)
    clone.start()
    assert clone.value("alarm") == {"boot": 2, "try": 1}
    assert both.hub._current is mine
    assert both.hub.pair == (3, 1)
    assert clone.names("store") == []
    same = Running(device_run(boot=3), both.hub)
    same.device._suite = world.suite(77)
    same.start()
    assert same.value("alarm") == {"boot": 3, "try": 1}


def test_the_pair_is_stored_before_anything_is_acted_on():
    both = Running()
    data = []
    both.tap = lambda octets, to_device: (
        data.append(octets) or [] if octets[0] == record.DATA and not to_device else [octets]
    )
    both.start()
    assert not both.hub.online
    assert both.hub.pair == (0, 0)
    out = both.hub.receive(data[0], EPOCH)
    assert out[0] == ("store", "pair", (1, 1))
    assert out[1][:2] == ("event", "session")


def test_a_stored_pair_outlives_the_hub():
    both = Running(device_run(boot=4), hub_run(pair=(4, 7)))
    both.start()
    assert both.names().count("alarm") == 1
    assert Running(device_run(boot=5), hub_run(pair=(4, 7))).start().hub.online


def test_wrong_keys_and_other_devices_are_met_with_silence():
    hub = hub_run()
    assert hub.receive(device_run(psk=bytes(range(1, 33))).start(0)[0][1], EPOCH) == []
    assert hub.receive(device_run(udf=bytes(range(64))).start(0)[0][1], EPOCH) == []
    init = device_run().start(0)[0][1]
    other = init[:13] + bytes(10) + init[23:]
    assert hub.receive(other, EPOCH) == []
    for kind in (record.INIT_ONBOARD, record.INIT_REPAIR, record.REPLY):
        assert hub.receive(bytes([kind]) + init[1:], EPOCH) == []
    assert device_run().receive(init, 0) == []


def test_a_session_id_in_use_is_refused():
    both = Running().start()
    again = device_run(boot=2)
    again._suite = SameSid(both.device._session.sid)
    assert both.hub.receive(again.start(0)[0][1], EPOCH) == []


class SameSid:
    def __init__(self, sid):
        self._sid = sid
        self._real = world.suite(5)
        for name in ("sha256", "hmac", "aes_ecb", "aes_cbc", "x25519", "x25519_base"):
            setattr(self, name, getattr(self._real, name))

    def random(self, count):
        return self._sid if count == 4 else self._real.random(count)


def test_data_of_another_device_is_not_accepted():
    one, other = (
        Running().start(),
        Running(device_run(psk=bytes(range(9, 41))), hub_run(psk=bytes(range(9, 41)))),
    )
    other.device._suite = world.suite(44)
    other.start()
    sent = one.device.ask_time(0)[0][1]
    out = other.hub.receive(sent, EPOCH)
    assert out == [("send", record.hint(sent[1:5], 4), None)]
    moved = sent[:1] + other.device._session.sid + sent[5:]
    assert other.hub.receive(moved, EPOCH + 5000) == []


def test_replayed_and_reordered_data():
    both = Running().start()
    sent = [both.device.ask_time(0)[0][1] for _ in range(3)]
    for octets in (sent[2], sent[0], sent[1]):
        assert len(both.hub.receive(octets, EPOCH)) == 1
    for octets in sent:
        assert both.hub.receive(octets, EPOCH) == []


def test_hints_start_one_handshake_in_10_s():
    both = Running().start()
    session = both.device._session
    out = both.device.receive(record.hint(session.sid, 4), 1000)
    assert out[0][1][0] == record.INIT_RUN
    assert both.device._session is session
    assert both.device.receive(record.hint(bytes(4), 4), 1001) == []
    both.device.stop(1002)
    both.device._up = True
    assert both.device.receive(record.hint(bytes(4), 4), 10999) == []
    assert both.device.receive(record.hint(bytes(4), 4), 11000)[0][1][0] == record.INIT_RUN
    fresh = Running().start().device
    for wrong in (record.hint(b"else", 4), record.hint(bytes(4), 2), record.hint(bytes(4), 6)):
        assert fresh.receive(wrong, 50000) == []


def test_a_started_hub_calls_every_device():
    both = Running().start()
    both.hub = hub_run(pair=both.hub.pair)
    both.now = 20000
    both.carry(both.hub.wake(EPOCH + 20000), False)
    assert both.hub.online
    assert both.hub.pair == (1, 2)


def test_the_hub_hints_at_most_once_a_second():
    both = Running().start()
    lost = hub_run(pair=(1, 1))
    sent = [both.device.ask_time(0)[0][1] for _ in range(4)]
    assert lost.receive(sent[0], 1000) == [("send", record.hint(sent[0][1:5], 4), None)]
    assert lost.receive(sent[1], 1999) == []
    assert len(lost.receive(sent[2], 2000)) == 1


def test_renewal_keeps_the_old_session_for_receiving():
    both = Running().start()
    old = both.device.ask_time(0)[0][1]
    late = both.device.ask_time(0)[0][1]
    both.tick(23 * HOUR - 1)
    assert both.hub.pair == (1, 1)
    assert both.device.deadline == 23 * HOUR
    both.tick(23 * HOUR)
    assert both.hub.pair == (1, 2)
    assert both.names().count("renew") == 1
    assert both.hub.receive(old, EPOCH + 23 * HOUR + 119999) != []
    out = both.hub.receive(late, EPOCH + 23 * HOUR + 120000)
    assert out == [("send", record.hint(late[1:5], 4), None)]


def test_a_session_that_is_used_up_is_replaced():
    both = Running().start()
    both.device._session.next_counter = 60000
    both.tick(1)
    assert both.hub.pair == (1, 2)
    both.device._session.next_counter = 65536
    both.report(("light", "on", True))
    assert both.hub.pair == (1, 3)


def test_commands_and_results():
    both = Running().start()
    identifier = both.command("light", "level", 40)
    assert both.value("command") == {
        "id": identifier,
        "node": "light",
        "prop": "level",
        "v": 40,
        "oneshot": False,
    }
    assert both.value("result") == {"id": identifier, "c": 0, "v": 40}
    for node, prop, value, code in (
        ("light", "color", 1, 51),
        ("lamp", "on", True, 51),
        ("air", "temperature", 20, 53),
        ("light", "level", 101, 52),
        ("light", "level", True, 52),
        ("light", "on", 1, 52),
        ("feeder", "value", "huge", 52),
    ):
        assert world.refused(both.hub.command, node, prop, value, EPOCH) == code
    world.raises(LocalProtocolError, hub_run().command, "light", "on", True, EPOCH)


def command(number, **changed):
    members = {"id": bytes([number]) * 8, "n": 5, "x": 1000, "node": "light", "prop": "on", "v": True}
    members.update(changed)
    return members


def gate():
    return Gate(world.suite(), world.DESCRIPTION)


def test_order_of_the_checks():
    one = gate()
    wrong = {"node": "air", "prop": "temperature", "v": "hot", "n": -1}
    assert one.command(command(1, x=9, **wrong), None, 0)[1] == 49
    assert one.command(command(2, x=9, **wrong), 10, 0)[1] == 48
    assert one.command(command(3, node="no", v="hot", n=-1), 10, 0)[1] == 51
    assert one.command(command(4, **wrong), 10, 0)[1] == 53
    assert one.command(command(5, v="hot", n=-1), 10, 0)[1] == 52
    assert one.command(command(6, n=-1), 10, 0)[1] == 50
    assert one.command(command(7), 10, 0)[0] == "act"
    assert one.command(command(7), 5000, 0) == ("wait",)
    one.keep(bytes([7]) * 8, 0, True)
    assert one.command(command(7, x=0), None, 0) == ("res", 0, True)
    assert one.command(command(8, n=5), 10, 0)[1] == 50
    assert one.command(command(9, prop="level", v=1, n=1), 10, 0)[0] == "act"
    assert one.command(command(10, n=6, x=10), 10, 0)[0] == "act"


def test_a_refused_command_does_not_raise_n():
    one = gate()
    assert one.command(command(1, n=100, v="hot"), 10, 0)[1] == 52
    assert one.command(command(2, n=5), 10, 0)[0] == "act"


def test_64_results_are_kept():
    one = gate()
    for i in range(65):
        one.keep(bytes([i]) * 8, 0, i)
    assert one.command(command(64), 10, 0) == ("res", 0, 64)
    assert one.command(command(1), 10, 0) == ("res", 0, 1)
    assert one.command(command(0), 10, 0)[0] == "act"


def lock(number, **changed):
    return command(number, node="door", prop="locked", v=False, **changed)


def test_a_lock_asks_first():
    one = gate()
    word, challenge = one.command(lock(1), 10, 0)
    assert word == "ask"
    assert len(challenge) == 8
    assert one.command(lock(1), 10, 100) == ("ask", challenge)
    assert one.go({"id": bytes([1]) * 8, "ch": challenge}, 5000)[0] == "act"
    assert one.go({"id": bytes([1]) * 8, "ch": challenge}, 5000) == ("wait",)
    _, late = one.command(lock(2, n=6), 10, 0)
    assert one.go({"id": bytes([2]) * 8, "ch": late}, 5001)[1] == 48
    _, right = one.command(lock(3, n=7), 10, 0)
    assert one.go({"id": bytes([3]) * 8, "ch": bytes(8)}, 1)[1] == 53
    assert one.go({"id": bytes([3]) * 8, "ch": right}, 1)[1] == 53
    assert one.go({"id": bytes([4]) * 8, "ch": right}, 1)[1] == 53
    _, fourth = one.command(lock(5, n=8), 10, 0)
    _, fifth = one.command(lock(6, n=9), 10, 0)
    assert one.go({"id": bytes([6]) * 8, "ch": fifth}, 1)[0] == "act"
    assert one.go({"id": bytes([5]) * 8, "ch": fourth}, 1)[1] == 50


def test_a_lock_is_opened_by_ask_and_go():
    both = Running().start()
    both.command("door", "locked", False)
    assert both.results() == [(0, False)]
    asked = both.command("door", "locked", True, allow=False)
    assert both.value("ask") == {"id": asked}
    assert both.results() == [(0, False)]
    both.carry(both.hub.go(asked, EPOCH + both.now), False)
    assert both.results() == [(0, False), (0, True)]
    late = both.command("door", "locked", False, allow=False)
    both.now = 5001
    both.carry(both.hub.go(late, EPOCH + 5001), False)
    assert both.results()[-1] == (48, None)


def test_one_shots_are_stored_first_and_never_repeated():
    both = Running().start()
    identifier = both.command("feeder", "value", "small")
    device = [(what, name) for end, what, name, _ in both.seen if end == "device"]
    assert device[-2:] == [("store", "act"), ("event", "command")]
    assert both.value("act", "store") == identifier
    assert both.results() == [(0, "small")]
    one = gate()
    one.restore([identifier])
    assert one.command(command(1, id=identifier, node="feeder", prop="value", v="small"), 10, 0)[1] == 54


def test_commands_survive_a_new_session_but_one_shots_do_not():
    for node, prop, value, again in (("light", "on", True, True), ("feeder", "value", "small", False)):
        both = Running().start()
        both.tap = lambda octets, to_device: [] if to_device else [octets]
        identifier = both.command(node, prop, value)
        both.tap = None
        both.now = 100
        both.start()
        assert (both.results() == [(0, value)]) == again
        assert (both.names().count("expired") == 1) != again
        assert len(identifier) == 8


def test_a_command_without_an_answer_expires():
    both = Running().start()
    both.obeys = False
    identifier = both.command("light", "on", True)
    both.tick(59999)
    assert both.names().count("expired") == 0
    both.tick(60000)
    assert both.value("expired") == {"id": identifier}
    both.carry(both.device.result(identifier, 0, True, 60000), True)
    assert both.results() == []


def test_an_expired_command_is_refused_by_the_device():
    both = Running().start()
    held = []
    both.tap = lambda octets, to_device: held.append(octets) or [] if to_device else [octets]
    both.command("light", "on", True)
    both.tap = None
    both.now = 10001
    both.carry(both.device.receive(held[0], 10001), True)
    assert both.results() == [(48, None)]
    assert both.names().count("command") == 0


def test_a_later_command_supersedes_a_delayed_one():
    both = Running().start()
    held = []
    both.tap = lambda octets, to_device: held.append(octets) or [] if to_device else [octets]
    both.command("light", "on", True)
    both.tap = None
    both.command("light", "on", False)
    both.carry(both.device.receive(held[0], 0), True)
    assert both.results() == [(0, False), (50, None)]


def test_a_result_counts_once():
    both = Running().start()
    identifier = both.command("light", "on", True)
    both.carry(both.device.result(identifier, 0, False, 0), True)
    assert both.results() == [(0, True)]


def test_messages_out_of_form_are_answered_and_harm_nothing():
    both = Running().start()
    for plaintext in (b"{", b'{"t":"cmd"}', b'{"t":"rcpt","b":1,"s":1,"s":2}', b"\xff"):
        out = both.device.receive(both.hub._current.session.seal(plaintext, EPOCH), 0)
        assert messages.decode(both.opened(out[0][1]))["c"] == 3
        both.carry(out, True)
        assert both.value("err")["c"] == 3
        back = both.hub.receive(both.device._session.seal(plaintext, 0), EPOCH)
        assert len(back) == 1
        both.carry(back, False)
    assert both.command("light", "on", True)
    assert both.results() == [(0, True)]


def test_what_the_application_is_told():
    both = Running().start()
    both.carry(both.hub.send("forget", {}, EPOCH), False)
    assert both.seen[-1][:3] == ("device", "event", "forget")
    both.carry(both.hub.send("cfg", {"set": {"interval": 60}}, EPOCH), False)
    assert both.value("cfg") == {"set": {"interval": 60}}
    world.raises(LocalProtocolError, both.hub.send, "cmd", {}, EPOCH)


def test_readings_that_no_record_carries():
    both = Running().start()
    both.report(("air", "temperature", float("nan")), ("air", "temperature", float("inf")))
    assert [row[3] for row in both.value("tel")["r"]] == [None, None]
    for value in ({}, [1], b"octets", "x" * 1000):
        world.raises(ProtocolError, both.device.report, [("light", "on", True), ("x", "y", value)], 0)
    assert len(both.device._ring) == 0


def test_a_session_that_is_a_day_old_is_unknown_to_the_hub():
    both = Running().start()
    sent = both.device.ask_time(0)[0][1]
    late = EPOCH + 24 * HOUR
    assert both.hub.receive(sent, late) == [("send", record.hint(sent[1:5], 4), None)]
    assert not both.hub.online


def sleeper(next_s=1):
    run = device_run()
    run._retains = True
    run._ring = Ring(1, 256, next_s)
    return run


def test_a_session_over_deep_sleep():
    both = Running(sleeper()).start()
    both.report(("light", "on", True), ("light", "on", False))
    kinds = [effect[0] for effect in both.device.report([("light", "level", 7)], 10)]
    assert kinds == ["store", "send"]
    kept = both.value("retained", "store")
    both.device.report([("light", "level", 8)], 20)
    woken = sleeper(3)
    assert woken.resume(kept, 30000)
    assert woken.online
    assert woken.time(30000) == EPOCH + 30000
    both.device = woken
    both.at(30000)
    before = len(both.records)
    both.report(("light", "on", True))
    assert both.value("tel")["s"] == 3
    assert [octets[0] for octets, _ in both.records[before:]] == [record.DATA, record.DATA]
    both.command("light", "on", True)
    assert both.results() == [(0, True)]
    again = both.start().device
    assert again.try_number == 2
    assert both.hub.pair == (1, 2)


def test_the_raised_counter_is_kept_before_sending():
    both = Running(sleeper()).start()
    effects = both.device.ask_time(0)
    counter = int.from_bytes(effects[0][2][80:84], "big")
    assert counter == record.unpack(effects[1][1]).ctr + 1


def test_retained_memory_that_cannot_be_trusted():
    both = Running(sleeper()).start()
    kept = both.value("retained", "store")
    for bit in range(0, 8 * len(kept), 7):
        changed = bytearray(kept)
        changed[bit // 8] ^= 1 << bit % 8
        assert not sleeper().resume(bytes(changed), 10)
    for wrong in (b"", kept[:-1], kept + b"x", bytes(144)):
        assert not sleeper().resume(wrong, 10)
    other = device_run(boot=2)
    assert not other.resume(kept, 10)
    assert not sleeper().resume(kept, 24 * HOUR)
    assert sleeper().resume(kept, 24 * HOUR - 1)


def test_erased_ends_keep_silent():
    both = Running().start()
    sent = both.device.ask_time(0)[0][1]
    both.hub.erase()
    both.device.erase()
    assert not both.hub.online
    assert not both.device.online
    assert [effect[1][0] for effect in both.hub.receive(sent, EPOCH)] == [record.HINT]
    assert both.device.report([("light", "on", True)], 0) == []


def test_the_account_is_bound_into_the_handshake():
    run = device_run()
    run._account_udf = unit.DEVICE_UDF
    assert hub_run().receive(run.start(0)[0][1], EPOCH) == []


if __name__ == "__main__":
    world.main(globals())
