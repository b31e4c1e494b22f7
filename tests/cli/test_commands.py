"""Commands of `pinefs`: which is meant, help, completion, the environment."""

import os
import re
import shutil
import signal
import subprocess

import pytest

from test_cli import PINEFS, QUIET, Running, lines

pytestmark = pytest.mark.skipif(not os.path.exists(PINEFS),
                                reason="pinefs is not built")


def pinefs(*args, cwd=None, **variables):
    done = subprocess.run(
        [os.path.abspath(PINEFS), *args], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, cwd=cwd,
        env=dict(os.environ, **variables), check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def names():
    return re.findall(r"(?m)^  (\w+) ", pinefs("--help")[1])


def options(name):
    """{long name: argument or ""} of its table, by its help."""
    text = pinefs("help", name)[1]
    return dict(re.findall(r"(?m)^  (?:-\w,|   ) --([\w-]+) ?(\S*)(?:  |$)",
                           text))


def test_each_command_has_a_help_that_its_option_shows_too():
    assert names()[0] == "serve"
    for name in names():
        status, out, err = pinefs("help", name)
        assert (status, err) == (0, "")
        assert out.startswith("usage: pinefs " + (
            "[serve]" if name == "serve" else name)), out
        assert pinefs(name, "--help") == (0, out, "")
    assert pinefs("help") == pinefs("--help") == pinefs("-h")


@pytest.mark.parametrize("args, word", [
    (["help", "nothing"], "nothing"), (["help", "serve", "help"], "serve"),
    (["version", "--nothing"], "--nothing"), (["version", "x"], "'x'"),
    (["completion"], "bash, zsh or fish"), (["completion", "csh"], "bash"),
], ids=lambda a: " ".join(a) if isinstance(a, list) else None)
def test_wrong_usage_of_a_command_is_one_line_and_status_64(args, word):
    status, out, err = pinefs(*args)
    assert (status, out) == (64, "")
    assert len(lines(err)) == 1 and word in err, err


def test_version_names_each_feature_of_the_build():
    status, out, _ = pinefs("version")
    assert status == 0 and out == pinefs("--version")[1]
    status, out, _ = pinefs("version", "--features")
    told = dict(re.findall(r"(?m)^(\w+) +(yes|no) ", out))
    with open(os.path.join(os.path.dirname(__file__),
                           "../../meson_options.txt")) as f:
        wanted = re.findall(r"option\('(\w+)', type: 'feature'", f.read())
    # What only tests and pages need is not in the program.
    assert set(wanted) - set(told) <= {"tests", "man"}, out


def test_probes_are_there_where_it_says_so():
    _, out, _ = pinefs("version", "--features")
    notes = subprocess.run(["readelf", "-n", PINEFS], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, check=True).stdout
    assert (b"call__start" in notes and b"call__end" in notes) == bool(
        re.search(r"(?m)^usdt +yes ", out))


def test_a_script_named_like_a_command_is_served_by_its_path(tmp_path):
    (tmp_path / "version").write_text("import os\nos._exit(23)\n")
    (tmp_path / "-x").write_text("import os\nos._exit(24)\n")
    quiet = [*QUIET, "--state-dir", str(tmp_path / "state")]
    python = {"PINEFS_PYTHON": "/usr/bin/python3"}
    if not os.path.exists(os.path.join(os.path.dirname(PINEFS), "python")):
        pytest.skip("the Python module is not built")
    if "asan" in os.path.dirname(os.path.abspath(PINEFS)):
        pytest.skip("the module has sanitizers, the interpreter has not")
    for args, ends in ((["./version"], 23), ([*quiet, "version"], 23),
                       (["serve", *quiet, "version"], 23),
                       (["serve", *quiet, "--", "-x"], 24),
                       (["--", "version"], 23)):
        if args[0] in ("./version", "--"):
            environment = {"PINEFS_PORT": "0", "PINEFS_MOUNT_PORT": "0",
                           "PINEFS_NO_PORTMAP": "yes",
                           # Nothing to py, which would refuse the option.
                           "PINEFS_SQUASH": "all", "PINEFS_SIZE": "1M",
                           "PINEFS_STATE_DIR": str(tmp_path / "state")}
        else:
            environment = {}
        status, _, err = pinefs(*args, cwd=tmp_path, **python, **environment)
        assert status == ends, (args, err)


# ------------------------------------------------------------ environment --


def test_an_option_can_be_a_variable(tmp_path, monkeypatch):
    for name, value in (("FS", "mem:from-the-environment"), ("PORT", "0"),
                        ("MOUNT_PORT", "0"), ("NO_PORTMAP", "yes"),
                        ("TCP", "no"), ("OPTIONS", "ro"), ("SIZE", "8M"),
                        ("CODE", "yes"), ("STATE_DIR", str(tmp_path / "s"))):
        monkeypatch.setenv("PINEFS_" + name, value)
    read, write = os.pipe()
    server = subprocess.Popen([PINEFS, "--ready-fd", str(write)],
                              stderr=subprocess.PIPE, pass_fds=[write])
    os.close(write)
    with os.fdopen(read, "rb") as ready:
        assert ready.read() == b"\n"
    server.send_signal(signal.SIGTERM)
    err = server.communicate(timeout=20)[1].decode()
    assert server.returncode == 0, err
    assert "serving mem:from-the-environment (ro) on 127.0.0.1:" in err
    assert (tmp_path / "s").is_dir()


def test_the_command_line_goes_before_the_environment(tmp_path, monkeypatch):
    for name, value in (("FS", "tar:a"), ("PORT", "1"), ("OPTIONS", "ro"),
                        ("ADDR", "127.0.0.9"), ("SQUASH", "all")):
        monkeypatch.setenv("PINEFS_" + name, value)
    server = Running(tmp_path, *QUIET, "-o", "rw", "--addr", "127.0.0.2",
                     "--addr", "127.0.0.3")
    status, _, err = server.end()
    assert status == 0, err
    assert "serving mem on 127.0.0.2:" in err


@pytest.mark.parametrize("name, value", [
    ("PORT", "x"), ("TCP", "maybe"), ("SQUASH", "some"), ("SIZE", "much"),
    ("FS", "nothing"), ("OPTIONS", "fast"), ("LOG", "loud"),
])
def test_a_wrong_variable_is_named_and_status_64(name, value):
    status, _, err = pinefs(**{"PINEFS_FS": "mem", "PINEFS_" + name: value})
    assert status == 64, err
    assert len(lines(err)) <= 2 and value in err, err
    assert "PINEFS_" + name in err, err


def test_pys_numbers_are_looked_at_before_python_is():
    status, _, err = pinefs("-f", "py", "--port", "abc", PINEFS_PYTHON="/none")
    assert status == 64 and "--port abc" in err, err
    status, _, err = pinefs("-f", "py", PINEFS_PYTHON="/none",
                            PINEFS_THREADS="many")
    assert status == 64 and "PINEFS_THREADS" in err, err


def test_what_kubernetes_sets_for_a_service_is_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("PINEFS_PORT", "tcp://10.0.0.1:2049")
    monkeypatch.setenv("PINEFS_READY_FD", "77")
    server = Running(tmp_path, "--mount-port", "0", "--no-portmap",
                     "--addr", "127.0.0.77", "--quiet")
    status, _, err = server.end()
    assert "not for pinefs" in err
    assert "--port tcp" not in err and "ready-fd" not in err
    assert status in (0, 69), err       # 2049 may be taken


# ------------------------------------------------------------- completion --


def complete(line, cwd=None):
    """What bash would show for the last word of this line."""
    script = pinefs("completion", "bash")[1] + """
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pinefs
printf '%s\\n' "${COMPREPLY[@]}"
"""
    done = subprocess.run(["bash", "-uec", script, "bash",
                           *line.split(" ")], cwd=cwd, timeout=30,
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().split()


def test_bash_completes_commands_options_and_their_arguments(tmp_path):
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir.tar").write_text("")
    assert complete("pinefs ver") == ["version"]
    assert set(names()) <= set(complete("pinefs "))
    assert complete("pinefs help comp") == ["completion"]
    assert complete("pinefs version --f") == ["--features"]
    assert complete("pinefs --mount-p") == ["--mount-port"]
    assert complete("pinefs -f ") == ["py", "mem", "tar", "dir"]
    assert complete("pinefs serve -t --squash a") == ["all"]
    assert complete("pinefs --port ") == []
    assert complete("pinefs --root d", tmp_path) == ["dir"]
    assert set(complete("pinefs -f tar d", tmp_path)) == {"dir", "dir.tar"}
    assert complete("pinefs completion z") == ["zsh"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_has_each_option_and_is_understood_by_its_shell(shell):
    status, text, err = pinefs("completion", shell)
    assert (status, err) == (0, "")
    for name in names():
        known = options(name)
        assert "help" in known, name
        for option in known:
            form = "-l %s " if shell == "fish" else "--%s"
            assert form % option in text, (name, option)
    if not shutil.which(shell):
        pytest.skip("no %s here: the text only" % shell)
    subprocess.run([shell, "-n"], input=text.encode(), timeout=30, check=True)


@pytest.mark.skipif(not shutil.which("fish"), reason="no fish here")
def test_fish_completes_commands_options_and_their_arguments(tmp_path):
    (tmp_path / "c").write_text(pinefs("completion", "fish")[1])

    def fish(line):
        done = subprocess.run(
            ["fish", "--no-config", "-c", "source c; complete -C '%s'" % line],
            cwd=tmp_path, stdout=subprocess.PIPE, timeout=60, check=True)
        return [word.split("\t")[0] for word in
                done.stdout.decode().splitlines()]

    assert fish("pinefs ver") == ["version"]
    assert fish("pinefs --mount-p") == ["--mount-port"]
    assert fish("pinefs version --fe") == ["--features"]
    assert fish("pinefs serve --squash a") == ["all"]
    assert fish("pinefs completion z") == ["zsh"]
    # Each command has its own.
    assert fish("pinefs version --mount-p") == []


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh here")
def test_zsh_takes_it_as_the_completion_of_pinefs(tmp_path):
    (tmp_path / "c").write_text(pinefs("completion", "zsh")[1])
    done = subprocess.run(
        ["zsh", "-fc", "autoload -Uz compinit; compinit -D -u; source ./c; "
         "print $_comps[pinefs]; whence -w _pinefs_mount"], cwd=tmp_path,
        stdout=subprocess.PIPE, timeout=60, check=True)
    assert done.stdout.decode().split() == ["_pinefs", "_pinefs_mount:",
                                            "function"]
