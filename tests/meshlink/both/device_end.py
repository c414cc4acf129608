"""The device end of our trace alone, in the heap of a board: it answers as the vectors say, octet for octet.

argv: a folder with small.json. Prints the heap that was in use at its highest, and `passed`.
"""

import gc
import json
import sys

from meshdevice.activation import open_activation
from meshdevice.crypto import DeviceSuite
from meshlink.onboard_device import DeviceLink
from meshlink.ring import Ring
from meshlink.run_device import DeviceRun

with open(sys.argv[1] + "/small.json") as held:
    values = json.load(held)


def octets(name):
    return bytes.fromhex(values[name])


class Scripted(DeviceSuite):
    """Random octets as the trace has them."""

    def random(self, count):
        return bytes.fromhex(values["draws"].pop(0))


class Unit:
    def __init__(self, suite):
        self.suite = suite
        self.udf = octets("device_udf")
        self.lid = octets("lid")
        self.psk_on = octets("psk_on")
        self.authentication = octets("authentication")
        self.boot = 1
        self.description = values["desc"]
        self.board = values["board"]
        self.fw = values["fw"]
        self.fwh = octets("fwh")
        self.led = True
        self.both = False

    def activate(self, act):
        scalars = octets("encryption_scalar"), octets("authentication_scalar")
        return {"authentication": open_activation(self.suite, act, scalars[0], scalars[1])["authentication"]}


def sent(effects):
    return [effect[1].hex() for effect in effects if effect[0] == "send"]


def main():
    most = 0
    suite = Scripted(bytes(32), 1)
    link = DeviceLink(suite, Unit(suite), state="FREE", now=0)
    link.open_window(0)
    stored = {}
    for came, answer in values["onboarding"]:
        gc.collect()
        effects = link.receive(bytes.fromhex(came), 0, "peer")
        most = max(most, gc.mem_alloc()) if hasattr(gc, "mem_alloc") else 0
        # the order of members within `desc` is not kept by MicroPython, so `hello` is compared by its length
        if answer is not None and len(answer) > 500:
            assert [len(text) for text in sent(effects)] == [len(answer)]
        else:
            assert sent(effects) == ([] if answer is None else [answer])
        stored.update({effect[1]: effect[2] for effect in effects if effect[0] == "store"})
    assert link.state == "CLAIMED"
    held = stored["pending"]
    for name in ("psk_run", "psk_repair", "own"):
        assert held[name].hex() == values[name]
    run = DeviceRun(
        suite,
        udf=octets("device_udf"),
        account_udf=held["audf"],
        topic_id=held["secrets"]["id"],
        psk=held["psk_run"],
        boot=1,
        description=values["desc"],
        ring=Ring(1),
        state="PENDING",
        now=0,
    )
    assert sent(run.start(5200)) == [values["init"]]
    effects = run.receive(octets("reply"), 5200)
    assert sent(effects) == [values["ready"]]
    assert run.online
    print("heap", most)
    print("passed")


main()
