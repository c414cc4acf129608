"""The link between a hub and a constrained device: one source for CPython and MicroPython, sans-IO.

The rules are in docs/protocol-book.md. Nothing here reads a clock, a socket, a file or a random source: time
comes in as `now` (int ms: since 1970 on the hub, since this boot on the device), cryptography and randomness
through `suite` (meshlink.suite; meshhub.link_suite.HubSuite, meshdevice.crypto.DeviceSuite).

Effects. Every method of a state machine returns a list of tuples, to be carried out in that order:

    ("send", record, peer)   hand `record`, without length prefix, to the carrier: it writes frame(record).
                             `peer` is the token given to receive(); None where a machine has one carrier.
    ("store", name, value)   make this durable BEFORE carrying out what follows in the list.
    ("event", name, value)   tell the application; value is a dict, a plain value or None.
    ("close", peer)          close that connection after what was sent before it has left.

Every machine has `tick(now) -> effects`, `deadline` (ms or None: call tick() then at the latest), `erase()`.
A record that is forged, replayed or malformed never raises: it gives no effects, a Hint, or an `err`.
Misuse by the own side raises LocalProtocolError (or LinkError, which has the protocol's error code).

    record, hkdf, ccm, noise, session     octets
    label, agreement                      what follows from the label's secret, what onboarding agrees on
    json_text, messages, kinds, description
    onboard (onboard_adopter.AdopterLink, onboard_device.DeviceLink)
    run (run_device.DeviceRun, run_hub.HubRun), commands.Gate, ring.Ring, hints.Hints

A device imports the *_device modules only.
"""
