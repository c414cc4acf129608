"""The link between a hub and a constrained device: one source for CPython and MicroPython, sans-IO.

The rules are in docs/protocol-book.md.  Nothing here reads a clock, a socket, a file or a random source: time comes
in as `now` (int, milliseconds since 1970 on the hub, any steady milliseconds on the device), cryptography and
randomness through `suite` (meshhub.link_suite.HubSuite, meshdevice.crypto.DeviceSuite).

Effects.  Every method of a state machine returns a list of tuples, to be carried out in that order:

    ("send", record, peer)    hand `record` (bytes, without length prefix) to the carrier.  `peer` is the token that
                              was given to receive() (None where a machine has one carrier only).
    ("store", name, value)    make this durable BEFORE carrying out what follows in the list.
    ("event", name, value)    tell the application; `value` is a dict, a plain value or None.
    ("close", peer)           close that carrier connection (after what was sent before it has left).

Every machine also has `tick(now) -> effects` and `deadline` (int or None: call tick() at that time at the latest), and
`erase()`, which overwrites what secrets it holds.  A record that is forged, replayed or not understood never raises:
it gives no effects, or a Hint, or an `err`.  Misuse by the own side raises mathmesh.errors.ProtocolError.

record.py       pack(type, sid, ctr, body) ; unpack(record) -> Record(type, sid, ctr, body, header) or raises ;
                frame(record) -> 2 octets of length and the record ; FrameReader().feed(data) -> list of records
label.py        psk_on(suite, k), passphrase(suite, k), lid(suite, publication_id_text), advertised(lid), ssid(lid)
messages.py     ERRORS {code: text} ; encode(t, {field: value}) -> bytes ; decode(plaintext) -> dict (binary fields are
                bytes) ; LinkError(code, text) ; topic(topic_id, "up" | "dn" | "p") ; udf_octets(text) is mathmesh.codec's
kinds.py        KINDS, PROPERTIES ; property_of(description, node, prop) -> Property ; needs_go(description, node)
                check_value(property, value) -> value or LinkError(52) ; writable(property)
description.py  check(description) -> description or LinkError(3) ; resolve(description, "on" | "relay.on") -> (node, prop)
ring.py         Ring: the device's telemetry ring
agreement.py    transcript, key schedule: Agreement(suite, h, xp, ...) ; ladder_scalar(s) -> 56 octets
onboard_adopter.AdopterLink, onboard_device.DeviceLink (both also in onboard) ;
run_device.DeviceRun, run_hub.HubRun (both also in run) ; the device imports the *_device modules only.
"""
