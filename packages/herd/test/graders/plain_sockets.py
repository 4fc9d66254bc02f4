"""Grades one server by plain sockets that send no newline, never half-close, and read their own way.

Usage: plain_sockets.py PORT NAME. Prints one line per check; ends with 1 at the first that fails.
The server reads leniently: a message without its end counts after a moment. Standard library only.
"""

import json
import socket
import sys
import threading

PORT, NAME = int(sys.argv[1]), sys.argv[2]
PATIENCE = 60


def check(holds, what):
    if not holds:
        print(f"FAILED: {what}")
        sys.exit(1)
    print(f"ok: {what}")


def connect():
    peer = socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE)
    peer.settimeout(PATIENCE)
    return peer


def receive_once(message):
    with connect() as peer:
        peer.sendall(message.encode())
        return peer.recv(1 << 20).decode()


def receive_all(message):
    """Reads until the server hangs up, and never hangs up itself."""
    with connect() as peer:
        peer.sendall(message.encode())
        pieces = []
        while piece := peer.recv(4096):
            pieces.append(piece)
        return b"".join(pieces).decode()


def in_threads():
    """Many clients at a time, each with a message of its own."""
    answers = {}

    def one(number):
        message = f"IAMAT thread{number} +34.06-118.44 1621464827.{number:09}"
        answers[number] = receive_once(message)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [
        f" thread{number} +34.06-118.44 1621464827.{number:09}\n" in answer
        for number, answer in answers.items()
    ]


at = receive_once("IAMAT kiwi +34.068930-118.445127 1621464827.959498503")
check(at.startswith(f"AT {NAME} +"), f"a message without its end is answered: {at!r}")
check(at.endswith(" kiwi +34.068930-118.445127 1621464827.959498503\n"), "with its operands")

answer = receive_once("WHATSAT kiwi 10 5")
check(answer.startswith(at), "one read has the AT line")
check(json.loads(answer[len(at):])["status"] == "OK", "and all of the places")

check(receive_once("SOMETHING else") == "? SOMETHING else\n", "nonsense comes back")

answer = receive_all("WHATSAT kiwi 10 2\n")
check(answer.startswith(at) and answer.endswith("\n\n"), "who reads to the end finds an end")
check(len(json.loads(answer[len(at):])["results"]) <= 2, "and no more places than asked for")

both = receive_all("IAMAT pear +1-1 5.5\r\nWHATSAT pear 1 0")
check(both.count("AT ") == 2 and "pear +1-1 5.5\n" in both, "two messages, the last without its end")

with connect() as quiet:
    check(quiet.recv(10) == b"", "who says nothing is hung up on, without a word")

check(all(in_threads()), "50 clients at once get their own answers")
print("all checks passed")
