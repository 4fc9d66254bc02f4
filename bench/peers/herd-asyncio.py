"""One server of a proxy herd as a course solution writes it: asyncio streams, a dict, a log file.

Written for the benchmark; Python's standard library only. Usage: herd-asyncio.py PORT LOGFILE
"""

import asyncio
import logging
import re
import sys
import time

LOCATION = re.compile(r"^([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)$")
clients = {}


def answer(line):
    words = line.split()
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
    reply = f"AT Clark {time.time() - seconds:+.9f} {client} {location} {sent}"
    known = clients.get(client)
    if known is None or known[0] < seconds:
        clients[client] = (seconds, float(place[1]), float(place[2]), reply)
    return reply


async def serve(reader, writer):
    while line := await reader.readline():
        text = line.decode("latin1").rstrip("\r\n")
        logging.info("in %s", text)
        reply = answer(text)
        logging.info("out %s", reply)
        writer.write(f"{reply}\n".encode("latin1"))
        await writer.drain()
    writer.close()


async def main():
    logging.basicConfig(filename=sys.argv[2], level=logging.INFO)
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await server.serve_forever()


asyncio.run(main())
