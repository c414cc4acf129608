"""The storage rules on MicroPython's own file system calls: damage at every octet of either copy."""

import os
import sys

from meshdevice.storage import Counter, Pair, unseal

folder = sys.argv[1]
OLD = b"former"
NEW = b"newest, longer"


def read(path):
    with open(path, "rb") as stream:
        return stream.read()


def put(path, data):
    with open(path, "wb") as stream:
        stream.write(data)


pair = Pair(folder, "record")
assert pair.read() is None
pair.write(OLD)
pair.write(NEW)
for damaged, expected in (("/record.1", OLD), ("/record.0", NEW)):
    path = folder + damaged
    whole = read(path)
    for length in range(len(whole)):
        put(path, whole[:length])
        assert pair.read() == expected, (damaged, length)
        put(path, whole[:length] + bytes([whole[length] ^ 128]) + whole[length + 1 :])
        assert pair.read() == expected, (damaged, length)
    put(path, whole)
pair.wipe()
assert pair.read() is None
assert not pair.damaged
for name in ("/record.0", "/record.1"):
    assert unseal(read(folder + name))[1] == b""
pair.write(b"again")
assert pair.read() == b"again"
os.remove(folder + "/record.0")
os.remove(folder + "/record.1")
assert [Counter(folder, "boot").rise() for _ in range(3)] == [1, 2, 3]
print("passed")
