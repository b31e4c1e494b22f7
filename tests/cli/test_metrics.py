"""`--metrics`: OpenMetrics 1.0, by a parser that forgives nothing; and the
state of a server in its log."""

import contextlib
import http.client
import os
import re
import signal
import socket

import pytest

from test_cli import PINEFS, QUIET, Running, busy
from test_control import ask, null_call, record

pytestmark = pytest.mark.skipif(not os.path.exists(PINEFS),
                                reason="pinefs is not built")

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
NUMBER = r"-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf|NaN)"
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? (%s)$"
                    % (NAME, LABEL, LABEL, NUMBER))
SUFFIXES = {"counter": ["_total"], "gauge": [""], "info": ["_info"],
            "histogram": ["_bucket", "_count", "_sum"]}


class Family:
    def __init__(self, name):
        self.name, self.kind, self.unit = name, None, None
        self.samples = []       # (suffix, labels, value)


def parse(text):
    """{name: Family} of a whole exposition; anything wrong is an assertion."""
    assert text.endswith("# EOF\n") and text.count("# EOF") == 1
    families, now = {}, None
    for line in text.splitlines()[:-1]:
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            assert word in ("TYPE", "UNIT", "HELP"), line
            if now is None or now.name != name:
                assert name not in families, "it is in two places: " + name
                now = families[name] = Family(name)
            assert not now.samples, line    # metadata comes first
            if word == "TYPE":
                assert now.kind is None and rest in SUFFIXES, line
                now.kind = rest
            elif word == "UNIT":
                assert name.endswith("_" + rest), line
                now.unit = rest
            continue
        m = SAMPLE.match(line)
        assert m, line
        assert now is not None and m[1].startswith(now.name), line
        suffix = m[1][len(now.name):]
        assert suffix in SUFFIXES[now.kind], line
        labels = dict(x.split("=", 1) for x in
                      re.findall(LABEL, m[2] or ""))
        assert len(labels) == len(re.findall(LABEL, m[2] or "")), line
        value = float(m[3].replace("+Inf", "inf"))
        assert now.kind == "gauge" or value >= 0, line
        key = (suffix, tuple(sorted(labels.items())))
        assert key not in [k for k, _ in now.samples], line
        now.samples.append((key, value))
    for family in families.values():
        assert family.kind is not None, family.name
        if family.kind == "histogram":
            check_histogram(family)
    return families


def check_histogram(family):
    """Buckets only grow, and the last is the count."""
    series = {}
    for (suffix, labels), value in family.samples:
        labels = dict(labels)
        le = labels.pop("le", None)
        assert (le is not None) == (suffix == "_bucket")
        one = series.setdefault(tuple(sorted(labels.items())), {})
        if le is None:
            one[suffix] = value
        else:
            one.setdefault("buckets", []).append(
                (float(le.strip('"').replace("+Inf", "inf")), value))
    for one in series.values():
        edges = [le for le, _ in one["buckets"]]
        counts = [n for _, n in one["buckets"]]
        assert edges == sorted(set(edges)) and edges[-1] == float("inf")
        assert counts == sorted(counts) and counts[-1] == one["_count"]
        assert one["_sum"] >= 0


def value(family, suffix, **labels):
    wanted = {k: '"%s"' % v for k, v in labels.items()}
    found = [v for (s, have), v in family.samples if s == suffix and
             wanted.items() <= dict(have).items()]
    assert len(found) == 1, (labels, family.samples)
    return found[0]


def get(port, path="/metrics", method="GET"):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    c.request(method, path)
    answer = c.getresponse()
    body = answer.read().decode()
    c.close()
    return answer, body


@pytest.fixture(name="server", scope="module")
def run_server(run_dir, tmp_path_factory):
    with busy() as free:
        pass
    running = Running(tmp_path_factory.mktemp("server"), *QUIET,
                      "--metrics", "127.0.0.1:%d" % free)
    running.dir, running.metrics = run_dir, free
    yield running
    status, _, err = running.end()
    assert status == 0, err


def test_metrics_are_openmetrics(server):
    before = parse(get(server.metrics)[1])
    for _ in range(3):
        null_call(record(server)["port"])
    answer, body = get(server.metrics)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == (
        "application/openmetrics-text; version=1.0.0; charset=utf-8")
    now = parse(body)
    assert value(now["pinefs_build"], "_info") == 1
    assert value(now["pinefs_calls"], "_total") == value(
        before["pinefs_calls"], "_total") + 3
    row = {"program": "NFS_V3", "procedure": "NULL", "status": "OK"}
    assert value(now["pinefs_replies"], "_total", **row) == 3
    times = now["pinefs_call_duration_seconds"]
    assert times.kind == "histogram" and times.unit == "seconds"
    assert value(times, "_count", **row) == 3
    assert 0 < value(times, "_sum", **row) < 60


@pytest.mark.parametrize("path, method, status", [
    ("/", "GET", 404), ("/metricsx", "GET", 404), ("/metrics", "POST", 405),
    ("/metrics?x=1", "GET", 200)])
def test_other_requests_are_refused(server, path, method, status):
    answer, body = get(server.metrics, path, method)
    assert answer.status == status
    assert (body == "") == (status != 200)


@pytest.mark.parametrize("junk", [b"x" * 20000, b"\0\r\n\r\n", b"GET",
                                  b"\r\n\r\n", b"stat\n\n"], ids=repr)
def test_junk_harms_nobody(server, junk):
    with socket.create_connection(("127.0.0.1", server.metrics), 30) as s:
        try:
            s.sendall(junk)
            s.shutdown(socket.SHUT_WR)
            answer = s.recv(65536)
        except OSError:
            answer = b""
        assert b"pinefs_" not in answer and b'{"type"' not in answer
    assert get(server.metrics)[0].status == 200


def test_metrics_on_a_unix_socket_are_the_users_own(tmp_path):
    path = tmp_path / "metrics"
    server = Running(tmp_path, *QUIET, "--no-control", "--metrics",
                     str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(path))
        s.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        text = b""
        while data := s.recv(65536):
            text += data
    head, _, body = text.decode().partition("\r\n\r\n")
    assert "Content-Length: %d" % len(body) in head
    assert "pinefs_calls" in parse(body)
    assert server.end(signal.SIGKILL)[0] == -9
    # What a killed server leaves is in nobody's way.
    server = Running(tmp_path, *QUIET, "--metrics", str(path))
    status, _, err = server.end()
    assert status == 0 and "metrics" not in err, err
    assert not path.exists()


@pytest.mark.parametrize("where, why", [
    ("0.0.0.0:1", "not loopback"), ("127.0.0.1", "not like"),
    ("127.0.0.1:x", "not like"), ("localhost:1", "not like"),
    ("/" + 200 * "x", "longer")])
def test_where_metrics_cannot_be_is_a_warning(tmp_path, where, why):
    server = Running(tmp_path, *QUIET, "--metrics", where)
    status, _, err = server.end()
    assert status == 0
    assert len([x for x in err.splitlines() if "no metrics at" in x and
                why in x]) == 1, err


def test_sigusr1_tells_the_state_to_the_log(run_dir, tmp_path):
    server = Running(tmp_path, *QUIET)
    server.dir = run_dir
    port = record(server)["port"]
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        null_call(port)
        name = "127.0.0.1:%d" % s.getsockname()[1]
        server.process.send_signal(signal.SIGUSR1)
        # It is told before the signal after it is.
        status, _, err = server.end()
    assert status == 0, err
    state = [x for x in err.splitlines() if "state: " in x]
    assert re.search(r"\d+ connections, .*calls 1, .*accepted 2", state[0])
    assert any("NFS_V3 NULL OK: 1" in x for x in state)
    assert any("client %s: 0 calls" % name in x for x in state)


def test_who_reads_metrics_keeps_nobody_from_the_control_socket(server):
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection(
                ("127.0.0.1", server.metrics), 30))
        assert ask(server, "info") == [record(server)]
