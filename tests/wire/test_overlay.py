"""The overlay of an archive, in memory: what memfs passes, it passes.

The tests of names, attributes and content that were written for memfs, once
more; here their server is `-f tar`, with an archive that is not empty.  What
only an overlay can get wrong is in test_overlay_archive.py.
"""

import pytest

import nfs4_ops
import wire
from archives import archive, directory, member
from test_nfs2 import *             # noqa: F401,F403
from test_nfs3_attr import *        # noqa: F401,F403
from test_nfs3_data import *        # noqa: F401,F403
from test_nfs3_dir import *         # noqa: F401,F403
from test_nfs3_fs import *          # noqa: F401,F403
from test_nfs3_names import *       # noqa: F401,F403
from test_nfs4_dir import *         # noqa: F401,F403
from test_nfs4_io import *          # noqa: F401,F403
from test_nfs4_open import *        # noqa: F401,F403
from test_nfs4_recall import (      # noqa: F401
    f, test_its_own_holder_changes_it_in_peace,
    test_who_may_not_recalls_nothing)
from other_server import *          # noqa: F401,F403

del test_with_o_ro_reading_works    # noqa: F821  (an empty root; here it is not)


@pytest.fixture(scope='session')
def start(start, tmp_path_factory):
    path = tmp_path_factory.mktemp('overlay') / 'x.tar'
    path.write_bytes(archive(directory(b'./', mode=0o755),
                             directory(b'there/'),
                             member(b'there/file', b'text' * 20000)))

    def start_tar(*args, **kw):
        return start(*args, str(path), fs='tar', **kw)
    return start_tar


# These two say what memfs can do and an overlay need not.

def test_what_is_written_is_read_in_pieces_of_8_kib(c2, d):
    """READ answers with attributes as they were when it came: atime moves
    behind them, the first time after a change."""
    fh = c2.make(d, b'f')
    blocks = [bytes([i]) * 8192 for i in range(5)]
    for i, b in enumerate(blocks):
        assert wire.ok(c2.write(fh, i * 8192, b)).size == (i + 1) * 8192
    wire.ok(c2.read(fh, 0, 1))
    for i, b in enumerate(blocks):
        data = wire.ok(c2.read(fh, i * 8192, 8192))
        assert data.data == b
        assert data.attributes == c2.attr(fh)


def test_change_info_of_extended_attributes_is_the_objects(c42, fh):
    """But it is not atomic: door 2 cannot say so."""
    for operation in (nfs4_ops.setxattr(b'k', b'1'),
                      nfs4_ops.setxattr(b'k', b'2'),
                      nfs4_ops.removexattr(b'k')):
        before = c42.get(fh, 'change')
        info = c42.ok(nfs4_ops.putfh(fh), operation)[1]
        assert info.after == c42.get(fh, 'change') > before
