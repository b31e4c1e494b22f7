# SPDX-License-Identifier: MIT
"""Handles after the program was killed and started again: what a mount
that is not touched meanwhile goes on with."""

import os
import random
import signal
import subprocess
import sys
import tempfile

import served
import versions
from served import Failed

PROGRAM = '''
import sys
sys.path.append(%r)
import served, unittest.mock, http.server, logging.config
server = served.serve(state_dir=sys.argv[1])
print(server.port, flush=True)
sys.stdin.read()
''' % served.HERE


class Run:
    """One life of the program; it is killed."""

    def __init__(self, state):
        self.process = subprocess.Popen(
            [sys.executable, '-c', PROGRAM, state], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(os.environ, PINEFS_BUILD=served.BUILD,
                     PINEFS_SOURCE=served.SOURCE))
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


def many_handles(c):
    """[(handle, fileid, is it a link)] of every third module; but neither of
    names that are addresses of objects, which are others in another run, nor
    of all the files that are installed on this machine."""
    modules = sorted(c.entries((c.root,), maxcount=60000),
                     key=lambda e: e[0])[::3]
    found, stack = [], [(e[3],) for e in modules if e[2].type == served.DIR]
    while stack:
        for name, fileid, attr, handle in c.entries(stack.pop(),
                                                    maxcount=60000):
            kind = attr.type if attr is not None else served.REG
            if b'-0x' in name or name == b'path_importer_cache':
                continue
            found.append((handle, fileid, kind == served.LNK))
            if kind == served.DIR:
                stack.append((handle,))
    return found


def fileid_of(c, handle):
    """None: the handle is stale."""
    try:
        return c.getattr((handle,)).fileid
    except Failed as error:
        assert error.status == 'STALE', error
        return None


def that_work(port, version, handles):
    """The part of them; none comes to name something else."""
    works = 0
    with versions.mount(port, version) as c:
        for handle, fileid, _ in handles:
            now = fileid_of(c, handle)
            assert now in (fileid, None), (fileid, now)
            works += now is not None
    return works / len(handles)


@served.once
def test_most_handles_outlive_the_program():
    """Version 3 has room for short paths only.  A link whose target nobody
    has met yet is stale, until somebody has: there a client looks again."""
    state = tempfile.mkdtemp(prefix='pinefs-test-')
    n = 300 if served.BRIEF else 1000
    with Run(state) as run:
        with versions.mount(run.port, '3') as c:
            three = many_handles(c)
        with versions.mount(run.port, '4.2') as c:
            four = many_handles(c)
    links = [h for h in four if h[2]]
    assert len(three) == len(four) > 5000 and len(links) > 200
    rest = [h for h in four if not h[2]]
    with Run(state) as run:
        part = {
            'version 3': that_work(run.port, '3', random.sample(three, n))}
    with Run(state) as run:
        # Others first: a link must not take the place of what it leads to.
        that_work(run.port, '4.2', links[::5])
        part['version 4'] = that_work(run.port, '4.2',
                                      random.sample(rest, n))
    print(part)
    assert part['version 3'] >= 0.78 and part['version 4'] >= 0.998, part
