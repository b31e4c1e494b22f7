# SPDX-License-Identifier: MIT
"""A walk through a large program: Django, numpy and pandas where they are
installed, and much of the standard library.  It ends, finds every entry once,
as many of each kind as the program itself counts, and runs nothing of it."""

import importlib.util
import json
import os
import subprocess
import sys
import unittest

import served
from served import DIR, LNK, REG

STANDARD = ('asyncio', 'concurrent.futures', 'ctypes', 'decimal', 'email.mime',
            'http.server', 'logging.config', 'multiprocessing.pool',
            'sqlite3', 'unittest.mock', 'urllib.request', 'xml.dom.minidom',
            'xmlrpc.client', 'zoneinfo')
LARGE = ('django', 'numpy', 'pandas')


class Program:
    """large.py with these modules, and a client of it."""

    def __init__(self, modules):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(served.HERE, 'large.py')] +
            list(modules), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=dict(os.environ, PINEFS_BUILD=served.BUILD,
                     PINEFS_SOURCE=served.SOURCE))
        self.port = int(self.process.stdout.readline())

    def ask(self, order=''):
        """(calls of instrumented code, references, finalizers, modules)."""
        self.process.stdin.write(order.encode() + b'\n')
        self.process.stdin.flush()
        return [int(n) for n in self.process.stdout.readline().split()]

    def census(self):
        """What it counts of itself."""
        self.process.stdin.write(b'census\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.stdin.close()
        self.process.wait(60)


def walk(c):
    """Entries; each directory's are told apart by name and fileid."""
    count, links = {}, []
    stack = [(b'', c.root)]
    homes = set()
    while stack:
        at, fh = stack.pop()
        seen, ids = set(), set()
        for name, fileid, attr, handle in c.entries((fh,), maxcount=60000):
            path = at + b'/' + name
            assert name not in seen, path
            assert fileid not in ids, path
            seen.add(name)
            ids.add(fileid)
            if attr is None:
                attr = c.getattr((handle or c.fh(path),))
            count[attr.type] = count.get(attr.type, 0) + 1
            if attr.type == LNK:
                links.append(path)
            elif attr.type == DIR:
                assert fileid not in homes, path    # each object once
                homes.add(fileid)
                stack.append((path, handle or c.fh(path)))
    return count, links


def missing(modules):
    return [m for m in modules if importlib.util.find_spec(m) is None]


def test_a_large_program_is_walked_and_nothing_of_it_runs():
    wanted = STANDARD if served.BRIEF else STANDARD + LARGE
    modules = [m for m in wanted if m not in missing(LARGE)]
    with Program(modules) as program:
        before, counted = program.ask(), program.census()
        for attempt in range(5):
            with served.client.Client(program.port) as c:
                count, links = walk(c)
                for path in links[::50]:
                    assert c.readlink(path)
            first, counted = counted, program.census()
            if counted == first:
                break       # it did not change by itself meanwhile
        after = program.ask()
    assert after[0] == before[0] == 0, 'code of the program ran'
    assert after[1:3] == before[1:3], 'references, or finalizers'
    assert served.BRIEF or after[3] == len(modules)
    assert {'directories': count[DIR], 'links': count[LNK],
            'files': count[REG]} == counted == first
    assert sum(count.values()) > 10000
    if not served.BRIEF and missing(LARGE):
        raise unittest.SkipTest('walked, but without ' +
                                ', '.join(missing(LARGE)))
