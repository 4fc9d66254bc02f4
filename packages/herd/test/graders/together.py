"""Grades a herd as a course does: all servers at once, a message half a second later.

The herd comes as JSON in the only argument:
{"servers": {NAME: {"port": PORT, "command": [...]}}, "links": [[NAME, NAME], ...]}
Prints one line per check; ends with 1 at the first that fails. Standard library only.
"""

import asyncio
import json
import re
import subprocess
import sys
import time

HERD = json.loads(sys.argv[1])
PORTS = {name: server["port"] for name, server in HERD["servers"].items()}
PATIENCE = 60
PLACE = "+34.068930-118.445127"
AT = re.compile(r"^AT (\S+) ([+-]\d+\.\d{9}) (\S+) (\S+) (\S+)$")
processes = {}
said = 0


def check(holds, what):
    if not holds:
        print(f"FAILED: {what}")
        sys.exit(1)
    print(f"ok: {what}")


async def start(*names):
    """Starts servers at the same time, as a script that puts each in the background."""

    async def one(name):
        processes[name] = await asyncio.create_subprocess_exec(
            *HERD["servers"][name]["command"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )

    await asyncio.gather(*(one(name) for name in names))
    await asyncio.sleep(0.5)


async def connect(name):
    """Connects; only a machine that is too busy to start a server in time makes it try twice."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", PORTS[name])
        except OSError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.02)


async def half_close(name, text):
    """Writes, closes the own side, and reads until the server closes its own."""
    reader, writer = await connect(name)
    writer.write(text.encode())
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    return answer.decode()


async def read_once(name, text):
    """Writes a line, reads once, and hangs up: what is not in that one read is lost."""
    reader, writer = await connect(name)
    writer.write(text.encode())
    answer = await asyncio.wait_for(reader.read(1 << 20), PATIENCE)
    writer.close()
    return answer.decode()


def iamat(moment=None):
    global said
    said += 1
    client = f"client{said}.cs.example.edu"
    return client, f"IAMAT {client} {PLACE} {moment or f'{time.time():.9f}'}\n"


async def tell(name, ask=half_close):
    """Tells a server of a new client; returns the client and its AT line."""
    client, line = iamat()
    answer = await ask(name, line)
    found = AT.match(answer.rstrip("\n"))
    check(found is not None, f"{name} answers {line.strip()!r} by {answer!r}")
    check(found[1] == name and found[3] == client, f"{name} says that it heard {client}")
    check(line.split()[2:] == [found[4], found[5]], "the operands come back as they were")
    return client, answer


async def knows(name, client, at):
    """Asks until the server knows the client; a flood is under way for a moment."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        answer = await half_close(name, f"WHATSAT {client} 10 3\n")
        if answer.startswith(at):
            return answer
        await asyncio.sleep(0.05)
    return None


def reachable(name, alive):
    """The servers that news from this one can reach over those that are alive."""
    found = [name]
    for one in found:
        for link in HERD["links"]:
            if one in link:
                other = link[1] if link[0] == one else link[0]
                if other in alive and other not in found:
                    found.append(other)
    return found


async def expect_flood(alive, why):
    for name in alive:
        client, at = await tell(name)
        near = reachable(name, alive)
        for other in near:
            check(await knows(other, client, at) is not None, f"{why}: {other} hears of {name}")
        for other in set(alive) - set(near):
            answer = await half_close(other, f"WHATSAT {client} 10 3\n")
            check(answer == f"? WHATSAT {client} 10 3\n", f"{why}: {other} cannot hear of {name}")


async def check_first_message():
    names = list(PORTS)
    await start(*names)
    client, at = await tell(names[0])
    for name in names:
        answer = await knows(name, client, at)
        check(answer is not None, f"the first message of all has reached {name}")
        body = answer[len(at):]
        check(body.endswith("\n\n") and "\n\n" not in body[:-2], "one blank line, at the end")
        places = json.loads(body)
        check(len(places["results"]) <= 3, "no more places than asked for")


async def check_manners():
    name = next(iter(PORTS))
    client, at = await tell(name, read_once)
    answer = await read_once(name, f"WHATSAT {client} 20 5\n")
    check(answer.startswith(at), "one read has the AT line")
    check(json.loads(answer[len(at):])["status"] == "OK", "and all of the places")

    for wrong in (
        "HELLO",
        "IAMAT",
        f"IAMAT kiwi {PLACE}",
        f"IAMAT kiwi 34.068930-118.445127 1621464827.9",
        f"IAMAT kiwi {PLACE} yesterday",
        "WHATSAT nobody.at.all 10 5",
        f"WHATSAT {client} 51 5",
        f"WHATSAT {client} 10 21",
        f"WHATSAT {client} -1 5",
        f"WHATSAT {client} 10 -5",
        f"WHATSAT {client} ten 5",
        f"{at.strip()}",
    ):
        check(await half_close(name, f"{wrong}\n") == f"? {wrong}\n", f"{wrong!r} is refused")

    reader, writer = await connect(name)
    lines = [iamat()[1] for _ in range(5)]
    writer.write("".join(lines).encode())
    for line in lines:
        answer = await asyncio.wait_for(reader.readline(), PATIENCE)
        check(AT.match(answer.decode().strip()) is not None, "each line of one packet is answered")
    line = iamat()[1].encode()
    for cut in (line[:7], line[7:40], line[40:]):
        writer.write(cut)
        await writer.drain()
        await asyncio.sleep(0.01)
    answer = await asyncio.wait_for(reader.readline(), PATIENCE)
    check(AT.match(answer.decode().strip()) is not None, "a line in three pieces is answered")
    writer.close()

    answers = await asyncio.gather(*(half_close(each, iamat()[1]) for each in list(PORTS) * 20))
    check(all(AT.match(answer.strip()) for answer in answers), "100 clients at once are answered")
    answer = await half_close(name, iamat()[1].strip())
    check(AT.match(answer.strip()) is not None, "a last line without its end is answered")


async def kill(name):
    """Kills whatever has a socket on the port, as the graders' scripts do."""
    subprocess.run(f"lsof -ti:{PORTS[name]} | xargs kill", shell=True, check=True)
    await asyncio.wait_for(processes[name].wait(), PATIENCE)
    others = [other for other in processes if processes[other].returncode is None]
    expected = [other for other in processes if other != name and other not in dead]
    check(sorted(others) == sorted(expected), f"killing {name} by its port kills nobody else")
    dead.add(name)


dead = set()


async def check_deaths():
    for name in list(PORTS):
        old, _ = await tell(name)
        await kill(name)
        alive = [other for other in PORTS if other not in dead]
        await expect_flood(alive, f"without {name}")
        await start(name)
        dead.discard(name)
        answer = await half_close(name, f"WHATSAT {old} 10 3\n")
        check(answer == f"? WHATSAT {old} 10 3\n", f"{name} comes back empty")
        await wait_for_links(name)
        await expect_flood(list(PORTS), f"with {name} back")
    for name in list(PORTS)[1:3]:
        await kill(name)
    await expect_flood([name for name in PORTS if name not in dead], f"without {sorted(dead)}")


async def wait_for_links(name):
    """A server that is back dials at once; its neighbours must hear it directly."""
    for one, other in HERD["links"]:
        if name in (one, other):
            for source, target in ((one, other), (other, one)):
                until = time.monotonic() + PATIENCE
                heard = False
                while not heard and time.monotonic() < until:
                    client, line = iamat()
                    at = await half_close(source, line)
                    # The answer leaves after the live neighbours have the news.
                    answer = await half_close(target, f"WHATSAT {client} 1 1\n")
                    heard = answer.startswith(at)
                check(heard, f"{target} hears {source} before {source} answers")


async def main():
    try:
        await check_first_message()
        await check_manners()
        await check_deaths()
        print("all checks passed")
    finally:
        for process in processes.values():
            if process.returncode is None:
                process.kill()
                await process.wait()


asyncio.run(main())
