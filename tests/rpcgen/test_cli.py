"""The command line."""

import glob
import json
import os
import stat
import threading

import pytest

from tool import HERE, rpcgen


@pytest.mark.parametrize("args, says", [
    ([], "no file is named"),
    (["a.x", "b.x"], "one file at a time"),
    (["--nonsense", "a.x"], "unknown option --nonsense"),
    (["-Z", "a.x"], "unknown option -Z"),
    (["--lang=java", "a.x"], "not c, python or tirpc"),
    (["--max-depth=0", "a.x"], "not between"),
    (["--max-depth=x", "a.x"], "not between"),
    (["--lazy"], "needs a value"),
    (["a.x", "-o"], "needs a value"),
    (["--dump=cards", "a.x"], "not tokens"),
    (["-K", "10", "a.x"], "do not exit when idle"),
    (["-b", "a.x"], "the runtime of Pinefs"),
])
def test_wrong_use_is_64_and_one_line(args, says):
    status, out, err = rpcgen(*args)
    assert status == 64
    assert out == ""
    assert says in err and err.count("\n") == 1


def test_help_and_version_go_to_standard_output():
    status, out, err = rpcgen("--help")
    assert (status, err) == (0, "") and out.startswith("usage: ")
    for line in out.splitlines():
        assert len(line) <= 80
    status, out, err = rpcgen("--version")
    assert (status, err) == (0, "") and out.startswith("pinefs-rpcgen ")


def test_a_file_that_is_not_there_is_66(tmp_path):
    status, _, err = rpcgen(str(tmp_path / "none.x"))
    assert status == 66 and "No such file" in err
    assert rpcgen(str(tmp_path))[0] == 66


def test_a_place_that_cannot_be_written_is_73(tmp_path):
    status, _, err = rpcgen("-o", str(tmp_path / "none") + "/",
                            "good/notes.x")
    assert status == 73 and "No such file" in err


def test_what_is_no_file_is_written_to_and_stays_what_it_is(tmp_path):
    """As /dev/null would be: root could put a file in its place."""
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    got = []

    def read():
        with open(pipe, "rb") as f:
            got.append(f.read())

    reader = threading.Thread(target=read)
    reader.start()
    status, _, err = rpcgen("-h", "-o", pipe, HERE + "/shapes.x")
    reader.join(30)
    assert status == 0, err
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)
    assert b"struct" in got[0] and os.listdir(tmp_path) == ["pipe"]


def test_standard_input_and_output(tmp_path):
    text = b"struct s { int a; };\n"
    status, out, err = rpcgen("-h", "-", stdin=text)
    assert (status, err) == (0, "") and "typedef struct s {" in out
    status, out, err = rpcgen("-", stdin=b"struct s { nte a; };\n")
    assert status == 1 and err.startswith("stdin:1:12: error: ")


def test_options_may_follow_the_file(tmp_path):
    assert rpcgen("good/notes.x", "-c", "-o", str(tmp_path / "x.c"))[0] == 0
    assert os.listdir(tmp_path) == ["x.c"]
    assert rpcgen("-C", "-N", "-M", "-i", "5", "-I", "dir", "-h",
                  "good/notes.x")[0] == 0


def test_without_programs_there_is_no_server_and_no_client(tmp_path):
    assert rpcgen("-o", str(tmp_path) + "/", "good/nested.x")[0] == 0
    assert sorted(os.listdir(tmp_path)) == ["nested.h", "nested_xdr.c"]


def test_dependencies_for_make(tmp_path):
    out = str(tmp_path) + "/"
    assert rpcgen("-MD", "-o", out, "good/notes.x")[0] == 0
    text = (tmp_path / "notes.d").read_text()
    assert text.endswith(": good/notes.x\n")
    assert out + "notes.h" in text


def test_included_files_are_looked_for_where_I_says(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/other.x").write_text("struct other { int a; };\n")
    (tmp_path / "x.x").write_text('#include "other.x"\n'
                                  "struct s { other o; };\n")
    path, out = str(tmp_path / "x.x"), str(tmp_path) + "/"
    status, _, err = rpcgen("-h", path)
    assert status == 1 and "'other.x' is not found" in err
    assert rpcgen("-I" + str(tmp_path / "a"), "-MD", "-o", out, path)[0] == 0
    text = (tmp_path / "x.d").read_text()
    assert text.endswith(": %s %s/a/other.x\n" % (path, tmp_path))
    (tmp_path / "a/other.x").write_text("struct other { nte a; };\n")
    status, _, err = rpcgen("-I", str(tmp_path / "a"), "-h", path)
    assert status == 1
    assert err.startswith("%s/a/other.x:1:16: error: unknown" % tmp_path)


def test_macros_are_defined_by_D():
    text = b"#if N == 5\nconst A = N;\n#endif\n#ifdef M\nconst B = M;\n#endif\n"
    status, out, _ = rpcgen("-DN=5", "-D", "M", "-h", "-", stdin=text)
    assert status == 0
    assert "A = 5" in out and "B = 1" in out


def test_macros_that_grow_without_end_are_an_error():
    text = "".join("#define M%d M%d M%d\n" % (i, i + 1, i + 1)
                   for i in range(60)) + "#define M60 X\nenum e { M0 };\n"
    status, _, err = rpcgen("-h", "-", stdin=text.encode())
    assert status == 1 and "expand to more than" in err


@pytest.mark.parametrize("define, says", [
    ("typedef t%d t%d;\n", "more than 1000 typedefs in a chain"),
    ("const t%d = t%d;\n", "more than 1000 constants in a chain"),
    ("struct t%d { t%d a; };\n", "types within types, more than 1000 deep"),
], ids=["typedefs", "constants", "structs"])
def test_chains_without_end_are_an_error(define, says):
    n = 1100
    pairs = [(i, i + 1) for i in range(n)]
    if define.startswith("typedef"):
        pairs = [(b, a) for a, b in pairs]
    last = {"t": "typedef int t%d;\n" % n, "c": "const t%d = 1;\n" % n,
            "s": "struct t%d { int a; };\n" % n}[define[0]]
    status, _, err = rpcgen("-h", "-", stdin=(
        "".join(define % p for p in pairs) + last).encode())
    assert status == 1 and says in err


def test_tokens():
    status, out, _ = rpcgen("--dump=tokens", "-", stdin=b'const A = "b";\n')
    assert status == 0
    assert out == ("1\tkeyword\tconst\n1\tname\tA\n1\tpunct\t=\n"
                   "1\ttext\t\"b\"\n1\tpunct\t;\n2\tend\t\n")


TREES = sorted(glob.glob(HERE + "/good/*.x"))


@pytest.mark.parametrize("path", TREES, ids=os.path.basename)
def test_the_tree_is_the_same_file_again(path):
    """What the dump of the tree says means the same when it is read."""
    status, tree, _ = rpcgen("--dump=ast", path)
    assert status == 0
    status, again, _ = rpcgen("--dump=ast", "-", stdin=tree.encode())
    assert (status, again) == (0, tree)


@pytest.mark.parametrize("option, says", [
    ("--lazy=note.none", "no such member"),
    ("--lazy=note.name", "not an array <> at the end"),
    ("--bulk=none.body", "no such member"),
    ("--bulk=note.name", "not an opaque <>"),
    ("--open-enum=note", "no such enum"),
    ("--hot=none", "no such type"),
])
def test_options_about_types_that_are_not_there(option, says):
    status, _, err = rpcgen("--compact", option, "-h", "good/notes.x")
    assert status == 1 and says in err


def test_binary_junk_is_refused_politely():
    status, _, err = rpcgen("-h", "-", stdin=bytes(range(256)) * 4)
    assert status == 1
    assert "\x00" not in err and "\x1b" not in err
    assert err.endswith("20 errors: stopped there\n")


def test_a_note_is_said_once_however_often_a_file_is_read(tmp_path):
    """Once for each output, where an #ifdef asks which it is."""
    (tmp_path / "a.x").write_text(
        "const A = 1;\nconst A = 1;\n#ifdef RPC_HDR\nconst B = 2;\n#endif\n")
    status, _, err = rpcgen("-o", "./", "a.x", cwd=tmp_path)
    assert status == 0
    assert err.count("defined twice") == 1
    assert err.count("the first definition is here") == 1


@pytest.mark.parametrize("errors, stops", [(20, False), (21, True)])
def test_after_20_errors_it_stops(errors, stops):
    text = "".join("struct s%d { none%d a; };\n" % (i, i)
                   for i in range(errors))
    status, _, err = rpcgen("-h", "-", stdin=text.encode())
    assert status == 1 and err.count(": error: ") == 20
    assert ("stopped there" in err) == stops


def test_comments_of_another_encoding_are_json_all_the_same():
    status, out, _ = rpcgen("--dump=json", "-", stdin=(
        b"/** caf\xe9 \xc3\xa9 \xed\xa0\x80 */\nstruct a { int b; };\n"))
    assert status == 0
    assert json.loads(out)["items"][0]["doc"] == "caf\xe9 \xe9 \xed\xa0\x80"
