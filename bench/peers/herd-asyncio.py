"""One server of a proxy herd as a course solution writes it: asyncio streams, a dict, a log file.

It does what such solutions do, and no less than ours: it checks each line, logs what comes and what
goes, answers, and floods what is news to its neighbours, with a connection for each message as they
have it. Written for the benchmark; Python's standard library only.

Usage: herd-asyncio.py NAME PORT LOGFILE [NEIGHBOUR'S PORT ...]
"""

import asyncio
import logging
import re
import sys
import time

LOCATION = re.compile(r"^([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)$")
NAME, PORT, LOG = sys.argv[1], int(sys.argv[2]), sys.argv[3]
NEIGHBOURS = [int(port) for port in sys.argv[4:]]
clients = {}


async def tell(port, message):
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        logging.info("to %d: %s", port, message)
        writer.write(f"{message}\n".encode("latin1"))
        await writer.drain()
        writer.close()
    except OSError:
        logging.info("%d is down", port)


def flood(message):
    for port in NEIGHBOURS:
        asyncio.ensure_future(tell(port, message))


def store(client, seconds, place, message):
    known = clients.get(client)
    if known is not None and known[0] >= seconds:
        return
    clients[client] = (seconds, float(place[1]), float(place[2]), message)
    flood(message)


def answer(line):
    words = line.split()
    if len(words) == 6 and words[0] == "AT":
        place = LOCATION.match(words[4])
        store(words[3], float(words[5]), place, line)
        return None
    if len(words) != 4 or words[0] != "IAMAT":
        return f"? {line}"
    _, client, location, sent = words
    place = LOCATION.match(location)
    try:
        seconds = float(sent)
    except ValueError:
        return f"? {line}"
    if not place or abs(float(place[1])) > 90 or abs(float(place[2])) > 180:
        return f"? {line}"
    reply = f"AT {NAME} {time.time() - seconds:+.9f} {client} {location} {sent}"
    store(client, seconds, place, reply)
    return reply


async def serve(reader, writer):
    while line := await reader.readline():
        text = line.decode("latin1").rstrip("\r\n")
        logging.info("in %s", text)
        reply = answer(text)
        if reply is None:
            continue
        logging.info("out %s", reply)
        writer.write(f"{reply}\n".encode("latin1"))
        await writer.drain()
    writer.close()


async def main():
    logging.basicConfig(filename=LOG, level=logging.INFO)
    server = await asyncio.start_server(serve, "127.0.0.1", PORT)
    async with server:
        await server.serve_forever()


asyncio.run(main())
