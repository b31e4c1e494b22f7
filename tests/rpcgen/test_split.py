"""Specifications in several files: --follow, and --extern."""

import glob
import os
import subprocess

import pytest

from test_compile import WARNINGS
from tool import (HERE, INCLUDE, SANITIZED, SOURCE, compiler, compilers,
                  rpcgen, runtime)

SPLIT = HERE + "/follow"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A directory with what all files of follow/ become."""
    out = tmp_path_factory.mktemp("split")
    (out / "base").mkdir()
    for name, option in (("base/deepest", "--follow"),
                         ("base/inner", "--follow"), ("outer", "--follow"),
                         ("twin", "--follow"), ("ext", "--extern")):
        status, _, err = rpcgen(option, "-I.", "-o", "%s/%s/" % (
            out, os.path.dirname(name) or "."), name + ".x", cwd=SPLIT)
        assert (status, err) == (0, "")
    return out


def sources(directory):
    return sorted(glob.glob(str(directory) + "/*.c") +
                  glob.glob(str(directory) + "/base/*.c"))


@pytest.mark.parametrize("cc", compilers("gcc", "clang"))
def test_each_file_compiles(cc, made):
    compiler(cc, "-std=c17", "-fsyntax-only", *WARNINGS, *INCLUDE, "-I", made,
             *sources(made))


@pytest.mark.parametrize("cxx", compilers("g++"))
def test_headers_of_all_go_together_in_cxx(cxx, made, tmp_path):
    main = tmp_path / "main.cc"
    main.write_text("".join('#include "%s.h"\n' % n for n in (
        "twin", "outer", "base/inner", "ext")))
    compiler(cxx, "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
             "-fsyntax-only", *INCLUDE, "-I", made, main)


def test_values_come_back(made, tmp_path):
    compiler("cc", *SANITIZED, *INCLUDE, "-I" + SOURCE + "/src", "-I", made,
             SPLIT + "/check.c",
             *[s for s in sources(made) if s.endswith("_xdr.c")],
             *runtime(SANITIZED), "-o", tmp_path / "check")
    done = subprocess.run([tmp_path / "check"], stdout=subprocess.PIPE)
    assert done.returncode == 0, done.stdout.decode()


def test_what_was_followed_is_a_dependency(tmp_path):
    assert rpcgen("--follow", "-I.", "-MD", "-o", str(tmp_path) + "/",
                  "outer.x", cwd=SPLIT)[0] == 0
    assert "base/inner.x" in (tmp_path / "outer.d").read_text()


def test_what_was_followed_is_not_printed_again(made):
    header = (made / "outer.h").read_text()
    assert '#include "base/inner.h"' in header
    assert "struct tree {" not in header and "INNER_PROC" not in header
    assert "typedef struct all {" in header


def test_python_is_one_module_with_all_that_was_followed():
    status, text, err = rpcgen("--follow", "-I.", "--lang=python", "outer.x",
                               cwd=SPLIT)
    assert (status, err) == (0, "")
    compile(text, "outer.py", "exec")
    assert "class tree(" in text and "class all(" in text
    assert "class INNER_1" not in text and "class OUTER_1" in text


def test_files_that_include_each_other_come_to_an_end(tmp_path):
    (tmp_path / "a.x").write_text('%#include "b.h"\nstruct a { b *b; };\n')
    (tmp_path / "b.x").write_text('%#include "./a.h"\nstruct b { a *a; };\n')
    for name in "a", "b":
        status, out, err = rpcgen("--follow", "-h", name + ".x",
                                  cwd=tmp_path)
        assert (status, err) == (0, "")
        assert out.count("typedef struct %s {" % name) == 1


def test_an_error_in_a_followed_file_has_its_place(tmp_path):
    (tmp_path / "a.x").write_text('%#include "b.h"\nstruct a { b b; };\n')
    (tmp_path / "b.x").write_text("struct b { nte n; };\n")
    status, _, err = rpcgen("--follow", "-h", "a.x", cwd=tmp_path)
    assert status == 1 and err.startswith("b.x:1:12: error: unknown type")


def test_a_header_of_c_is_not_looked_for(tmp_path):
    (tmp_path / "a.x").write_text(
        '%#include "no_such.h"\n%#include <stdio.h>\nstruct a { int b; };\n')
    assert rpcgen("--follow", "-h", "a.x", cwd=tmp_path)[::2] == (0, "")


def test_what_only_a_header_has_is_an_error_with_a_hint(tmp_path):
    (tmp_path / "a.x").write_text('%#include "b.h"\nstruct a { b b; };\n')
    status, _, err = rpcgen("-h", "a.x", cwd=tmp_path)
    assert status == 1 and "See --follow, --extern" in err
    status, out, _ = rpcgen("--extern", "-h", "a.x", cwd=tmp_path)
    assert status == 0 and "\tb b;\n" in out


def test_a_union_switches_on_what_only_a_header_has(tmp_path):
    (tmp_path / 'a.x').write_text(
        '%#include "b.h"\nunion u switch (b which) { case -1: int i; '
        'case B_ONE: void; default: hyper h; };\n')
    status, out, err = rpcgen("--extern", "-c", "a.x", cwd=tmp_path)
    assert (status, err) == (0, "")
    assert "b_decode(in, (void *)&v->which)" in out and "case B_ONE:" in out
    (tmp_path / 'b.x').write_text(
        '%#include "b.h"\nunion u switch (b which) { case -2147483649: '
        'void; };\n')
    status, _, err = rpcgen("--extern", "-c", "b.x", cwd=tmp_path)
    assert status == 1 and "'which' cannot have this value" in err


def test_extern_is_not_for_python():
    status, _, err = rpcgen("--extern", "--lang=python", "ext.x", cwd=SPLIT)
    assert status == 64 and "--extern is for C" in err
