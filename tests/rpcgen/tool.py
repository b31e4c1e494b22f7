"""The compiler, called by tests, and the C compilers that are here."""

import os
import shutil
import subprocess

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
