"""Samples (-a, -Ss, -Sc, -Sm): they compile, link, and talk to each other."""

import glob
import os
import subprocess

import pytest

from test_compile import WARNINGS
from tool import HERE, INCLUDE, SOURCE, compiler, rpcgen

FILES = [SOURCE + "/examples/pingpong/pingpong.x", HERE + "/good/notes.x",
         HERE + "/good/procedures.x", HERE + "/shapes.x"] + sorted(
             glob.glob(HERE + "/protocols/*.x"))


@pytest.mark.parametrize("path", FILES, ids=os.path.basename)
def test_samples_compile(path, tmp_path):
    assert rpcgen("-a", "-o", str(tmp_path) + "/", path)[0] == 0
    stem = os.path.basename(path)[:-2]
    for name in stem + "_server.c", stem + "_client.c":
        compiler("cc", "-std=c17", "-D_GNU_SOURCE", "-fsyntax-only",
                 # shapes.x has types called err and i.
                 *[w for w in WARNINGS if w != "-Wshadow"], *INCLUDE,
                 "-I", tmp_path, tmp_path / name)


def test_types_may_be_called_like_what_a_sample_has(tmp_path):
    (tmp_path / "own.x").write_text(
        "struct client { int b; }; struct err { client c; };\n"
        "struct args { int line; }; struct arena { int to; };\n"
        "program P { version V { err E(client) = 1; args A(args) = 2;\n"
        "arena R(arena) = 3; } = 1; } = 0x20000044;\n")
    assert rpcgen("-a", "-o", str(tmp_path) + "/",
                  str(tmp_path / "own.x"))[0] == 0
    for name in "own_server.c", "own_client.c":
        compiler("cc", "-std=gnu17", "-Wall", "-Werror", "-fsyntax-only",
                 *INCLUDE, "-I", tmp_path, tmp_path / name)


def test_the_makefile_asks_for_what_the_samples_use(tmp_path):
    assert rpcgen("-a", "-o", str(tmp_path) + "/", FILES[0])[0] == 0
    flags = [w for line in (tmp_path / "Makefile.pingpong").read_text()
             .splitlines() if line.startswith("CFLAGS +=")
             for w in line.split() if w.startswith("-")
             and not w.startswith("--")]
    for name in "pingpong_server.c", "pingpong_client.c":
        compiler("cc", *flags, "-fsyntax-only", *INCLUDE, "-I", tmp_path,
                 tmp_path / name)


def test_all_makes_each_file(tmp_path):
    assert rpcgen("-a", "-o", str(tmp_path) + "/", FILES[0])[0] == 0
    assert sorted(os.listdir(tmp_path)) == [
        "Makefile.pingpong", "pingpong.h", "pingpong_client.c",
        "pingpong_clnt.c", "pingpong_server.c", "pingpong_svc.c",
        "pingpong_xdr.c"]


@pytest.mark.parametrize("option, begins", [
    ("-Ss", "/* A server for pingpong.x"), ("-Sc", "/* A client for "),
    ("-Sm", "# For pingpong.x"),
])
def test_one_sample_goes_to_standard_output_or_a_file(option, begins,
                                                      tmp_path):
    status, out, err = rpcgen(option, FILES[0])
    assert (status, err) == (0, "") and out.startswith(begins)
    assert rpcgen(option, "-o", str(tmp_path / "x"), FILES[0])[0] == 0
    assert (tmp_path / "x").read_text() == out


def test_a_sample_that_somebody_changed_is_left_alone(tmp_path):
    (tmp_path / "pingpong_server.c").write_text("mine")
    (tmp_path / "pingpong.h").write_text("old")
    assert rpcgen("-a", "-o", str(tmp_path) + "/", FILES[0])[0] == 0
    assert (tmp_path / "pingpong_server.c").read_text() == "mine"
    assert (tmp_path / "pingpong.h").read_text() != "old"


def test_without_programs_there_are_no_samples(tmp_path):
    assert rpcgen("-a", "-o", str(tmp_path) + "/",
                  HERE + "/good/nested.x")[0] == 0
    assert sorted(os.listdir(tmp_path)) == ["nested.h", "nested_xdr.c"]


def test_they_build_by_the_makefile_and_talk(build, tmp_path):
    library = os.path.join(build, "libpinefs.a")
    if not os.path.exists(library):
        pytest.skip("libpinefs.a is not built")
    with open(library, "rb") as f:
        sanitize = ["-fsanitize=address,undefined"] if (
            b"__asan_report" in f.read()) else []
    with open(FILES[0]) as f:
        (tmp_path / "pingpong.x").write_text(f.read())
    assert rpcgen("-a", "pingpong.x", cwd=tmp_path)[0] == 0
    compiler("make", "-f", "Makefile.pingpong",
             "CFLAGS=-std=c17 -D_GNU_SOURCE -Wall %s -I%s/include" % (
                 " ".join(sanitize), SOURCE),
             "LDLIBS=%s -pthread %s" % (library, " ".join(sanitize)),
             cwd=tmp_path)
    server = subprocess.Popen([tmp_path / "pingpong_server"],
                              stdout=subprocess.PIPE)
    port = server.stdout.readline().split()[1].decode()
    done = subprocess.run(
        [tmp_path / "pingpong_client", "127.0.0.1", port], timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    server.terminate()
    assert server.wait(60) == 0
    server.stdout.close()
    # The handlers are yet to be written.
    assert (done.returncode, done.stdout.decode()) == (
        0, "PINGPONG_PING: Remote I/O error\n"
           "PINGPONG_HITS: Remote I/O error\n")
