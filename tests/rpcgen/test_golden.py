"""Golden files: what is understood, what is refused and how, what is made.

	good/X.x, X.expect	accepted; the model as JSON
	bad/X.x, X.err		refused, with these messages
	good/notes.*		the C that it becomes

PINEFS_GOLDEN=write makes them anew; look at the difference before you commit.
"""

import glob
import os

import pytest

from tool import HERE, rpcgen


def names(directory):
    return sorted(os.path.basename(f)[:-2]
                  for f in glob.glob(os.path.join(HERE, directory, "*.x")))


def compare(path, text):
    path = os.path.join(HERE, path)
    if os.environ.get("PINEFS_GOLDEN") == "write":
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    with open(path, encoding="utf-8") as f:
        assert text == f.read()


@pytest.mark.parametrize("name", names("good"))
def test_is_understood(name):
    status, out, err = rpcgen("--dump=json", name + ".x", cwd=HERE + "/good")
    assert status == 0
    assert "error" not in err
    compare("good/%s.expect" % name, err + out)


@pytest.mark.parametrize("name", names("bad"))
def test_is_refused(name, tmp_path):
    out = str(tmp_path) + "/"
    status, _, err = rpcgen("-o", out, name + ".x", cwd=HERE + "/bad")
    assert status == 1
    assert os.listdir(out) == []
    compare("bad/%s.err" % name, err)


@pytest.mark.parametrize("suffix", [".h", "_xdr.c", "_svc.c", "_clnt.c"])
def test_c_is_as_it_was(suffix, tmp_path):
    status, _, err = rpcgen("-o", str(tmp_path) + "/", "notes.x",
                            cwd=HERE + "/good")
    assert (status, err) == (0, "")
    with open(tmp_path / ("notes" + suffix), encoding="utf-8") as f:
        compare("good/notes%s.expect" % suffix, f.read())


def test_an_error_leaves_old_files_alone(tmp_path):
    old = tmp_path / "duplicate_type.h"
    old.write_text("old")
    status, _, _ = rpcgen("-o", str(tmp_path) + "/", "bad/duplicate_type.x")
    assert status == 1
    assert os.listdir(tmp_path) == ["duplicate_type.h"]
    assert old.read_text() == "old"


def test_output_depends_on_the_input_only(tmp_path):
    for sub in "a", "b/c":
        os.makedirs(tmp_path / sub)
        with open(tmp_path / sub / "shapes.x", "w") as f, \
                open(HERE + "/shapes.x") as shapes:
            f.write(shapes.read())
        assert rpcgen("-o", "./", "shapes.x", cwd=tmp_path / sub)[0] == 0
        assert rpcgen("-o", str(tmp_path / sub) + "/again",
                      "-h", str(tmp_path / sub / "shapes.x"))[0] == 0
    for suffix in ".h", "_xdr.c", "_svc.c", "_clnt.c":
        a = (tmp_path / "a" / ("shapes" + suffix)).read_bytes()
        assert a == (tmp_path / "b/c" / ("shapes" + suffix)).read_bytes()
        assert str(tmp_path).encode() not in a
    assert (tmp_path / "a/again").read_bytes() == \
        (tmp_path / "b/c/shapes.h").read_bytes()
