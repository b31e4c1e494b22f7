"""What we encode is what Sun's compiler and libtirpc encode: made-up values
of every type that both take."""

import os
import re
import shutil
import subprocess

import pytest

from tool import (HERE, INCLUDE, PLAIN, SANITIZED, SOURCE, compiler,
                  compilers_at_once, rpcgen, runtime)

TIRPC = "/usr/include/tirpc"

pytestmark = pytest.mark.skipif(
    shutil.which("rpcgen") is None or not os.path.isdir(TIRPC),
    reason="no rpcgen or no libtirpc to compare with")

FILES = [HERE + "/oracle.x"] + [
    SOURCE + "/proto/%s.x" % n for n in ("mount", "nfs2", "nfs3", "nfs4")] + [
        HERE + "/protocols/%s.x" % n
        for n in ("nlm", "nsm", "rpcbind", "rquota", "vxi11", "yp")]

# Names that libtirpc's own headers have already.
CLASHES = re.compile(
    r"\b(netobj|netbuf|rp__list|rpcb[a-z_0-9]*|RPCBPROC\w*)\b(?!\.x)")

# A char or short is 32 bits of ours, and 8 or 16 of theirs.
NARROW = {"Create_LinkResp", "Device_ReadParms", "Device_ReadStbResp",
          "Device_RemoteFunc"}


def sun(directory, name):
    for option, suffix in ("-h", ".h"), ("-c", "_xdr.c"):
        subprocess.run(["rpcgen", "-M", option, "-o", name + suffix,
                        name + ".x"], cwd=directory, check=True)


def tirpc(directory, name):
    """Our own, in Sun's shape."""
    assert rpcgen("--lang=tirpc", name + ".x", cwd=directory)[0] == 0


def make(tmp_path, path, compile_theirs):
    """Compile the .x with both, to ours/ and theirs/; the types of both."""
    name = os.path.basename(path)[:-2]
    for side in "ours", "theirs":
        (tmp_path / side).mkdir()
    with open(path) as f:
        source = CLASHES.sub(r"x_\1", f.read())
    (tmp_path / "theirs" / (name + ".x")).write_text(source)
    assert rpcgen("-o", str(tmp_path / "ours") + "/",
                  str(tmp_path / "theirs" / (name + ".x")))[0] == 0
    compile_theirs(tmp_path / "theirs", name)
    ours = (tmp_path / "ours" / (name + ".h")).read_text()
    theirs = (tmp_path / "theirs" / (name + ".h")).read_text()
    return sorted((set(re.findall(
        r"^extern const struct xdr_type (\w+)_type;", ours, re.M)) - NARROW) &
        set(re.findall(r"bool_t xdr_(\w+) \(XDR \*,", theirs)))


@pytest.mark.parametrize("path", FILES, ids=os.path.basename)
def test_bytes_are_the_same(path, tmp_path):
    compare(path, tmp_path, sun)


@pytest.mark.parametrize("path", [f for f in FILES if os.path.basename(f) in (
    "oracle.x", "nfs3.x", "nlm.x")], ids=os.path.basename)
def test_what_tirpc_makes_of_them_is_the_same(path, tmp_path):
    compare(path, tmp_path, tirpc)


def compare(path, tmp_path, compile_theirs):
    name = os.path.basename(path)[:-2]
    types = make(tmp_path, path, compile_theirs)
    assert len(types) > 5
    (tmp_path / "rows.h").write_text(
        "".join("T(%s)\n" % t for t in types))
    which = ['-DMADE="%s.h"' % name, "-I", tmp_path]
    theirs = ["cc", *PLAIN, "-w", *which, "-I" + TIRPC, "-I",
              tmp_path / "theirs", "-c", HERE + "/oracle_theirs.c",
              tmp_path / "theirs" / (name + "_xdr.c")]
    ours = ["cc", *PLAIN, *which, *INCLUDE, "-I" + SOURCE + "/src", "-I",
            tmp_path / "ours", "-c", HERE + "/oracle_ours.c",
            tmp_path / "ours" / (name + "_xdr.c")]
    compilers_at_once((theirs, tmp_path / "theirs"),
                      (ours, tmp_path / "ours"))
    compiler("cc", *[tmp_path / side / (part + ".o")
                     for side in ("ours", "theirs")
                     for part in ("oracle_" + side, name + "_xdr")],
             *runtime(PLAIN), "-ltirpc", "-o", tmp_path / "oracle")
    done = subprocess.run([tmp_path / "oracle"], stdout=subprocess.PIPE)
    assert done.returncode == 0, done.stdout.decode()


def test_a_long_list_of_tirpc_needs_no_stack(tmp_path):
    shutil.copy(HERE + "/oracle.x", tmp_path)
    tirpc(tmp_path, "oracle")
    compiler("cc", "-std=gnu17", "-O0", "-g", "-Wall", "-Wextra",
             "-Wno-cast-function-type", "-Werror", "-I" + TIRPC,
             "-I", tmp_path, HERE + "/tirpc_list.c",
             tmp_path / "oracle_xdr.c", "-ltirpc", "-pthread", "-o",
             tmp_path / "list")
    done = subprocess.run([tmp_path / "list"], stdout=subprocess.PIPE)
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("client", ["ours", "sun's"])
@pytest.mark.parametrize("server", ["ours", "sun's"])
def test_clients_and_servers_of_tirpc_fit(client, server, tmp_path):
    shutil.copy(HERE + "/talk.x", tmp_path)
    tirpc(tmp_path, "talk")
    for who, option, name in ((client, "-l", "talk_clnt.c"),
                              (server, "-m", "talk_svc.c")):
        if who != "ours":
            (tmp_path / name).unlink()
            subprocess.run(["rpcgen", option, "-o", name, "talk.x"],
                           cwd=tmp_path, check=True)
    compiler("cc", *SANITIZED, "-Wall", "-Wextra", "-Wno-cast-function-type",
             *(["-Werror"] if client == server == "ours" else ["-w"]),
             "-I" + TIRPC, "-I", tmp_path, HERE + "/talk.c",
             *[tmp_path / ("talk_%s.c" % n) for n in ("xdr", "clnt", "svc")],
             "-ltirpc", "-o", tmp_path / "talk")
    done = subprocess.run(
        [tmp_path / "talk"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
    assert done.returncode == 0, done.stdout.decode()


def test_procedures_that_sun_cannot_have_compile(tmp_path):
    (tmp_path / "n.x").write_text("""
        typedef opaque none[0];
        struct empty { void; };
        enum e { A };
        typedef e some[2];
        typedef string names<>;
        typedef names two[2];
        program P { version V {
            none F(none) = 1; empty G(empty) = 2; some H(some) = 3;
            two I(two) = 4; e J(e) = 5; float K(double) = 6;
            pair L(int, string) = 7; pair *M(pair *) = 8;
        } = 1; } = 0x20000098;
        struct pair { int a; string s<>; };
        """)
    tirpc(tmp_path, "n")
    compiler("cc", *PLAIN, "-Wall", "-Wextra", "-Wno-cast-function-type",
             "-Werror", "-fsyntax-only", "-I" + TIRPC,
             *[tmp_path / ("n_%s.c" % n) for n in ("xdr", "clnt", "svc")])


def test_what_libtirpc_has_not_is_refused(tmp_path):
    status, _, err = rpcgen("--lang=tirpc", "-o", str(tmp_path) + "/",
                            HERE + "/shapes.x")
    assert status == 1 and os.listdir(tmp_path) == []
    assert "libtirpc has neither quadruples" in err
    (tmp_path / "p.x").write_text(
        "program P { version V { void F(opaque x<>) = 1; } = 1; } = 1;")
    status, _, err = rpcgen("--lang=tirpc", "-h", "p.x", cwd=tmp_path)
    assert status == 1 and "without a type's name, which 'F' needs" in err
    status, _, err = rpcgen("--lang=tirpc", "-Ss", HERE + "/oracle.x")
    assert status == 64 and "--lang=tirpc makes no samples" in err
