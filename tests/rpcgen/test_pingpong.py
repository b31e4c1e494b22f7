"""examples/pingpong: servers and clients in C and Python talk to each other,
over TCP and UDP."""

import os
import subprocess
import sys

import pytest

from conftest import SOURCE
from tool import rpcgen

EXAMPLE = os.path.join(SOURCE, "examples", "pingpong")

PLAYED = """\
2 olleh
4 olleh
6 olleh
later: 8
hits: 7 5 3 1
"""


@pytest.fixture(scope="module")
def programs(build, tmp_path_factory):
    """Name to command line and environment."""
    made = tmp_path_factory.mktemp("pingpong")
    status, _, err = rpcgen("--lang=python", "-o", str(made) + "/",
                            EXAMPLE + "/pingpong.x")
    assert (status, err) == (0, "")
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONPATH=":".join(
        [SOURCE + "/python", str(made)]))
    table = {}
    for name in "ping", "pong":
        path = os.path.join(build, "examples", "pingpong", name)
        if not os.path.exists(path):
            pytest.skip("examples are not built")
        table[name, "c"] = [path], env
        table[name, "python"] = [
            sys.executable, "%s/%s.py" % (EXAMPLE, name)], env
    return table


@pytest.fixture
def serve(programs):
    """A function that starts a server and gives its port."""
    started = []

    def start(language):
        command, env = programs["pong", language]
        server = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
        started.append(server)
        return server.stdout.readline().decode().strip()
    yield start
    for server in started:
        server.terminate()
        assert server.wait(60) == 0
        server.stdout.close()


@pytest.mark.parametrize("transport", [[], ["-u"]], ids=["tcp", "udp"])
@pytest.mark.parametrize("client", ["c", "python"])
@pytest.mark.parametrize("server", ["c", "python"])
def test_they_play(server, client, transport, programs, serve):
    command, env = programs["ping", client]
    done = subprocess.run(
        [*command, *transport, serve(server)], env=env, timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (done.returncode, done.stdout.decode()) == (0, PLAYED)


@pytest.mark.parametrize("client", ["c", "python"])
def test_a_greeting_that_is_too_long_does_not_leave(client, programs, serve):
    command, env = programs["ping", client]
    done = subprocess.run(
        [*command, serve("c"), "x" * 65], env=env, timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 1
    assert b"Invalid argument" in done.stdout or b"XdrError" in done.stdout


def test_python_files_of_the_example_are_programs():
    for name in "ping.py", "pong.py":
        assert os.access(os.path.join(EXAMPLE, name), os.X_OK)
