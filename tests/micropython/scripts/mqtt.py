"""The MQTT client on MicroPython's asyncio: both qualities of service, big messages, refusal, a dead peer."""

import asyncio
import sys

from meshdevice.mqtt import MqttClient, MqttError

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
SIZES = (0, 1, 127, 128, 1000, 4127)
got = []


async def refusal(connecting):
    try:
        await connecting
    except MqttError as error:
        return error.code
    return None


async def silent(reader, writer):
    await reader.read(64)
    await asyncio.sleep(2)
    writer.close()


async def main():
    wrong = MqttClient("w", user=user, password="wrong", limit=3)
    assert await refusal(wrong.connect("127.0.0.1", port)) in (4, 5)
    server = await asyncio.start_server(silent, "127.0.0.1", port + 1)
    assert await refusal(MqttClient("s", limit=0.3).connect("127.0.0.1", port + 1)) == 0
    server.close()
    client = MqttClient("d", user=user, password=password, on_message=lambda t, m: got.append(m), limit=3)
    await client.connect("127.0.0.1", port, will=("p", b"gone"))
    running = asyncio.create_task(client.run())
    await client.subscribe("t")
    for size in SIZES:
        await client.publish("t", bytes(size), qos=size % 2)
    for _ in range(100):
        if len(got) == len(SIZES):
            break
        await asyncio.sleep(0.02)
    assert [len(message) for message in got] == list(SIZES), [len(m) for m in got]
    await client.disconnect()
    try:
        await running
    except MqttError:
        print("passed")


asyncio.run(main())
