"""Generated C compiles without a warning, and does what it should."""

import glob
import os
import shutil
import subprocess

import pytest

from tool import (HERE, INCLUDE, PLAIN, SANITIZED, SOURCE, compiler,
                  compilers, compilers_at_once, rpcgen, runtime)

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow",
            "-Werror"]


def sources(*directories):
    return sorted(f for d in directories for f in glob.glob(d + "/*.x"))


FILES = sources(HERE + "/good", HERE + "/protocols", SOURCE + "/proto") + [
    HERE + "/shapes.x"]


# gcc finds what may be uninitialised only where it optimises.
HOW = [("gcc", ["-std=c17", "-O2", "-c"]),
       ("gcc", ["-std=c11", "-fsyntax-only"]),
       ("clang", ["-std=c17", "-fsyntax-only"])]


@pytest.mark.parametrize("cc, how", [
    pytest.param(cc, how, id=cc + how[0], marks=pytest.mark.skipif(
        shutil.which(cc) is None, reason="no " + cc)) for cc, how in HOW])
@pytest.mark.parametrize("path", FILES, ids=os.path.basename)
def test_compiles_as_c(path, cc, how, tmp_path):
    status, _, err = rpcgen("-o", str(tmp_path) + "/", path)
    assert status == 0, err
    compiler(cc, *how, *WARNINGS, *INCLUDE, "-I", tmp_path,
             *sorted(glob.glob(str(tmp_path) + "/*.c")), cwd=tmp_path)


@pytest.mark.parametrize("cxx", compilers("g++", "clang++"))
@pytest.mark.parametrize("path", FILES, ids=os.path.basename)
def test_the_header_compiles_as_cxx(path, cxx, tmp_path):
    header = str(tmp_path) + "/x.h"
    assert rpcgen("-h", "-o", header, path)[0] == 0
    compiler(cxx, "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
             "-fsyntax-only", *INCLUDE, "-x", "c++", header)


@pytest.mark.parametrize("options", [
    ["--strict-pad"],
    ["--max-depth=3"],
    ["--open-enum=colour", "--open-enum=other"],
    ["--lazy=lists.l"],
    ["--bulk=blobs.b"],
    ["--compact"],
    ["--compact", "--hot=unions", "--hot=by_colour", "--hot=by_uint",
     "--hot=by_reach"],
], ids=" ".join)
def test_options_compile(options, tmp_path):
    path = tmp_path / "shapes.x"
    with open(HERE + "/shapes.x") as f:
        text = f.read().replace("last l[2];", "last l<2>;")
    path.write_text(text + "struct blobs { colour c; handle h; "
                    "opaque b<99>; int i; };\n")
    status, _, err = rpcgen(*options, "-o", str(tmp_path) + "/", str(path))
    assert status == 0, err
    for made in sorted(glob.glob(str(tmp_path) + "/*.c")):
        compiler("cc", "-std=c17", "-O1", *WARNINGS, *INCLUDE, "-I", tmp_path,
                 "-c", made, "-o", tmp_path / "made.o")


def run_program(tmp_path, program, sources_made):
    common = ["cc", *SANITIZED, *INCLUDE, "-I" + SOURCE + "/src",
              "-I" + SOURCE + "/tests/unit", "-I", tmp_path]
    compilers_at_once((common + ["-c", *sources_made], tmp_path),
                      (common + ["-c", HERE + "/" + program + ".c"], tmp_path))
    compiler(*common, *glob.glob(str(tmp_path) + "/*.o"), *runtime(SANITIZED),
             "-lcmocka", "-o", tmp_path / program)
    done = subprocess.run([tmp_path / program], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          env=dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP"))
    assert done.returncode == 0, done.stdout.decode(errors="replace")


# Half of the types call what the other half has by tables.
COMPACT = {"straight": [],
           "half": ["--compact", "--hot=by_colour", "--hot=by_bool",
                    "--hot=by_int", "--hot=by_reach", "--hot=old",
                    "--hot=pairs", "--hot=middle", "--hot=handles"]}


@pytest.mark.parametrize("how", COMPACT)
def test_round_trips(how, tmp_path):
    assert rpcgen(*COMPACT[how], "-o", str(tmp_path) + "/",
                  HERE + "/shapes.x")[0] == 0
    run_program(tmp_path, "roundtrip",
                [tmp_path / "shapes_xdr.c", tmp_path / "shapes_svc.c"])


@pytest.mark.parametrize("how", COMPACT)
def test_a_message_of_1_mib_needs_no_stack(how, tmp_path):
    """Without sanitizers, whose frames are large; without optimisation, whose
    frames are small."""
    assert rpcgen(*COMPACT[how], "-o", str(tmp_path) + "/",
                  HERE + "/shapes.x")[0] == 0
    compiler("cc", *PLAIN, *INCLUDE, "-I" + SOURCE + "/src", "-I", tmp_path,
             HERE + "/stack.c", tmp_path / "shapes_xdr.c", *runtime(PLAIN),
             "-pthread", "-o", tmp_path / "stack")
    done = subprocess.run([tmp_path / "stack"], stdout=subprocess.PIPE)
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("options", [[], ["--compact"]], ids=str)
def test_parts(options, tmp_path):
    assert rpcgen(*options, "-o", str(tmp_path) + "/", "--lazy=batch.ops",
                  "--lazy=answers.all", "--lazy=sums.rest",
                  "--bulk=put.data", "--open-enum=mood", "--strict-pad",
                  HERE + "/parts.x")[0] == 0
    run_program(tmp_path, "parts", [tmp_path / "parts_xdr.c",
                                    tmp_path / "parts_svc.c"])
