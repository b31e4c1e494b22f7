"""What a running server tells its user: run directory, control socket."""

import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import pytest

from test_cli import PINEFS, QUIET, Running, has_ipv6

pytestmark = pytest.mark.skipif(not os.path.exists(PINEFS),
                                reason="pinefs is not built")


@pytest.fixture(name="server", scope="module")
def run_server(run_dir, tmp_path_factory):
    running = Running(tmp_path_factory.mktemp("server"), *QUIET)
    assert running.ready == b"\n"
    running.dir = run_dir
    yield running
    status, _, err = running.end()
    assert status == 0, err
    assert list(run_dir.iterdir()) == []


def record(server):
    path = server.dir / ("%d.json" % server.process.pid)
    return json.loads(path.read_text())


@contextlib.contextmanager
def connected(server):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(str(server.dir / ("%d.sock" % server.process.pid)))
        yield s


def read_all(s):
    parts = []
    while data := s.recv(65536):
        parts.append(data)
    return b"".join(parts)


def ask(server, request):
    """The lines of an answer."""
    with connected(server) as s:
        s.sendall(request.encode() + b"\n")
        return [json.loads(line) for line in read_all(s).splitlines()]


def pinefs(*args, **more):
    """Run a command to its end."""
    return subprocess.run([PINEFS, *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, check=False, text=True, **more)


# ------------------------------------------------------------------ record --

def test_the_record_says_what_is_served_and_where(server):
    r = record(server)
    assert r["pid"] == server.process.pid and r["id"] == str(r["pid"])
    assert r["what"] == "mem" and r["exports"] == ["/"]
    assert r["addr"] == "127.0.0.1" and r["port"] > 0
    assert r["mount_port"] == 0 and r["mounts"] == [] and r["source"] == ""
    assert r["uid"] == os.geteuid()
    assert abs(r["started"] - time.time()) < 3600
    socket.create_connection(("127.0.0.1", r["port"]), 5).close()
    assert ask(server, "info") == [r]


def test_the_directory_is_private(server):
    assert server.dir.stat().st_mode & 0o7777 == 0o700
    for path in server.dir.iterdir():
        assert path.name.split(".")[0] == str(server.process.pid)


def test_mounts_are_written_into_the_record(server):
    for name in ("/mnt/a b", "/mnt/\"\\\u00e9", "/mnt/a b"):
        answer = ask(server, "mounted " + json.dumps({"dir": name}))
        assert answer == [{"type": "done"}]
    assert record(server)["mounts"] == ["/mnt/a b", "/mnt/\"\\\u00e9"]
    ask(server, 'source {"source": "mem:"}')
    assert record(server)["source"] == "mem:"
    for name in ("/mnt/a b", "/mnt/\"\\\u00e9", "/never"):
        ask(server, "unmounted " + json.dumps({"dir": name}))
    assert record(server)["mounts"] == []
    assert [x["type"] for x in ask(server, "mounted {}")] == ["error"]


def test_a_record_of_a_killed_server_is_left_behind(
        run_dir, tmp_path):
    server = Running(tmp_path, *QUIET)
    server.dir = run_dir
    r = record(server)
    server.end(signal.SIGKILL)
    assert record(server) == r
    for path in run_dir.glob("%d.*" % r["pid"]):
        path.unlink()


def test_a_directory_that_others_may_enter_is_not_used(tmp_path):
    (tmp_path / "pinefs").mkdir(mode=0o755)
    (tmp_path / "pinefs").chmod(0o755)
    server = Running(tmp_path, *QUIET, within=["env", "XDG_RUNTIME_DIR=%s"
                                               % tmp_path])
    assert server.ready == b"\n"
    status, _, err = server.end()
    assert status == 0
    warnings = [x for x in err.splitlines() if "not yours alone" in x]
    assert len(warnings) == 1 and "set XDG_RUNTIME_DIR" in warnings[0]
    assert list((tmp_path / "pinefs").iterdir()) == []


def test_without_control_there_is_nothing(run_dir, tmp_path):
    before = set(run_dir.iterdir())
    server = Running(tmp_path, *QUIET, "--no-control")
    assert set(run_dir.iterdir()) == before
    assert server.end()[0] == 0


# ------------------------------------------------------------------ socket --

@pytest.mark.parametrize("request_line", [
    "", " ", "nothing", "stat {", "stat []", "stat {}}", "stat \x01",
    "mounted", 'mounted {"dir": 7}', 'mounted {"dir": "relative"}',
    "mounted " + '{"a":' * 1000, "x" * 8000,
])
def test_what_is_no_request_is_told_so(server, request_line):
    answer = ask(server, request_line)
    assert [x["type"] for x in answer] == ["error"]


@pytest.mark.parametrize("junk", [
    b"x" * 100000, b"stat\0\n", b"\0" * 9000, b"\n" * 50000,
    b"\xff" * 8191 + b"\n",
], ids=["long", "NUL", "NULs", "many", "bytes"])
def test_junk_harms_nobody(server, junk):
    with connected(server) as s:
        with contextlib.suppress(OSError):
            s.sendall(junk)
            s.shutdown(socket.SHUT_WR)
            read_all(s)
    assert ask(server, "info") == [record(server)]


def test_a_request_may_come_in_pieces(server):
    with connected(server) as s:
        for byte in b"info\n":
            s.send(bytes([byte]))
        assert json.loads(read_all(s)) == record(server)


@pytest.mark.parametrize("request_line", ["info", "stat"])
def test_who_has_said_all_may_still_read(server, request_line):
    with connected(server) as s:
        s.sendall(request_line.encode() + b"\n")
        s.shutdown(socket.SHUT_WR)
        assert record(server) in map(json.loads, read_all(s).splitlines())


def test_more_readers_than_there_is_room_for_are_told_so(server):
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connected(server)) for _ in range(24)]
        idle[0].sendall(b"info\n")
        assert json.loads(read_all(idle[0])) == record(server)
        assert json.loads(read_all(idle[-1]))["type"] == "error"
        for s in idle:
            s.close()
    assert ask(server, "info") == [record(server)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another")
def test_another_user_is_not_answered(server):
    """Even where the directory does not keep him out."""
    code = ("import os, socket, sys\n"
            "s = socket.socket(socket.AF_UNIX)\n"
            "os.chdir(sys.argv[1]); os.setuid(65534)\n"
            "s.connect(sys.argv[2])\n"
            "try: s.send(b'info\\n'); sys.exit(len(s.recv(100)))\n"
            "except (BrokenPipeError, ConnectionResetError): pass\n")
    parent = server.dir.parent
    server.dir.chmod(0o711)
    path = server.dir / ("%d.sock" % server.process.pid)
    path.chmod(0o777)
    try:
        done = subprocess.run(
            ["/usr/bin/python3", "-c", code, str(server.dir), path.name],
            cwd=parent, stderr=subprocess.PIPE, check=False, timeout=60)
    finally:
        server.dir.chmod(0o700)
    assert done.returncode == 0, done.stderr


def test_stop_ends_it(run_dir, tmp_path):
    server = Running(tmp_path, *QUIET)
    server.dir = run_dir
    assert ask(server, "stop") == [{"type": "done"}]
    assert server.process.wait(20) == 0
    server.end()


# -------------------------------------------------------------------- pyfs --

def test_pyfs_has_a_record_too(run_dir, tmp_path):
    if not os.path.exists(os.path.join(os.path.dirname(PINEFS), "python")):
        pytest.skip("pyfs is not built")
    if "san" in os.path.basename(os.path.dirname(os.path.abspath(PINEFS))):
        pytest.skip("the module has sanitizers, the interpreter has not")
    read, write = os.pipe()
    with subprocess.Popen(
            [PINEFS, "-f", "py", "--no-loop", "--port", "0", "--mount-port",
             "0", "--no-portmap", "--state-dir", str(tmp_path), "--ready-fd",
             str(write)], pass_fds=[write], stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE) as process:
        os.close(write)
        with os.fdopen(read, "rb") as ready:
            assert ready.read() == b"\n"
        r = json.loads((run_dir / ("%d.json" % process.pid)).read_text())
        assert r["what"] == "py" and r["port"] > 0
        process.terminate()
        process.communicate(timeout=30)
    assert not (run_dir / ("%d.json" % process.pid)).exists()


# -------------------------------------------------------------------- stat --

def call_null(s):
    """NULL of NFS 3."""
    s.sendall(b"".join(n.to_bytes(4, "big") for n in
              (0x80000000 | 40, 77, 0, 2, 100003, 3, 0, 0, 0, 0, 0)))
    assert s.recv(1000)[4:8] == (77).to_bytes(4, "big")


def null_call(port):
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        call_null(s)


def rows(done, kind):
    assert done.returncode == 0, done.stderr
    return [x for x in map(json.loads, done.stdout.splitlines())
            if x["type"] == kind]


def test_stat_counts_calls(server):
    r = record(server)
    before = rows(pinefs("stat", "--json"), "counters")[0]
    null_call(r["port"])
    done = pinefs("stat", "--json", r["id"])
    after = rows(done, "counters")[0]
    assert after["calls"] == before["calls"] + 1
    assert after["accepted"] == before["accepted"] + 1
    assert rows(done, "server") == [r]


def test_stat_finds_a_server_by_its_port(server):
    r = record(server)
    done = pinefs("stat", ":%d" % r["port"])
    assert done.returncode == 0, done.stderr
    assert "mem" in done.stdout and "calls" in done.stdout
    done = pinefs("stat", ":1")
    assert done.returncode == 69


def test_of_several_servers_one_must_be_named(server, tmp_path):
    second = Running(tmp_path, *QUIET)
    done = pinefs("stat")
    assert done.returncode == 64
    for pid in (server.process.pid, second.process.pid):
        assert "%d: mem on port" % pid in done.stderr
    assert second.end()[0] == 0


def test_without_a_server_stat_says_how_to_start_one(tmp_path):
    env = dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path))
    done = pinefs("stat", env=env)
    assert done.returncode == 69
    assert "pinefs -f" in done.stderr and str(tmp_path) in done.stderr


# --------------------------------------------------------------------- top --

def top(*args):
    done = pinefs("top", "--json", "--interval", "0.05", "--count", "1",
                  *args)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_top_tells_what_came_in_the_interval(server):
    port = record(server)["port"]
    with subprocess.Popen(
            [PINEFS, "top", "--json", "--interval", "0.05"],
            stdout=subprocess.PIPE, text=True) as process:
        seen = {}
        first = json.loads(process.stdout.readline())
        assert first["type"] == "server"
        with socket.create_connection(("127.0.0.1", port), 20) as s:
            while not {"procedure", "client"} <= set(seen):
                call_null(s)
                while (row := json.loads(process.stdout.readline()))[
                        "type"] != "end":
                    seen.setdefault(row["type"], row)
            name = "127.0.0.1:%d" % s.getsockname()[1]
        process.kill()
        process.communicate()
    assert seen["interval"]["seconds"] > 0
    row = seen["procedure"]
    assert (row["program"], row["procedure"]) == ("NFS_V3", "NULL")
    assert row["status"] == "OK" and row["timed"] == row["calls"] > 0
    assert 0 < row["p50_us"] <= row["p99_us"]
    assert seen["client"]["client"] == name
    assert seen["client"]["uid"] == os.geteuid()


def test_who_watches_no_more_costs_no_more(server):
    """Calls are timed while somebody watches, and not after."""
    port = record(server)["port"]

    def timed():
        return sum(row.get("timed", 0) for row in
                   rows(pinefs("stat", "--json"), "procedure"))

    top()
    before = timed()
    null_call(port)
    assert timed() == before


def test_a_reader_that_takes_nothing_slows_nobody(server):
    """Of a stream: what it does not take is left out."""
    with connected(server) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        slow.sendall(b'top {"interval_ms":50}\n')
        for _ in range(50):
            null_call(record(server)["port"])
            assert len(ask(server, "stat")) > 2


@pytest.mark.parametrize("args", [
    ["top", "--interval", "0"], ["top", "--interval", "x"],
    ["top", "--count", "-1"], ["top", "a", "b"], ["stat", "a", "b"],
], ids=" ".join)
def test_wrong_usage_is_one_line(server, args):
    done = pinefs(*args)
    assert done.returncode == 64
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_tables_are_for_people(server):
    null_call(record(server)["port"])
    done = pinefs("stat")
    assert "NFS_V3 NULL" in done.stdout and "PROCEDURE" in done.stdout
    done = pinefs("top", "-i", "0.05", "-n", "2")
    assert done.returncode == 0
    assert done.stdout.count("calls/s") == 2
    assert "\x1b" not in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has others' files")
def test_the_directory_of_another_user_is_left_to_him(tmp_path):
    """As after su -c, which keeps XDG_RUNTIME_DIR."""
    os.chown(tmp_path, 1234, -1)
    done = pinefs("stat", env=dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path)))
    assert done.returncode != 77 and str(tmp_path) not in done.stderr
    server = Running(tmp_path, *QUIET, within=[
        "env", "XDG_RUNTIME_DIR=%s" % tmp_path])
    assert not (tmp_path / "pinefs").exists()
    assert server.end()[0] == 0


@pytest.mark.skipif(not os.access("/run", os.W_OK), reason="not root")
def test_root_may_ask_a_service_and_other_users(tmp_path):
    base = tempfile.mkdtemp(prefix="pinefs-test-", dir="/run")
    try:
        server = Running(tmp_path, *QUIET, within=[
            "env", "XDG_RUNTIME_DIR=%s" % base])
        pid = str(server.process.pid)
        os.chown(base + "/pinefs", 1234, -1)
        os.chown(base, 1234, -1)
        done = pinefs("stat", pid, env=dict(
            os.environ, XDG_RUNTIME_DIR=str(tmp_path)))
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("server %s: mem" % pid)
        os.chmod(base + "/pinefs", 0o711)
        assert pinefs("stat", pid).returncode == 69
        assert server.end()[0] == 0
    finally:
        shutil.rmtree(base)


# -------------------------------------------------------- what may go wrong --

@contextlib.contextmanager
def own_server(tmp_path, *args, **more):
    """With a run directory of its own."""
    server = Running(tmp_path, *QUIET, *args, **more, within=[
        "env", "XDG_RUNTIME_DIR=%s" % tmp_path])
    assert server.ready == b"\n"
    server.dir = tmp_path / "pinefs"
    server.env = dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path))
    try:
        yield server
    finally:
        server.end(signal.SIGKILL)


def threads(server):
    """{thread: (ticks of CPU, times it went to sleep)}."""
    seen = {}
    base = "/proc/%d/task/" % server.process.pid
    for name in os.listdir(base):
        with open(base + name + "/stat") as stat, \
                open(base + name + "/status") as status:
            ticks = stat.read().rsplit(")", 1)[1].split()[11:13]
            sleeps = [x for x in status if x.startswith("voluntary")]
        seen[name] = sum(map(int, ticks)), int(sleeps[0].split()[1])
    return seen


def test_without_descriptors_nobody_spins_and_without_clients_nobody_wakes(
        tmp_path):
    with own_server(tmp_path) as server:
        before = threads(server)
        ask(server, "info")
        after = threads(server)
        ours = max(before, key=lambda x: after[x][1] - before[x][1])
        for _ in range(4):
            before = threads(server)
            time.sleep(2.2)
            if (after := threads(server))[ours][1] == before[ours][1]:
                break
        assert after[ours][1] == before[ours][1]
        pid = server.process.pid
        hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (64, hard))
        with contextlib.ExitStack() as stack:
            port = record(server)["port"]
            for _ in range(64):
                stack.enter_context(
                    socket.create_connection(("127.0.0.1", port), 20))
            while len(os.listdir("/proc/%d/fd" % pid)) < 64:
                time.sleep(0.01)
            s = stack.enter_context(connected(server))
            s.sendall(b"info\n")
            before = threads(server)
            time.sleep(1)
            after = threads(server)
            assert max(after[x][0] - before[x][0] for x in before) < 20
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (256, hard))
            assert json.loads(read_all(s)) == record(server)


def test_a_run_directory_that_vanished_is_made_again(tmp_path):
    with own_server(tmp_path) as server:
        before = record(server)
        shutil.rmtree(server.dir)
        deadline = time.monotonic() + 30
        while not (server.dir / ("%d.json" % before["pid"])).exists():
            server.process.send_signal(signal.SIGUSR1)  # as each minute
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert ask(server, "info") == [before] == [record(server)]
        (server.dir / ("%d.sock" % before["pid"])).unlink()
        while not (server.dir / ("%d.sock" % before["pid"])).exists():
            server.process.send_signal(signal.SIGUSR1)
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert ask(server, "info") == [before]
        assert server.end()[0] == 0
        assert list(server.dir.iterdir()) == []


def test_a_server_that_is_stopped_hangs_nobody(tmp_path):
    with own_server(tmp_path) as server, contextlib.ExitStack() as stack:
        server.process.send_signal(signal.SIGSTOP)
        for _ in range(200):
            s = stack.enter_context(socket.socket(socket.AF_UNIX))
            s.setblocking(False)
            try:
                s.connect(str(server.dir / ("%d.sock" % server.process.pid)))
            except BlockingIOError:
                break
        done = pinefs("stat", env=server.env)
        assert done.returncode == 69 and "stopped, or busy" in done.stderr
        server.process.send_signal(signal.SIGCONT)


def test_whose_answer_is_cut_is_told_so(tmp_path):
    with own_server(tmp_path) as server, subprocess.Popen(
            [PINEFS, "top", "--json"], env=server.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE) as top:
        assert json.loads(top.stdout.readline())["type"] == "server"
        assert server.end()[0] == 0
        err = top.communicate(timeout=30)[1]
        assert top.returncode == 74 and "has ended" in err
    for args in (["stat"], ["stat", "--json"], ["top", "-n", "1"]):
        with own_server(tmp_path) as server, open("/dev/full", "w") as full:
            done = subprocess.run([PINEFS, *args], env=server.env,
                                  stdout=full, timeout=60, check=False)
            assert done.returncode == 74, args


def test_a_stream_may_be_read_as_slowly_as_one_likes(server):
    """Unless somebody else wants its place."""
    with contextlib.ExitStack() as stack:
        paused = []
        for _ in range(16):
            s = stack.enter_context(connected(server))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            s.sendall(b'top {"interval_ms":50}\n')
            assert json.loads(s.recv(65536))["type"] == "server"
            paused.append(s)
        done = pinefs("stat", str(server.process.pid))
        assert done.returncode == 69 and "too many" in done.stderr


def test_a_living_socket_of_the_same_number_is_left_alone(tmp_path):
    """As another namespace of processes has it."""
    (tmp_path / "pinefs").mkdir(mode=0o700)
    # The number is known before the server is: exec keeps it.
    code = ("import os, socket, sys\n"
            "os.chdir(os.environ['XDG_RUNTIME_DIR'] + '/pinefs')\n"
            "s = socket.socket(socket.AF_UNIX)\n"
            "s.bind('%d.sock' % os.getpid()); s.listen(); "
            "s.set_inheritable(True)\n"
            "os.chdir('/'); os.execv(sys.argv[1], sys.argv[1:])\n")
    read, write = os.pipe()
    with subprocess.Popen(
            ["/usr/bin/python3", "-c", code, os.path.abspath(PINEFS), "-f",
             "mem", *QUIET, "--state-dir", str(tmp_path / "s"), "--ready-fd",
             str(write)], env=dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path)),
            pass_fds=[write], stderr=subprocess.PIPE) as process:
        os.close(write)
        with os.fdopen(read, "rb") as ready:
            assert ready.read() == b"\n"
        process.terminate()
        err = process.communicate(timeout=30)[1].decode()
    assert "no control socket: Address already in use" in err
    assert [x.name for x in (tmp_path / "pinefs").iterdir()] == [
        "%d.sock" % process.pid]


# ------------------------------------------------------------------- trace --

@pytest.mark.parametrize("client, seen", [
    ("::1", True), ("[::1]", True), ("[::1]:PORT", True),
    ("0:0:0:0:0:0:0:1", True), ("[::1]:1", False), ("::2", False),
    ("127.0.0.1", False)])
def test_trace_knows_a_client_however_it_is_written(server, client, seen):
    if not has_ipv6():
        pytest.skip("no ::1 here")
    port = record(server)["port"]
    with connected(server) as s, connected(server) as every, \
            socket.create_connection(("::1", port), 20) as nfs:
        client = client.replace("PORT", str(nfs.getsockname()[1]))
        lines = []
        for x, args in ((s, {"client": client}), (every, {})):
            x.sendall(b"trace " + json.dumps(args).encode() + b"\n")
            lines.append(x.makefile("r"))
            assert json.loads(lines[-1].readline())["type"] == "server"
        call_null(nfs)
        assert json.loads(lines[1].readline())["type"] == "call"
        s.settimeout(20 if seen else 0.05)
        if seen:
            row = json.loads(lines[0].readline())
            assert row["client"].startswith("[::1]:")
        else:
            with pytest.raises(TimeoutError):
                lines[0].readline()


@pytest.mark.parametrize("client", ["localhost", "[::1", "::1]:7", ":", "[",
                                    "127.0.0.1:x", "[127.0.0.1]x"])
def test_trace_refuses_what_is_no_address(server, client):
    done = pinefs("trace", "--client", client)
    assert done.returncode == 69 and "no address" in done.stderr


def test_another_connection_of_the_same_port_is_counted_anew(server):
    """It has made more calls, of fewer bytes."""
    port = record(server)["port"]
    linger = struct.pack("ii", 1, 0)            # no TIME_WAIT
    with connected(server) as s, socket.socket() as first, \
            socket.socket() as second:
        s.sendall(b'top {"interval_ms":400}\n')
        top = s.makefile("r")
        for x in (first, second):
            x.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            x.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        first.connect(("127.0.0.1", port))
        name = first.getsockname()
        words = [77, 0, 2, 100003, 3, 0, 0, 400] + [0] * 102
        first.sendall(b"".join(n.to_bytes(4, "big") for n in
                               [0x80000000 | 4 * len(words)] + words))
        assert first.recv(1000)[4:8] == (77).to_bytes(4, "big")
        rows = []

        def read_to_end():
            while (row := json.loads(top.readline()))["type"] != "end":
                if row.get("client") == "%s:%d" % name:
                    rows.append(row)

        while not rows:
            read_to_end()
        first.close()
        second.bind(name)
        second.connect(("127.0.0.1", port))
        for _ in range(3):
            call_null(second)
        seen = len(rows)
        while len(rows) == seen:
            read_to_end()
    assert all(row["received"] < 10000 for row in rows), rows


TWO_SERVERS = r"""
import ctypes, os, sys
lib = ctypes.CDLL(sys.argv[1])
lib.pinefs_new_abi.restype = ctypes.c_void_p
ops = (ctypes.c_void_p * 4)()
def server(name):
    s = ctypes.c_void_p()
    assert lib.pinefs_server_new(ctypes.byref(s)) == 0
    for key, value in (("control", "yes"), ("port", "0"), ("mount-port", "0"),
                       ("portmap", "no"), ("state-dir", "none"),
                       ("what", name)):
        assert lib.pinefs_set(s, key.encode(), value.encode()) == 0
    fs = ctypes.c_void_p(lib.pinefs_new_abi(ops, ctypes.c_size_t(32), 1, None))
    assert lib.pinefs_export(s, b"/", fs) == 0
    assert lib.pinefs_start(s) == 0
    return s
def what():
    return [open(n).read().split('"what":"')[1][:3] for n in
            sorted(os.listdir(".")) if n.endswith(".json")]
os.chdir(os.environ["XDG_RUNTIME_DIR"])
os.mkdir("pinefs", 0o700)
os.chdir("pinefs")
one = server("one")
assert what() == ["one"], what()
two = server("two")
assert what() == ["one"], what()
lib.pinefs_stop(two, 0)
assert what() == ["one"] and len(os.listdir(".")) == 2
lib.pinefs_stop(one, 0)
assert os.listdir(".") == []
three = server("six")
assert what() == ["six"]
lib.pinefs_stop(three, 0)
"""


def test_of_the_servers_of_one_process_the_first_has_the_socket(tmp_path):
    library = os.path.join(os.path.dirname(PINEFS), "libpinefs.so")
    if not os.path.exists(library) or "san" in os.path.basename(
            os.path.dirname(os.path.abspath(PINEFS))):
        pytest.skip("no library that the interpreter can load")
    done = subprocess.run(
        ["/usr/bin/python3", "-c", TWO_SERVERS, library],
        env=dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path)), timeout=60,
        stderr=subprocess.PIPE, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("another server of this process") == 1
