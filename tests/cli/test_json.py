"""pinefs-json(5) is what the commands print."""

import json
import os
import re
import socket
import subprocess

import pytest

from test_cli import PINEFS, QUIET, Running
from test_control import connected, record

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "../../docs/man/pinefs-json.5.scd")
KINDS = {"string": str, "number": (int, float), "boolean": bool, "list": list}

pytestmark = pytest.mark.skipif(not os.path.exists(PINEFS),
                                reason="pinefs is not built")


def page():
    """{type: {key: (kind, optional)}}"""
    types = {}
    with open(PAGE, encoding="utf-8") as f:
        for line in f:
            if m := re.match(r"## (\w+)$", line):
                now = types[m[1]] = {}
            elif m := re.match(r"\*(\w+)\* \((\w+)(, optional)?\)$", line):
                now[m[1]] = (m[2], m[3] is not None)
    return types


TYPES = page()


def check(line):
    """The type of a line, which is as the page has it."""
    assert all(0x20 <= ord(c) < 0x7f for c in line), line
    row = json.loads(line)
    kind = row.pop("type")
    keys = TYPES[kind]
    for key, value in row.items():
        name, _ = keys[key]
        assert isinstance(value, KINDS[name]), (kind, key, value)
        assert name == "boolean" or not isinstance(value, bool)
    wanted = {key for key, (_, optional) in keys.items() if not optional}
    assert wanted <= set(row), (kind, wanted - set(row))
    return kind, set(row)


def lines(*args, **variables):
    done = subprocess.run(
        [PINEFS, *args, "--json"], stdout=subprocess.PIPE, text=True,
        timeout=60, check=False, env=dict(os.environ, **variables))
    return done.stdout.splitlines()


def call(s, prog, vers, proc, args):
    """The results of a call without credentials."""
    body = b"".join(n.to_bytes(4, "big") for n in
                    (78, 0, 2, prog, vers, proc, 0, 0, 0, 0)) + args
    s.sendall((0x80000000 | len(body)).to_bytes(4, "big") + body)
    reply = s.recv(4096)
    assert reply[4:8] == (78).to_bytes(4, "big")
    return reply[28:]


def u32(*numbers):
    return b"".join(n.to_bytes(4, "big") for n in numbers)


def some_calls(s):
    """GETATTR of the root in version 3, and a COMPOUND of 4.0."""
    root = call(s, 100005, 3, 1, u32(1) + b"/\0\0\0")[4:40]
    assert call(s, 100003, 3, 1, root)[:4] == u32(0)
    assert call(s, 100003, 4, 1, u32(0, 0, 1, 24))[:4] == u32(0)


def test_every_line_is_in_the_page_and_every_type_is_printed(run_dir,
                                                            tmp_path):
    server = Running(tmp_path, *QUIET)
    server.dir = run_dir
    port = record(server)["port"]
    told = [*lines("doctor", PINEFS_PORT="1", PINEFS_PYTHON="/nowhere"),
            *lines("ping", "localhost:%d" % port),
            *lines("ls"),
            *lines("ping", "-u", "localhost:%d" % port)]
    with (connected(server) as top, connected(server) as trace,
          connected(server) as slow,
          socket.create_connection(("127.0.0.1", port), 20) as s):
        top.sendall(b'top {"interval_ms":50}\n')
        trace.sendall(b'trace {}\n')
        slow.sendall(b'trace {}\n')
        top, trace, slow = (x.makefile("r") for x in (top, trace, slow))
        told += [x.readline().rstrip("\n") for x in (top, trace, slow)]
        for _ in range(1000):
            some_calls(s)
        told += lines("stat")
        wanted = {"interval", "procedure", "operation", "client", "file",
                  "end"}
        while wanted:
            some_calls(s)
            while json.loads(line := top.readline())["type"] != "end":
                told.append(line.rstrip("\n"))
                wanted.discard(json.loads(line)["type"])
            wanted.discard("end")
        told += [line.rstrip("\n"), trace.readline().rstrip("\n")]
        while json.loads(line := slow.readline().rstrip("\n"))[
                "type"] != "missed":
            continue
        told.append(line)
    status, _, err = server.end()
    assert status == 0, err
    seen = {}
    for line in told:
        kind, keys = check(line)
        seen.setdefault(kind, set()).update(keys)
    for kind, keys in TYPES.items():
        assert kind in seen, kind
        missing = set(keys) - seen[kind]
        # NULL has no credential here.
        assert missing <= {"uid"}, (kind, missing)
