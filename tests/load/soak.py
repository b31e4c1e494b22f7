"""Clients of NFS 4.1 that come, open, lock, write, and go; half of them
without a word.  When the leases of those have run out and somebody wants what
they held, nothing is left of them.
"""

import os
import re
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
LEASE = 5                       # seconds: the least there is
SHARED = 32                     # files that clients lock ranges of
PATIENCE = 120


def prepare(build):
    """The client's modules, made of proto/*.x."""
    made = tempfile.TemporaryDirectory()
    for name in ("nfs2", "nfs3", "nfs4", "mount", "portmap"):
        subprocess.run(
            [os.path.join(build, "pinefs-rpcgen"), "--lang=python", "-o",
             made.name + "/", os.path.join(SOURCE, "proto", name + ".x")],
            check=True, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
    sys.path[:0] = [made.name, os.path.join(SOURCE, "python"),
                    os.path.join(SOURCE, "tests/wire")]
    return made


class Soak:
    def __init__(self, build):
        self.modules = prepare(build)
        import nfs4_client
        import nfs4_ops
        import wire
        self.op, self.nfs4 = nfs4_ops, nfs4_client
        self.directory = tempfile.TemporaryDirectory()
        self.server = wire.Server(
            os.path.join(build, "pinefs"), self.directory.name,
            "--lease", str(LEASE), "--threads", "2", "--size", "256M",
            # Freed memory is to be used again soon, or more is no sign.
            env={"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
                 ":quarantine_size_mb=8"})
        with self.client() as c:
            self.root = c.root()
            self.dir = c.mkdir(self.root, b"soak", 0o777)
            self.shared = [c.make(self.dir, b"shared-%d" % i, bytes(4096))
                           for i in range(SHARED)]
            c.destroy()

    def client(self):
        return self.nfs4.Client1(self.server, 1)

    def free(self, c):
        """What the file system has left."""
        return c.attr(self.root, "space_free", "files_free")

    def resident(self):
        """KiB of memory that the server has."""
        with open("/proc/%d/status" % self.server.process.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])

    def busy(self, i):
        """Somebody with sessions, opens, locks, and a file of his own that
        has no name any more."""
        op, c = self.op, self.client()
        c.sessions = [c.session, c.create_session()]
        mine = c.new(self.dir, b"mine-%d" % i)
        c.ok(op.putfh(mine.fh), op.write(bytes(20000), s=mine.s))
        c.ok(op.putfh(self.dir), op.remove(b"mine-%d" % i), cache=True)
        c.lock(mine, 0, 100)
        shared = c.open(self.shared[i % SHARED], op.by_fh())
        at = i // SHARED * 10
        k = c.lock(shared, at, 10)
        c.lock_more(k, at, 2, op.READ)
        c.ok(op.putfh(shared.fh), op.write(b"x" * 10, at, s=k.s))
        c.opened, c.locked, c.at = [mine, shared], k, at
        return c

    def leave(self, c):
        """As a client does that is unmounted."""
        c.unlock(c.locked, c.at, 10)
        for opened in c.opened:
            c.close_file(opened)
        for s in c.sessions:
            assert c.bare(self.op.destroy_session(s.id)).status == 0
        assert c.bare(self.op.destroy_clientid(c.clientid)).status == 0
        c.close()

    def inherit(self, c):
        """Lock all that the dead have locked, once their leases are over."""
        op, end = self.op, time.monotonic() + PATIENCE
        for fh in self.shared:
            o = c.open(fh, op.by_fh())
            while c.try_lock(o, 0, op.ALL).status != 0:
                assert time.monotonic() < end, self.server.text()
                time.sleep(0.2)
            c.close_file(o)

    def alive(self, heir, do, arg):
        """Whatever takes its time, the heir's lease does not run out."""
        heir.root()
        return do(arg)

    def round(self, n):
        """n clients; afterwards all is as it was."""
        with self.client() as heir:
            before = self.free(heir)
            clients = [self.alive(heir, self.busy, i) for i in range(n)]
            for i, c in enumerate(clients):
                if i % 2:
                    self.alive(heir, self.leave, c)
                else:
                    c.close()
            self.inherit(heir)
            end = time.monotonic() + PATIENCE
            while self.free(heir) != before:
                assert time.monotonic() < end, (before, self.free(heir))
                time.sleep(0.2)
            heir.destroy()

    def stop(self):
        status = self.server.stop()
        text = self.server.text()
        assert not re.search(r"Sanitizer|runtime error", text), text
        assert status == 0, (status, text)
