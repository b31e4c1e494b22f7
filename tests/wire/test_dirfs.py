"""A directory of the host: what memfs passes, it passes.

The tests of names, attributes and content that were written for memfs, once
more; here their server is `-f dir`, as root.  What only a directory of the
host can get wrong is in test_dirfs_host.py.
"""

import os
import shutil
import tempfile

import pytest

from test_nfs2 import *             # noqa: F401,F403
from test_nfs3_attr import *        # noqa: F401,F403
from test_nfs3_data import *        # noqa: F401,F403
from test_nfs3_dir import *         # noqa: F401,F403
from test_nfs3_fs import *          # noqa: F401,F403
from test_nfs3_names import *       # noqa: F401,F403
from test_nfs4_io import *          # noqa: F401,F403
from other_server import *          # noqa: F401,F403

pytestmark = pytest.mark.skipif(os.geteuid() != 0,
                                reason='only root acts as others')

# The host changes files, too: there is no "before" that would be true.
BEFORE = """
test_wcc_data_of_setattr_is_before_and_after
test_wcc_data_of_write_is_before_and_after
test_create_unchecked_makes_a_file
test_mkdir_makes_a_directory_and_counts_a_link
test_symlink_keeps_its_text_as_it_is
test_mknod_makes_each_special_file
test_remove_takes_the_name_away
test_rename_keeps_the_handle
test_rename_moves_between_directories
test_link_is_another_name_of_the_same
test_change_info_of_extended_attributes_is_the_objects
"""
# Times are the kernel's, whose clock ticks; reading moves atime at once.
TIMES = """
test_every_write_moves_times_even_within_one_clock_tick
test_readdirplus_gives_handles_and_attributes
test_what_is_written_is_read_in_pieces_of_8_kib
"""
# A write under way is seen, as by any program of the host.
SHARED = """
test_a_reply_under_way_is_not_changed_by_later_writes
"""
# The order is that of hashes, not of age.
ORDER = """
test_a_cookie_stays_the_same_while_its_entry_lives
test_the_verifier_is_constant_and_any_is_taken
"""
# It is as large as the host says; whether ranges are shared, too.
SIZE = """
test_a_full_file_system_is_nospc_and_loses_nothing
test_names_too_need_room
test_copies_need_files_open_as_they_are_used
test_clone_keeps_to_the_block_size_it_names
"""
for name in (BEFORE + TIMES + SHARED + ORDER + SIZE).split():
    del globals()[name]


@pytest.fixture(scope='session')
def start(start):
    made = []

    def start_dir(*args, **kw):
        made.append(tempfile.mkdtemp(prefix='pinefs-dir-', dir='/dev/shm'))
        os.chmod(made[-1], 0o755)
        args = list(args)
        if '--size' in args:
            at = args.index('--size')
            del args[at:at + 2]
        return start(made[-1], *args, fs='dir', **kw)

    yield start_dir
    for directory in made:
        shutil.rmtree(directory)
