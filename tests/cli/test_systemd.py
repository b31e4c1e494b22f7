"""What a service manager hands over: sockets ($LISTEN_FDS) and a place to
report to ($NOTIFY_SOCKET); here without one."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

BUILD = os.environ.get("PINEFS_BUILD", "build")
PINEFS = os.path.join(BUILD, "pinefs")

pytestmark = pytest.mark.skipif(not os.path.exists(PINEFS),
                                reason="pinefs is not built")

# Becomes the command with the sockets as descriptors from 3 on, as a manager
# would have it: LISTEN_PID is its own process.
START = """
import os, sys
fds, pid, names, command = eval(sys.argv[1]), *sys.argv[2:4], sys.argv[4:]
high = [os.dup(fd) for fd in fds]
while high and min(high) < 3 + len(fds):
    high = [os.dup(fd) for fd in high]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i, inheritable=True)
os.environ["LISTEN_FDS"] = str(len(fds))
os.environ["LISTEN_PID"] = pid or str(os.getpid())
if names:
    os.environ["LISTEN_FDNAMES"] = names
os.execv(command[0], command)
"""


def start(tmp_path, sockets, *args, names="", pid="", what=("-f", "mem"),
          **environment):
    return subprocess.Popen(
        [sys.executable, "-c", START, repr([s.fileno() for s in sockets]), pid,
         names, PINEFS, *what, "--no-portmap", "--state-dir",
         str(tmp_path / "state"), *args],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, pass_fds=[s.fileno() for s in sockets],
        env=dict(os.environ, **environment))


def end(process, sig=signal.SIGTERM):
    if sig is not None:
        process.send_signal(sig)
    out, err = process.communicate(timeout=30)
    return process.returncode, err.decode()


def tcp(addr="127.0.0.1", family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.bind((addr, 0))
    s.listen()
    return s


def udp(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", port))
    return s


def null(program, version):
    return b"".join(n.to_bytes(4, "big") for n in
                    (77, 0, 2, program, version, 0, 0, 0, 0, 0))


NFS, MOUNT = (100003, 3), (100005, 3)


def status_of(reply):
    """accept_stat of a reply to `null`; 1: no such program."""
    assert reply[:4] == b"\0\0\0\x4d", reply
    return int.from_bytes(reply[20:24], "big")


def ask_tcp(port, what):
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        call = null(*what)
        s.sendall((0x80000000 | len(call)).to_bytes(4, "big") + call)
        reply = b""
        while len(reply) < 28:
            more = s.recv(100)
            assert more, reply
            reply += more
        return status_of(reply[4:])


def ask_udp(port, what):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        s.connect(("127.0.0.1", port))
        s.send(null(*what))
        return status_of(s.recv(100))


class Manager:
    """The socket that a service reports to."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name.replace("@", "\0", 1) if name[0] == "@"
                         else name)
        self.socket.settimeout(30)
        self.name = name

    def heard(self):
        return dict(line.split("=", 1) for line in
                    self.socket.recv(1000).decode().split("\n"))


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    it = Manager(str(tmp_path / "notify") if request.param == "path"
                 else "@pinefs-test-%d" % os.getpid())
    yield it
    it.socket.close()


def test_it_tells_that_it_is_ready_and_that_it_ends(tmp_path, manager):
    process = start(tmp_path, [], "--port", "0", "--mount-port", "0",
                    NOTIFY_SOCKET=manager.name)
    ready = manager.heard()
    assert ready["READY"] == "1"
    port = int(re.search(r"on 127\.0\.0\.1 port (\d+)", ready["STATUS"])[1])
    assert ask_tcp(port, NFS) == 0
    process.send_signal(signal.SIGTERM)
    assert manager.heard()["STOPPING"] == "1"
    assert end(process, None)[0] == 0


def test_it_tells_that_it_reads_its_exports_again(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    exports = tmp_path / "exports"
    exports.write_text("%s *(rw)\n" % tmp_path)
    with manager.socket:
        process = start(tmp_path, [], "--exports", str(exports), "--port", "0",
                        "--mount-port", "0", what=(),
                        NOTIFY_SOCKET=manager.name)
        assert manager.heard()["READY"] == "1"
        before = time.clock_gettime(time.CLOCK_MONOTONIC)
        process.send_signal(signal.SIGHUP)
        told = manager.heard()
        assert told["RELOADING"] == "1"
        assert int(told["MONOTONIC_USEC"]) >= int(before * 1e6)
        assert manager.heard() == {"READY": "1"}
        process.send_signal(signal.SIGTERM)
        assert manager.heard()["STOPPING"] == "1"
    assert end(process, None)[0] == 0


def test_inherited_sockets_are_served_and_no_others(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    nfs, mount = tcp(), tcp()
    port, mount_port = nfs.getsockname()[1], mount.getsockname()[1]
    with nfs, mount, udp(port) as datagrams, manager.socket, tcp() as other:
        # The port that is named is busy: nobody asks for it.
        process = start(tmp_path, [nfs, mount, datagrams], "--port",
                        str(other.getsockname()[1]),
                        names="nfs:mount:nfs", NOTIFY_SOCKET=manager.name)
        assert manager.heard()["STATUS"].endswith("port %d" % port)
    assert ask_tcp(port, NFS) == 0 and ask_tcp(port, MOUNT) == 0
    assert ask_udp(port, NFS) == 0
    assert ask_tcp(mount_port, MOUNT) == 0 and ask_tcp(mount_port, NFS) == 1
    status, err = end(process)
    assert status == 0, err
    assert "serving mem on 127.0.0.1:%d " % port in err


def test_without_a_datagram_socket_there_is_no_udp(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    with tcp() as nfs, manager.socket:
        port = nfs.getsockname()[1]
        process = start(tmp_path, [nfs], NOTIFY_SOCKET=manager.name)
        manager.heard()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", port))      # nobody has it
    assert end(process)[0] == 0


def test_sockets_meant_for_another_process_are_left_alone(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    with tcp() as nfs, manager.socket:
        process = start(tmp_path, [nfs], "--port", "0", "--mount-port", "0",
                        pid="1", NOTIFY_SOCKET=manager.name)
        status = manager.heard()["STATUS"]
        assert not status.endswith("port %d" % nfs.getsockname()[1])
    assert end(process)[0] == 0


def unix():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind("\0pinefs-test-%d" % os.getpid())
    s.listen()
    return s


def not_listening():
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.bind(("127.0.0.1", 0))
    return s


def raw_file():
    return open("/dev/null", "rb")


@pytest.mark.parametrize("make, says, status", [
    (unix, "descriptor 3, x y is neither of IPv4 nor of IPv6", 64),
    (not_listening, "Accept=no", 64),
    (raw_file, "is no socket", 64),
    (lambda: udp(0), "ListenStream=", 64),
    (lambda: tcp("0.0.0.0"), "--allow", 77)])
def test_what_cannot_be_served_on_is_named(tmp_path, make, says, status):
    with make() as s:
        process = start(tmp_path, [s], names="x y")
        is_, err = end(process, None)
    assert is_ == status
    assert says in err, err
    assert len(err.splitlines()) == 1, err


def test_names_of_sockets_are_escaped(tmp_path):
    with unix() as s:
        status, err = end(start(tmp_path, [s], names="a\033b"), None)
    assert status == 64 and "a\\x1bb" in err


@pytest.mark.parametrize("name", ["nowhere", "/no/such/socket", "@"])
def test_a_manager_that_cannot_be_told_is_a_warning(tmp_path, name):
    process = start(tmp_path, [], "--port", "0", "--mount-port", "0",
                    "--ready-fd", "1", NOTIFY_SOCKET=name)
    assert process.stdout.read(1) == b"\n"
    status, err = end(process)
    assert status == 0
    assert "warning: NOTIFY_SOCKET=" + name in err
