"""The compiler, called by tests, and the C compilers that are here."""

import atexit
import functools
import os
import shutil
import subprocess
import tempfile

import pytest

from conftest import HERE, SOURCE, build_directory


def rpcgen(*args, cwd=HERE, stdin=None):
    """Status, standard output and standard error of pinefs-rpcgen."""
    done = subprocess.run(
        [os.path.join(build_directory(), "pinefs-rpcgen"), *args],
        cwd=cwd, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
    return (done.returncode, done.stdout.decode("utf-8", "surrogateescape"),
            done.stderr.decode("utf-8", "surrogateescape"))


def compilers(*names):
    """Those that are here, as parameters; the others are skipped aloud."""
    return [pytest.param(n, marks=pytest.mark.skipif(
        shutil.which(n) is None, reason="no " + n)) for n in names]


def compiler(*command, cwd=None):
    compilers_at_once((command, cwd))


def compilers_at_once(*commands):
    """Each a command and where to run it: machines have two cores or more."""
    running = [(command, subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        for command, cwd in commands]
    for command, process in running:
        said = process.communicate()[0].decode(errors="replace")
        assert process.returncode == 0, said


# Programs of tests, and what they are linked with.  Not optimised: most of
# them run for less time than it takes to compile them.
PLAIN = ("-std=gnu17", "-O0")
SANITIZED = PLAIN + ("-fsanitize=address,undefined",
                     "-fno-sanitize-recover=undefined")
INCLUDE = ["-I" + SOURCE + "/include"]

RUNTIME = [SOURCE + "/src/xdr/%s.c" % n for n in (
    "array", "codec", "in", "json", "out", "print", "value")] + [
        SOURCE + "/src/base/%s.c" % n for n in ("arena", "chain")]


@functools.lru_cache(maxsize=None)
def runtime(flags):
    """Objects of the XDR runtime, made once for each set of flags."""
    made = tempfile.mkdtemp(prefix="runtime")
    atexit.register(shutil.rmtree, made)
    common = ["cc", *flags, *INCLUDE, "-I" + SOURCE + "/src", "-c"]
    compilers_at_once((common + RUNTIME[::2], made),
                      (common + RUNTIME[1::2], made))
    return sorted(os.path.join(made, f) for f in os.listdir(made))
