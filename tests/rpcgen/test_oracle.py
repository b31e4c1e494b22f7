"""What we encode is what Sun's compiler and libtirpc encode."""

import os
import shutil
import subprocess

import pytest

from test_compile import INCLUDE, compiler
from tool import HERE, SOURCE, rpcgen

TIRPC = "/usr/include/tirpc"

pytestmark = pytest.mark.skipif(
    shutil.which("rpcgen") is None or not os.path.isdir(TIRPC),
    reason="no rpcgen or no libtirpc to compare with")


def make(tmp_path, name):
    """Compile the .x with both, to ours/ and theirs/."""
    source = SOURCE + "/proto/" + name + ".x"
    for side in "ours", "theirs":
        (tmp_path / side).mkdir()
    assert rpcgen("-o", str(tmp_path / "ours") + "/", source)[0] == 0
    shutil.copy(source, tmp_path / "theirs")
    for option, suffix in ("-h", ".h"), ("-c", "_xdr.c"):
        subprocess.run(["rpcgen", "-M", option, "-o", name + suffix,
                        name + ".x"], cwd=tmp_path / "theirs", check=True)


@pytest.mark.parametrize("name", ["nfs3", "mount"])
def test_bytes_are_the_same(name, tmp_path):
    make(tmp_path, name)
    which = ["-DORACLE_" + name.upper(), '-DMADE="%s.h"' % name, "-I", HERE]
    compiler("cc", "-std=gnu17", "-O1", "-w", *which, "-I" + TIRPC,
             "-I", tmp_path / "theirs", "-c", HERE + "/oracle_theirs.c",
             "-o", tmp_path / "theirs.o")
    compiler("cc", "-std=gnu17", "-O1", "-w", "-I" + TIRPC, "-I",
             tmp_path / "theirs", "-c",
             tmp_path / "theirs" / (name + "_xdr.c"), "-o",
             tmp_path / "theirs_xdr.o")
    runtime = [SOURCE + "/src/xdr/%s.c" % n
               for n in ("array", "codec", "in", "out", "print", "value")]
    runtime += [SOURCE + "/src/base/%s.c" % n for n in ("arena", "chain")]
    compiler("cc", "-std=gnu17", "-O1", *which, *INCLUDE,
             "-I" + SOURCE + "/src", "-I", tmp_path / "ours",
             HERE + "/oracle_ours.c", tmp_path / "ours" / (name + "_xdr.c"),
             *runtime, tmp_path / "theirs.o", tmp_path / "theirs_xdr.o",
             "-ltirpc", "-o", tmp_path / "oracle")
    done = subprocess.run([tmp_path / "oracle"], stdout=subprocess.PIPE)
    assert done.returncode == 0, done.stdout.decode()
