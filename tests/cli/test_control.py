"""What a running server tells its user: run directory, control socket."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time

import pytest

from test_cli import PINEFS, QUIET, Running, port_of

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


def test_more_readers_than_there_is_room_for_wait(server):
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connected(server)) for _ in range(24)]
        idle[0].sendall(b"info\n")
        assert json.loads(read_all(idle[0])) == record(server)
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
