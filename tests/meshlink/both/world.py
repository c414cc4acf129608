"""Two ends of the link and the wire between them, on either runtime. Nothing here reads a clock."""

import sys

import unit

from meshdevice.activation import open_activation
from meshdevice.crypto import DeviceSuite
from meshlink import record
from meshlink.onboard_adopter import AdopterLink
from meshlink.onboard_device import DeviceLink
from meshlink.record import LinkError
from meshlink.ring import Ring
from meshlink.run_device import DeviceRun
from meshlink.run_hub import HubRun

MICROPYTHON = sys.implementation.name == "micropython"

DESCRIPTION = {
    "d": 1,
    "v": 1,
    "m": "mesh/test",
    "n": {
        "light": {"k": "light", "p": {"on": ["b", "w"], "level": ["i", "w", "0:100", "%"]}},
        "door": {"k": "lock", "p": {"locked": ["b", "w"]}},
        "feeder": {"k": "select", "p": {"value": ["e", "w", "small,large", "", "o"]}},
        "air": {"k": "sensor", "p": {"temperature": ["f", "r", "", "°C"]}},
    },
}
SECRETS = {
    "wifi": [["house", "correct horse battery"]],
    "hub": ["mqtt://192.0.2.1:1883"],
    "ca": "",
    "mq": ["lamp", "staple"],
    "name": "Kitchen lamp",
    "now": 1795346000000,
}
EPOCH = 1795346000000


def suite(boot=1):
    return DeviceSuite(bytes(range(32)), boot)


def refused(function, *arguments, **named):
    """The code of the LinkError that a call raises; fails when it raises none."""
    try:
        function(*arguments, **named)
    except LinkError as error:
        return error.code
    raise AssertionError("nothing was refused")


def raises(kind, function, *arguments, **named):
    try:
        function(*arguments, **named)
    except kind:
        return True
    raise AssertionError("nothing was raised")


class Unit:
    """The identity of the device under test."""

    def __init__(self, both=False):
        self.suite = suite()
        self.udf = unit.DEVICE_UDF
        self.lid = unit.LID
        self.psk_on = unit.PSK_ON
        self.authentication = unit.AUTHENTICATION
        self.boot = 1
        self.description = DESCRIPTION
        self.board = "test"
        self.fw = "1.0"
        self.fwh = bytes(32)
        self.led = True
        self.both = both

    def activate(self, act):
        scalars = unit.ENCRYPTION_SCALAR, unit.AUTHENTICATION_SCALAR
        return {"authentication": open_activation(self.suite, act, scalars[0], scalars[1])["authentication"]}


def adopter(psk=unit.PSK_ON, udf=unit.DEVICE_UDF):
    return AdopterLink(
        suite(2),
        psk_on=psk,
        lid=unit.LID,
        device_udf=udf,
        authentication=unit.AUTHENTICATION,
        account_udf=unit.ACCOUNT_UDF,
        account_address=unit.ACCOUNT,
    )


class Wire:
    """Carries records between two ends and notes everything else: `seen` has (end, kind, name, value).

    `tap(record, to_device)` may return other records to be delivered in place of one.
    """

    def __init__(self):
        self.now = 0
        self.seen = []
        self.records = []
        self.tap = None

    def carry(self, effects, from_device):
        queue = [(effect, from_device) for effect in effects]
        while queue:
            effect, origin = queue.pop(0)
            if effect[0] != "send":
                value = effect[2] if len(effect) > 2 else None
                self.seen.append(("device" if origin else "peer", effect[0], effect[1], value))
                queue = [(more, origin) for more in self.react(effect, origin)] + queue
                continue
            self.records.append((effect[1], not origin))
            delivered = [effect[1]] if self.tap is None else self.tap(effect[1], not origin)
            for octets in delivered:
                queue += [(more, not origin) for more in self.deliver(octets, not origin)]

    def react(self, effect, from_device):
        return []

    def names(self, kind="event"):
        return [name for _, what, name, _ in self.seen if what == kind]

    def value(self, name, kind="event"):
        return [value for _, what, called, value in self.seen if what == kind and called == name][-1]


class Onboarding(Wire):
    """One adopter and one device on one connection."""

    def __init__(self, both=False, state="FREE", psk=unit.PSK_ON, window=True):
        Wire.__init__(self)
        self.device = DeviceLink(suite(), Unit(both), state=state, now=0)
        self.adopter = adopter(psk)
        if window:
            self.device.open_window(0)

    def deliver(self, octets, to_device):
        if to_device:
            return self.device.receive(octets, self.now, "peer")
        return self.adopter.receive(octets, self.now)

    def start(self):
        self.carry(self.adopter.start(self.now), False)
        return self

    def adopt(self, act=unit.ACTIVATION, key=unit.ADOPTER_KEY, z=unit.AGREED):
        self.carry(self.adopter.adopt(act, key, z, self.now), False)
        return self

    def secrets(self, **changed):
        values = dict(SECRETS)
        values.update(changed)
        self.adopter.seen()
        self.carry(self.adopter.secrets(values, self.now), False)
        return self

    def commit(self):
        self.carry(self.adopter.commit(self.now), False)
        return self

    def tick(self, now):
        self.now = now
        self.carry(self.device.tick(now), True)
        self.carry(self.adopter.tick(now), False)

    def raw(self, plaintext):
        """The adopter's session sends what the adopter never would."""
        sealed = self.adopter._session.seal(plaintext, self.now)
        return self.device.receive(sealed, self.now, "peer")

    def heard(self, effects):
        """Plaintexts of the device's records among the effects, as the adopter opens them."""
        out = []
        for effect in effects:
            if effect[0] == "send":
                out.append(self.adopter._session.open(record.unpack(effect[1]), self.now))
        return out


PSK_RUN = bytes(range(100, 132))
TOPIC_ID = bytes(range(10))


def device_run(boot=1, psk=PSK_RUN, capacity=256, udf=unit.DEVICE_UDF, state="PENDING"):
    return DeviceRun(
        suite(boot),
        udf=udf,
        account_udf=unit.ACCOUNT_UDF,
        topic_id=TOPIC_ID,
        psk=psk,
        boot=boot,
        description=DESCRIPTION,
        ring=Ring(boot, capacity),
        state=state,
        now=0,
    )


def hub_run(pair=(0, 0), psk=PSK_RUN, udf=unit.DEVICE_UDF):
    return HubRun(
        suite(9),
        device_udf=udf,
        account_udf=unit.ACCOUNT_UDF,
        topic_id=TOPIC_ID,
        psk=psk,
        description=DESCRIPTION,
        pair=pair,
    )


class Running(Wire):
    """A device and its hub; commands are obeyed and readings receipted at once, unless told otherwise."""

    def __init__(self, device=None, hub=None):
        Wire.__init__(self)
        self.device = device or device_run()
        self.hub = hub or hub_run()
        self.obeys = True
        self.receipts = True

    def deliver(self, octets, to_device):
        if to_device:
            return self.device.receive(octets, self.now)
        return self.hub.receive(octets, EPOCH + self.now)

    def react(self, effect, from_device):
        if effect[:2] == ("event", "command") and self.obeys:
            return self.device.result(effect[2]["id"], 0, effect[2]["v"], self.now)
        if effect[:2] == ("event", "tel") and self.receipts:
            last = effect[2]["s"] + len(effect[2]["r"]) - 1
            return self.hub.receipt(effect[2]["b"], last, EPOCH + self.now)
        return []

    def start(self):
        self.carry(self.device.start(self.now), True)
        return self

    def at(self, now):
        self.now = now
        return self

    def report(self, *entries):
        self.carry(self.device.report(list(entries), self.now), True)

    def command(self, node, prop, value, **named):
        identifier, effects = self.hub.command(node, prop, value, EPOCH + self.now, **named)
        self.carry(effects, False)
        return identifier

    def results(self):
        return [(value["c"], value["v"]) for _, _, name, value in self.seen if name == "result"]

    def tick(self, now):
        self.now = now
        self.carry(self.device.tick(now), True)
        self.carry(self.hub.tick(EPOCH + now), False)

    def message(self, t, members):
        """A message of the hub that its own rules would not send."""
        self.carry(self.hub._say(t, members, EPOCH + self.now), False)

    def opened(self, octets):
        """Plaintext of a record that the device sent, without moving any window."""
        parsed = record.unpack(octets)
        return self.hub._current.session._in.open(parsed.ctr, parsed.header, parsed.body)


def main(cases):
    """Runs every test_ function of a module's globals: what MicroPython has instead of pytest."""
    import gc

    for name in sorted(cases):
        if name.startswith("test_"):
            gc.collect()
            cases[name]()
            print("passed", name)
    print("all passed")
