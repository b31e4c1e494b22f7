"""docs/rpcgen.md says what is so: its .x is accepted, the C is in the header,
the Python runs; the build files build."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from conftest import SOURCE
from tool import rpcgen

with open(SOURCE + "/docs/rpcgen.md") as f:
    BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", f.read(), re.M | re.S)


def blocks(kind):
    return [text for k, text in BLOCKS if k == kind]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("doc")
    (out / "doc.x").write_text("".join(blocks("x")))
    status, _, err = rpcgen("-o", str(out) + "/", str(out / "doc.x"))
    assert (status, err) == (0, "")
    assert rpcgen("--lang=python", "-o", str(out) + "/",
                  str(out / "doc.x"))[0] == 0
    return out


def squeezed(text):
    """Without blank lines, and with lines that were wrapped put together."""
    text = re.sub(r"\n    \s*", " ", text)
    return "\n".join(re.sub(r"\s+", " ", line.strip())
                     for line in text.splitlines() if line.strip())


@pytest.mark.parametrize("n", range(len(blocks("c"))))
def test_c_is_in_the_header(n, made):
    header = "\n" + squeezed((made / "doc.h").read_text()) + "\n"
    # Definitions may stand in another order.
    for part in re.split(r"(?<=;)\n(?=\S)|\n(?=#define|typedef|struct |enum )",
                         blocks("c")[n]):
        assert "\n" + squeezed(part) + "\n" in header


@pytest.mark.parametrize("n", range(len(blocks("python"))))
def test_python_runs(n, made):
    sys.path[:0] = [SOURCE + "/python", str(made)]
    try:
        exec("from doc import *\n" + blocks("python")[n], {})
    finally:
        del sys.path[:2]


def test_there_is_something_of_each():
    assert len(blocks("x")) > 8
    assert len(blocks("c")) == len(blocks("python")) == len(blocks("x"))


MAIN = """#include "notes.h"
#include <pinefs/rpc.h>
#include <stdio.h>
int main(void) { puts(notes_v1_service.name); return 0; }
"""


def project(build, tmp_path, name, text):
    """A directory with a project, and what `pinefs` is to pkg-config."""
    if not os.path.exists(os.path.join(build, "libpinefs.so")):
        pytest.skip("libpinefs.so is not built")
    # What links a library with sanitizers must be built with them, too.
    with open(os.path.join(build, "libpinefs.a"), "rb") as f:
        flags = "-fsanitize=address,undefined" if (
            b"__asan_report" in f.read()) else ""
    (tmp_path / name).write_text(text)
    (tmp_path / "main.c").write_text(MAIN)
    shutil.copy(os.path.join(SOURCE, "tests/rpcgen/good/notes.x"), tmp_path)
    (tmp_path / "pinefs.pc").write_text(
        "Name: pinefs\nDescription: -\nVersion: 0.1.0\n"
        "Libs: -L%s -Wl,-rpath,%s -lpinefs\nCflags: -I%s/include\n" %
        (build, build, SOURCE))
    return dict(os.environ, PKG_CONFIG_PATH=str(tmp_path), CFLAGS=flags,
                LDFLAGS=flags, ASAN_OPTIONS="detect_leaks=0",
                PATH=build + ":" + os.environ["PATH"])


def run(*command, **kw):
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **kw)
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    return done.stdout.decode()


def test_the_meson_file_builds(build, tmp_path):
    env = project(os.path.abspath(build), tmp_path, "meson.build",
                  "project('t', 'c')\n" + blocks("meson")[0])
    run("/usr/bin/meson", "setup", "b", cwd=tmp_path, env=env)
    run("ninja", "-C", "b", cwd=tmp_path, env=env)
    assert run(tmp_path / "b/notes", env=env) == "NOTES_V1\n"


@pytest.mark.skipif(shutil.which("cmake") is None, reason="no cmake")
def test_the_cmake_file_builds(build, tmp_path):
    env = project(os.path.abspath(build), tmp_path, "CMakeLists.txt",
                  "cmake_minimum_required(VERSION 3.21)\nproject(t C)\n" +
                  blocks("cmake")[0])
    run("cmake", "-S", ".", "-B", "b", cwd=tmp_path, env=env)
    run("cmake", "--build", "b", cwd=tmp_path, env=env)
    assert run(tmp_path / "b/notes", env=env) == "NOTES_V1\n"
