"""`pinefs doctor` and `pinefs ping`."""

import json
import os
import socket
import subprocess

import pytest

from test_cli import PINEFS, QUIET, Running, busy
from test_control import record

pytestmark = pytest.mark.skipif(not os.path.exists(PINEFS),
                                reason="pinefs is not built")


def pinefs(*args, **variables):
    done = subprocess.run(
        [PINEFS, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=60, check=False, text=True,
        env=dict(os.environ, **variables))
    return done.returncode, done.stdout, done.stderr


def doctor(**variables):
    """Its lines; without Python, whose start takes a second."""
    variables.setdefault("PINEFS_PYTHON", "/nowhere/python3")
    status, out, err = pinefs("doctor", "--json", **variables)
    assert status == 0, err
    return [json.loads(line) for line in out.splitlines()]


def checks(**variables):
    return {x["name"]: x for x in doctor(**variables) if x["type"] == "check"}


def test_what_is_not_well_has_advice():
    found = checks(PINEFS_PYTHON="")
    assert {"nfs-client", "mount-rights", "python", "portmapper", "port",
            "mount-port", "state-dir", "run-dir"} <= set(found)
    for check in found.values():
        assert check["status"] in ("ok", "note", "missing")
        assert check["found"]
        assert (check["status"] == "ok") == (check["advice"] == ""), check
    text = pinefs("doctor", PINEFS_PYTHON="/nowhere/python3")[1]
    for name, check in found.items():
        assert name == "python" or check["advice"] in text


def test_a_python_that_does_not_run_is_named():
    check = checks()["python"]
    assert check["status"] == "missing"
    assert "/nowhere/python3" in check["found"] and check["advice"]
    check = checks(PINEFS_PYTHON="", PATH="/nowhere")["python"]
    assert check["status"] == "missing" and "PATH" in check["found"]


def test_a_run_directory_that_others_may_enter_is_found(tmp_path):
    (tmp_path / "pinefs").mkdir()
    (tmp_path / "pinefs").chmod(0o755)
    check = checks(XDG_RUNTIME_DIR=str(tmp_path))["run-dir"]
    assert check["status"] == "missing" and "XDG_RUNTIME_DIR" in check[
        "advice"]


def test_it_says_which_variable_sets_an_option_and_which_none():
    options = [x for x in doctor(PINEFS_PORT="4711", PINEFS_NOTHING="x\x1b")
               if x["type"] == "option"]
    assert {"type": "option", "name": "port", "value": "4711",
            "from": "environment", "variable": "PINEFS_PORT"} in options
    assert any(x["name"] == "" and x["variable"] == "PINEFS_NOTHING"
               for x in options)
    text = pinefs("doctor", PINEFS_NOTHING="x\x1b",
                  PINEFS_PYTHON="/nowhere/python3")[1]
    assert "PINEFS_NOTHING" in text and "\x1b" not in text


def test_features_are_those_of_version():
    told = pinefs("version", "--features")[1]
    for row in doctor():
        if row["type"] == "feature":
            assert row["name"] in told


def test_ping_asks_each_version(run_dir, tmp_path):
    server = Running(tmp_path, *QUIET)
    server.dir = run_dir
    port = record(server)["port"]
    status, out, err = pinefs("ping", "--json", "localhost:%d" % port)
    assert status == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(x["program"], x["version"]) for x in rows] == [
        ("NFS", 2), ("NFS", 3), ("NFS", 4), ("MOUNT", 1), ("MOUNT", 3)]
    for row in rows:
        assert row["answered"] and 0 < row["least_us"] <= row["mean_us"]
    status, out, err = pinefs("ping", "-n", "1", "-u", "127.0.0.1:%d" % port)
    assert status == 0, err
    assert "not served there" in out    # 4 is not over UDP
    assert server.end()[0] == 0


def test_ping_of_nobody_says_so():
    with busy(socket.SOCK_DGRAM) as port:
        status, out, err = pinefs("ping", "127.0.0.1:%d" % port)
    assert status == 69 and "refused" in out
    assert "nobody answers" in err and "pinefs ls" in err


@pytest.mark.parametrize("args, status", [
    ([], 64), (["a", "b"], 64), (["-n", "0", "localhost"], 64),
    (["no such host"], 66), (["localhost:none"], 66)], ids=str)
def test_ping_of_nonsense_is_one_line(args, status):
    found, _, err = pinefs("ping", *args)
    assert found == status and len(err.splitlines()) == 1, err
