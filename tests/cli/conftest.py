"""Each module of tests has a run directory of its own."""

import os

import pytest


@pytest.fixture(scope="module", autouse=True)
def run_dir(tmp_path_factory):
    before = os.environ.get("XDG_RUNTIME_DIR")
    path = tmp_path_factory.mktemp("run")
    os.environ["XDG_RUNTIME_DIR"] = str(path)
    yield path / "pinefs"
    if before is None:
        del os.environ["XDG_RUNTIME_DIR"]
    else:
        os.environ["XDG_RUNTIME_DIR"] = before
