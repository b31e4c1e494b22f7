"""`pinefs` and the portmapper: Debian's rpcbind, in namespaces of its own."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest

from test_cli import PINEFS, Running, lines

pytestmark = pytest.mark.skipif(not os.path.exists(PINEFS),
                                reason="pinefs is not built")

RPCBIND, NFS, MOUNT = 100000, 100003, 100005
SET, DUMP = 1, 4
SBIN = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

# What stays: a /run of its own, and nobody at any port.
INSIDE = """mount -t tmpfs -o mode=755 run /run && mkdir /run/rpcbind &&
    ip link set lo up && echo ready && exec cat"""

# Answers everything, over UDP only.
UDP_SERVER = """
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
while True:
    call, peer = s.recvfrom(9000)
    s.sendto(call[:4] + struct.pack(">5I", 1, 0, 0, 0, 0), peer)
"""


def text(data):
    data = data.encode()
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


class Rows:
    """The results of a call, from the front."""

    def __init__(self, data):
        self.data = data

    def number(self):
        value, self.data = struct.unpack(">I", self.data[:4])[0], self.data[4:]
        return value

    def text(self):
        length = self.number()
        value = self.data[:length].decode()
        self.data = self.data[length + -length % 4:]
        return value


class Rpcbind:
    """Namespaces, rpcbind in them, and a connection to it."""

    def __init__(self):
        self.started = []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)

    def begin(self):
        self.place = self.popen(
            ["unshare", "-n", "-m", "sh", "-c", INSIDE],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.place.stdout.readline() != b"ready\n":
            why = self.place.communicate()[1].decode()
            pytest.skip("no namespaces here: " + " ".join(why.split()))
        self.daemon = self.popen(self.inside("rpcbind", "-f"))
        until = time.monotonic() + 20
        while self.socket.connect_ex(self.path("run/rpcbind.sock")) != 0:
            assert self.daemon.poll() is None, "rpcbind ended"
            assert time.monotonic() < until, "rpcbind does not listen"
            time.sleep(0.01)

    def popen(self, command, **how):
        command = [shutil.which(command[0], path=SBIN) or command[0],
                   *command[1:]]
        child = subprocess.Popen(command, stdout=subprocess.PIPE,
                                 **{"stdin": subprocess.DEVNULL, **how})
        self.started.append(child)
        return child

    def inside(self, program, *args):
        return [shutil.which("nsenter"), "-t", str(self.place.pid), "-n", "-m",
                shutil.which(program, path=SBIN), *args]

    def path(self, name):
        return "/proc/%d/root/%s" % (self.place.pid, name)

    def end(self):
        self.socket.close()
        for child in reversed(self.started):
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.terminate()
            child.communicate()

    def call(self, procedure, args=b""):
        call = struct.pack(">10I", 1, 0, 2, RPCBIND, 4, procedure, 0, 0, 0, 0)
        call += args
        self.socket.sendall(struct.pack(">I", 1 << 31 | len(call)) + call)
        reply, last = b"", 0
        while not last:
            head, = struct.unpack(">I", self.take(4))
            last = head >> 31
            reply += self.take(head & 0x7fffffff)
        assert reply[:24] == struct.pack(">6I", 1, 1, 0, 0, 0, 0)
        return Rows(reply[24:])

    def take(self, n):
        data = self.socket.recv(n, socket.MSG_WAITALL)
        assert len(data) == n
        return data

    def hide(self):
        """Its socket, from who has no connection yet."""
        os.unlink(self.path("run/rpcbind.sock"))

    def set(self, program, version, netid, address):
        """As somebody else would."""
        args = struct.pack(">2I", program, version)
        args += text(netid) + text(address) + text("superuser")
        assert self.call(SET, args).number() == 1

    def known(self):
        """{(program, version, netid): address}, but for its own."""
        rows, known = self.call(DUMP), {}
        while rows.number():
            program, version = rows.number(), rows.number()
            netid, address, _ = rows.text(), rows.text(), rows.text()
            if program != RPCBIND:
                known[program, version, netid] = address
        return known

    def start(self, tmp_path, *args):
        server = Running(tmp_path, *args, within=self.inside(
            "env", "-C", os.getcwd()))
        self.started.append(server.process)
        assert server.ready == b"\n"
        return server


@pytest.fixture
def rpcbind():
    for program in ("rpcbind", "unshare", "nsenter", "ip"):
        if shutil.which(program, path=SBIN) is None:
            pytest.skip("no %s here" % program)
    there = Rpcbind()
    try:
        there.begin()
        yield there
    finally:
        there.end()


def rows(port=2049, mount_port=5555):
    """What a server with these ports is to register, and nothing else."""
    known = {}
    for program, versions, at in ((NFS, (2, 3, 4), port),
                                  (MOUNT, (1, 3), mount_port)):
        for version in versions:
            for netid in ("tcp", "udp", "tcp6", "udp6"):
                if (version, netid[:3]) == (4, "udp"):
                    continue
                known[program, version, netid] = "%s.%d.%d" % (
                    "::1" if netid[-1] == "6" else "127.0.0.1",
                    at >> 8, at & 255)
    return known


def known_to(version):
    """The same, told by this version."""
    return rows() if version > 2 else {
        row: address.replace("127.0.0.1", "0.0.0.0")
        for row, address in rows().items() if row[2][-1] != "6"}


ELSEWHERE = "--port", "3049", "--mount-port", "3050"


def about_portmapper(err):
    return [line for line in lines(err) if "portmapper" in line]


def ends_well(server, said=0):
    status, _, err = server.end()
    assert status == 0, err
    assert len(about_portmapper(err)) == said, err


def test_all_programs_are_registered_and_withdrawn_at_the_end(
        rpcbind, tmp_path):
    server = rpcbind.start(tmp_path)
    assert rpcbind.known() == rows()
    ends_well(server)
    assert rpcbind.known() == {}


def test_no_portmap_registers_nothing(rpcbind, tmp_path):
    server = rpcbind.start(tmp_path, "--no-portmap")
    assert rpcbind.known() == {}
    ends_well(server)


def test_tcp_alone_registers_no_udp(rpcbind, tmp_path):
    server = rpcbind.start(tmp_path, "-t")
    assert rpcbind.known() == {row: address for row, address in rows().items()
                               if row[2][:3] == "tcp"}
    ends_well(server)


@pytest.mark.parametrize("args, expected", [
    ([], rows()), (ELSEWHERE, rows(3049, 3050))], ids=["same", "elsewhere"])
def test_what_a_killed_server_left_is_replaced(rpcbind, tmp_path, args,
                                               expected):
    rpcbind.start(tmp_path).end(signal.SIGKILL)
    assert rpcbind.known() == rows()
    server = rpcbind.start(tmp_path, *args)
    assert rpcbind.known() == expected
    ends_well(server)
    assert rpcbind.known() == {}


def test_what_was_left_at_our_own_port_is_replaced(rpcbind, tmp_path):
    """By a killed server that listened everywhere."""
    for (program, version, netid), address in rows().items():
        rpcbind.set(program, version, netid, address.replace(
            "127.0.0.1", "0.0.0.0").replace("::1", "::"))
    server = rpcbind.start(tmp_path)
    assert rpcbind.known() == rows()
    ends_well(server)
    assert rpcbind.known() == {}


def test_the_entries_of_a_living_server_are_kept(rpcbind, tmp_path):
    first = rpcbind.start(tmp_path)
    second = rpcbind.start(tmp_path / "second", *ELSEWHERE)
    assert rpcbind.known() == rows()
    ends_well(second, said=1)
    assert rpcbind.known() == rows()
    ends_well(first)
    assert rpcbind.known() == {}


@pytest.mark.parametrize("version", [4, 2])
def test_a_living_server_over_udp_alone_is_kept(rpcbind, tmp_path, version):
    """Nobody listens over TCP at the port of rpc.mountd's UDP.  Nor is an
    address that tells nothing anybody dead."""
    if version == 2:
        rpcbind.hide()
    other = rpcbind.popen(rpcbind.inside("python3", "-c", UDP_SERVER, "4000"))
    assert other.stdout.readline() == b"ready\n"
    mine = {(MOUNT, 1, "udp"): "127.0.0.1.15.160",
            (MOUNT, 3, "udp"): "0.0.0.0.15.160",
            (NFS, 2, "tcp"): "nowhere"}
    for row, address in mine.items():
        rpcbind.set(*row, address)
    server = rpcbind.start(tmp_path)
    assert rpcbind.known() == {**known_to(version), **mine}
    ends_well(server, said=1)
    assert rpcbind.known() == mine


def test_rpcbind_may_end_before_the_server(rpcbind, tmp_path):
    server = rpcbind.start(tmp_path)
    rpcbind.daemon.kill()
    rpcbind.daemon.wait()
    ends_well(server)


def test_rpcbind_that_answers_nothing_is_none(rpcbind, tmp_path):
    rpcbind.daemon.send_signal(signal.SIGSTOP)
    server = rpcbind.start(tmp_path)
    ends_well(server, said=1)


def test_without_its_socket_the_old_portmapper_is_told(rpcbind, tmp_path):
    """Version 2, which has no IPv6 and no addresses."""
    rpcbind.hide()
    server = rpcbind.start(tmp_path)
    assert rpcbind.known() == known_to(2)
    ends_well(server)
    assert rpcbind.known() == {}
