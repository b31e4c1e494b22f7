"""The .x files of Debian's rpcsvc-proto, libtirpc and libnsl, as installed:
each is accepted, with the option that it needs, or there is a reason."""

import glob
import os

import pytest

from tool import INCLUDE, compiler, rpcgen

FILES = sorted(glob.glob("/usr/include/rpcsvc/*.x") +
               glob.glob("/usr/include/tirpc/rpc*/*.x"))

# What only a header of C has, netobj mostly.
EXTERN = ["key_prot", "klm_prot", "nis", "nis_callback", "nis_object",
          "nlm_prot", "rpcb_prot"]

# Accepted, but what their % lines say does not compile without headers that
# we do not include, or are not there.
NOT_COMPILED = {
    "bootparam_prot": "% lines include <rpc/types.h> and more",
    "crypt": "__FBSDID, a macro of FreeBSD, in a % line",
    "rusers": "% lines include <rpc/xdr.h>",
}


def name(path):
    return os.path.basename(path)[:-2]


@pytest.mark.parametrize("path", FILES or [None],
                         ids=lambda p: name(p) if p else "none")
def test_is_accepted(path, tmp_path):
    if path is None:
        pytest.skip("no .x files are installed")
    options = ["--follow"]
    if name(path) in EXTERN:
        options.append("--extern")
    status, _, err = rpcgen(*options, "-o", str(tmp_path) + "/", path)
    assert (status, err.count("error")) == (0, 0), err
    if name(path) in NOT_COMPILED or name(path) in EXTERN:
        return
    compiler("cc", "-std=gnu17", "-Wall", "-Wextra", "-Wconversion",
             "-Wshadow", "-Werror", "-fsyntax-only", *INCLUDE, "-I", tmp_path,
             *sorted(glob.glob(str(tmp_path) + "/*.c")))


@pytest.mark.parametrize("path", [p for p in FILES if name(p) in EXTERN]
                         or [None], ids=lambda p: name(p) if p else "none")
def test_what_is_missing_is_said(path):
    if path is None:
        pytest.skip("no .x files are installed")
    status, _, err = rpcgen("--follow", "-h", path)
    assert status == 1
    assert "unknown type" in err or "unknown constant" in err
