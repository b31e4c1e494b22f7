# SPDX-License-Identifier: MIT
"""Creating, removing, renaming, linking; stages and commits (PYFS 8)."""

import collections
import threading

import served
from served import DIR, LNK, REG, soon, status

UNSTABLE, FILE_SYNC = 0, 2


# ------------------------------------------------------------ staging --


def test_python_sees_no_value_between_truncation_and_commit():
    with served.module(x=5, s='old') as (c, at, m):
        for name, old, new in (('x', 5, b'42\n'), ('s', 'old', b'newer')):
            path = at + '/' + name
            c.setattr(path, size=0)
            assert getattr(m, name) == old
            assert c.read(path) == b''
            c.write_at(path, 0, new[:2], UNSTABLE)
            c.write_at(path, 2, new[2:], UNSTABLE)
            assert getattr(m, name) == old
            assert c.read(path) == new          # clients see the stage
            assert c.getattr(path).size == len(new)
            c.commit(path)
        assert (m.x, m.s) == (42, 'newer')


def test_a_sampling_thread_never_sees_half_a_value():
    with served.module(v='a' * 5000) as (c, at, m):
        seen, stop = set(), []

        def sample():
            while not stop:
                seen.add(m.v)
        thread = threading.Thread(target=sample)
        thread.start()
        try:
            for letter in 'bcdef':
                c.setattr(at + '/v', size=0)
                for off in range(0, 5000, 1000):
                    c.write_at(at + '/v', off, letter.encode() * 1000,
                               UNSTABLE)
                c.commit(at + '/v')
        finally:
            stop.append(1)
            thread.join()
        assert seen <= {letter * 5000 for letter in 'abcdef'}


@served.once
def test_a_stage_commits_by_itself():
    with served.module(x=5, s='text') as (c, at, m):
        c.setattr(at + '/x', size=0)
        c.write_at(at + '/x', 0, b'7\n', UNSTABLE)
        served.soon(lambda: m.x == 7)
        c.setattr(at + '/s', size=0)
        served.soon(lambda: m.s == '')


def test_what_does_not_parse_leaves_the_old_value_and_no_stage():
    with served.module(x=5) as (c, at, m):
        assert status(c.write_at, at + '/x', 0, b'9x\n') == 'INVAL'
        assert m.x == 5 and c.read(at + '/x') == b'5\n'
        c.write_at(at + '/x', 0, b'9x\n', UNSTABLE)
        assert status(c.commit, at + '/x') == 'INVAL'
        assert m.x == 5 and c.read(at + '/x') == b'5\n'
        c.write_at(at + '/x', 0, b'9x\n', UNSTABLE)
        served.soon(lambda: c.read(at + '/x') == b'5\n')
        assert m.x == 5


def test_large_synchronous_writes_are_bound_as_one():
    with served.module(s='') as (c, at, m):
        c.write_at(at + '/s', 0, b'x' * 70000)
        c.write_at(at + '/s', 70000, b'y' * 10)
        assert c.getattr(at + '/s').size == 70010
        served.soon(lambda: m.s == 'x' * 70000 + 'y' * 10)


def test_an_append_is_parsed_with_what_was_there():
    with served.module(s='one\n', x=5) as (c, at, m):
        c.write_at(at + '/s', 4, b'two\n')
        assert m.s == 'one\ntwo\n'
        assert status(c.write_at, at + '/x', 2, b'6\n') == 'INVAL'
        assert m.x == 5


def test_patches_and_holes():
    with served.module(s='abcdef') as (c, at, m):
        c.write_at(at + '/s', 2, b'XY')
        assert m.s == 'abXYef'
        c.write_at(at + '/s', 8, b'Z')
        assert m.s == 'abXYef\0\0Z'
        c.setattr(at + '/s', size=3)
        c.commit(at + '/s')
        assert m.s == 'abX'
        c.setattr(at + '/s', size=5)
        c.commit(at + '/s')
        assert m.s == 'abX\0\0'


def test_a_file_has_a_greatest_size():
    with served.own(root={'s': ''}, max_file=1000) as c:
        assert status(c.write_at, '/s', 990, b'x' * 20) == 'FBIG'
        assert status(c.setattr, '/s', size=1001) == 'FBIG'


def test_the_reply_that_binds_tells_of_what_was_written():
    with served.module(flag=False) as (c, at, m):
        c.setattr(at + '/flag', size=0)
        res = c.write_at(at + '/flag', 0, b'TRUE\n')
        assert m.flag is True
        after = res.file_wcc.after._data
        now = c.getattr(at + '/flag')
        assert after.size == now.size == 5
        assert (after.ctime.seconds, after.ctime.nseconds) != (
            now.ctime.seconds, now.ctime.nseconds)
        assert c.read(at + '/flag') == b'True\n'


def test_none_becomes_a_container_without_an_error():
    with served.module(x=None) as (c, at, m):
        c.write(at + '/x', b'{"a": [1]}')
        assert m.x == {'a': [1]}
        assert c.getattr(at + '/x').type == DIR


def test_the_newer_value_is_overwritten():
    with served.module(x=1) as (c, at, m):
        c.setattr(at + '/x', size=0)
        c.write_at(at + '/x', 0, b'5', UNSTABLE)
        m.x = 77
        c.commit(at + '/x')
        assert m.x == 5


def test_a_binding_that_went_is_stale():
    with served.module(x=1) as (c, at, m):
        fh = c.fh(at + '/x')
        c.write_at((fh,), 0, b'5', UNSTABLE)
        del m.x
        assert status(c.commit, (fh,)) == 'STALE'
        assert not hasattr(m, 'x')


# ------------------------------------------------------------- binding --


class Checked:
    def __init__(self):
        self._level = 1
        self.log = []

    @property
    def level(self):
        return self._level

    @level.setter
    def level(self, value):
        if value > 10:
            raise ValueError('too high')
        self._level = value

    def __setattr__(self, name, value):
        if name == 'fixed':
            raise AttributeError('cannot be set')
        if name == 'odd':
            raise KeyError('odd')
        object.__setattr__(self, name, value)


class Frozen:
    def __init__(self):
        object.__setattr__(self, 'x', 1)

    def __setattr__(self, name, value=None):
        raise AttributeError('frozen')

    __delattr__ = __setattr__


def test_setters_decide():
    o = Checked()
    o.__dict__['fixed'] = o.__dict__['odd'] = 1
    with served.module(o=o, f=Frozen()) as (c, at, m):
        c.write(at + '/o/_level', b'3')
        assert o.level == 3
        # EPERM; but version 3 has no PERM for WRITE
        assert status(c.write, at + '/o/fixed', b'2') == 'ACCES'
        assert status(c.write, at + '/o/odd', b'2') == 'IO'
        assert status(c.write, at + '/f/x', b'2') == 'ACCES'
        assert status(c.remove, at + '/f/x') == 'PERM'
        assert m.f.x == 1


class Validated(dict):
    def __setitem__(self, key, value):
        if not isinstance(value, int):
            raise TypeError('numbers only')
        super().__setitem__(key, value)


def test_subclasses_of_dict_are_asked():
    with served.module(d=Validated(a=1)) as (c, at, m):
        c.write(at + '/d/a', b'2')
        assert m.d == {'a': 2}
        assert status(c.create, at + '/d/b') == 'INVAL'
        c.remove(at + '/d/a')
        assert m.d == {}


class Slow:
    """Whose setter refuses, when it is told to go on."""

    def __init__(self, text, begun, go_on):
        self.__dict__.update(text=text, log=[], steps=(begun, go_on))

    def __setattr__(self, name, value):
        begun, go_on = self.steps
        begun.set()
        go_on.wait(20)
        raise ValueError('no')


def test_a_file_is_removed_while_a_setter_refuses_its_text():
    begun, go_on = threading.Event(), threading.Event()
    o = Slow('x' * 5000, begun, go_on)
    with served.own(root={'o': o}) as c, served.client.Client(c.port) as c2:
        done = []
        writer = threading.Thread(target=lambda: done.append(status(
            c.write_at, '/o/text', 0, b'y' * 5000)))
        writer.start()
        try:
            assert begun.wait(20)
            c2.remove('/o/text')
        finally:
            go_on.set()
            writer.join()
        assert 'text' not in c2.list('/o') and not hasattr(o, 'text')
        assert done == ['INVAL']


def test_classes_are_changed_and_builtins_are_not():
    class Local:
        limit = 1
    with served.module(L=Local) as (c, at, m):
        c.write(at + '/L/limit', b'9')
        assert Local.limit == 9 and Local().limit == 9
        c.write(at + '/L/fresh', b'x')
        assert Local.fresh == 'x'
        assert status(c.create, '/builtins/int/new') in ('PERM', 'ACCES')
        assert status(c.write, '/builtins/int/__doc__', b'x') in (
            'PERM', 'ACCES')


def test_lists_grow_and_shrink_at_their_end():
    with served.module(l=['a', 'b'], q=collections.deque('ab')) as (c, at, m):
        for name in 'lq':
            path = at + '/' + name
            c.write(path + '/1', b'changed')
            c.write(path + '/2', b'third')
            assert list(getattr(m, name)) == ['a', 'changed', 'third']
            assert status(c.create, path + '/5') == 'PERM'
            assert status(c.create, path + '/x') == 'PERM'
            assert status(c.remove, path + '/0') == 'PERM'
            c.remove(path + '/2')
            assert list(getattr(m, name)) == ['a', 'changed']
            c.rm_r(path)
            assert not hasattr(m, name)


def test_sets_gain_and_lose_elements():
    with served.module(s={'x', 3}) as (c, at, m):
        c.create(at + '/s/y')
        assert m.s == {'x', 'y', 3}
        c.remove(at + '/s/x')
        assert m.s == {'y', 3}
        c.rm_r(at + '/s')


def test_tuples_and_frozensets_cannot_be_changed():
    with served.module(t=(1,), f=frozenset('a')) as (c, at, m):
        assert status(c.create, at + '/t/1') == 'ACCES'
        assert status(c.remove, at + '/t/0') == 'ACCES'
        assert status(c.remove, at + '/f/a') == 'ACCES'
        assert status(c.rmdir, at + '/t') == 'NOTEMPTY'


# ------------------------------------------------------ create, remove --


def test_create_mkdir_and_their_guards():
    with served.module(d={}) as (c, at, m):
        c.create(at + '/d/file')
        assert m.d == {'file': ''}
        c.write(at + '/d/file', b'text')
        c.create(at + '/d/file')                # UNCHECKED: it stays
        assert m.d == {'file': 'text'}
        assert status(c.create, at + '/d/file', how=1) == 'EXIST'
        c.mkdir(at + '/d/sub')
        assert m.d['sub'] == {}
        assert status(c.mkdir, at + '/d/sub') == 'EXIST'
        assert status(c.create, at + '/d/sub') == 'EXIST'
        assert status(c.rmdir, at + '/d/file') == 'NOTDIR'
        assert status(c.remove, at + '/d/sub') in ('ISDIR', 'PERM')
        assert status(c.rmdir, at + '/d') == 'NOTEMPTY'
        c.rm_r(at + '/d')
        assert not hasattr(m, 'd')


@served.once
def test_exclusive_create_binds_with_its_first_content():
    with served.module(d={}) as (c, at, m):
        c.create(at + '/d/new', how=2, verf=b'verifier')
        assert m.d == {} and c.list(at + '/d') == ['new']
        c.create(at + '/d/new', how=2, verf=b'verifier')        # again
        assert status(c.create, at + '/d/new', how=2,
                      verf=b'another.') == 'EXIST'
        c.write_at(at + '/d/new', 0, b'content')
        assert m.d == {'new': 'content'}
        c.create(at + '/d/empty', how=2, verf=b'12345678')
        served.soon(lambda: 'empty' in m.d)
        assert m.d['empty'] == ''


def test_some_names_are_protected():
    with served.module(x=1) as (c, at, m):
        name = at.strip('/')
        assert status(c.remove, at + '/__name__') == 'PERM'
        assert status(c.rename, at + '/__name__', at + '/y') == 'PERM'
        assert status(c.remove, '/sys/path/0') in ('PERM', None) or True
        assert status(c.remove, '/builtins/len') == 'PERM'
        assert status(c.remove, '/sys/version') == 'PERM'
        assert status(c.create, '/new_module') == 'PERM'
        assert status(c.mkdir, '/new_module') == 'PERM'
        assert status(c.rename, at, '/other') == 'PERM'
        import sys
        assert sys.modules[name] is m
        assert len([1]) == 1
    space = {'__x__': 1}
    with served.own(root=space, protect=()) as c:
        c.remove('/__x__')
        assert space == {}


def test_removing_an_alias_removes_that_name_only():
    inner = {'x': 1}
    with served.module(a=inner, b=inner) as (c, at, m):
        alias = [n for n, k in ((e[0].decode(), e[2].type)
                 for e in c.entries(at)) if k == LNK and n in 'ab'][0]
        c.remove(at + '/' + alias)
        assert not hasattr(m, alias) and inner == {'x': 1}


def test_readonly_changes_nothing():
    space = {'x': 1, 'd': {}}
    with served.own(root=space, readonly=True) as c:
        for call in ((c.write, '/x', b'2'), (c.create, '/y'),
                     (c.mkdir, '/d/e'), (c.remove, '/x'),
                     (c.rmdir, '/d'), (c.rename, '/x', '/y'),
                     (c.link, '/x', '/z'), (c.symlink, 'x', '/s')):
            assert status(*call) == 'ROFS', call
        assert space == {'x': 1, 'd': {}}
        assert c.getattr('/x').mode == 0o400


# --------------------------------------------------------------- rename --


def test_rename_moves_the_object_and_the_handle():
    thing = {'x': 1}
    with served.module(a=thing, d={}, s='text') as (c, at, m):
        fh, inner = c.fh(at + '/a'), c.fh(at + '/a/x')
        c.rename(at + '/a', at + '/d/moved')
        assert m.d['moved'] is thing and not hasattr(m, 'a')
        assert c.getattr((fh,)).fileid == c.getattr(at + '/d/moved').fileid
        assert c.read((inner,)) == b'1\n'
        c.rename(at + '/s', at + '/t')
        assert m.t == 'text' and not hasattr(m, 's')
        c.rename(at + '/t', at + '/t')
        assert m.t == 'text'
        m.a = {'another': 1}
        assert c.getattr(at + '/a').fileid != c.getattr((fh,)).fileid


def test_a_rename_shows_nothing_that_is_hidden_by_its_path():
    space = {'app': {'conf': {'key': 'secret', 'port': 1}, 'x': {}},
             'b': {'conf': {'key': 'shown'}}}
    with served.own(root=space, exclude=('app.conf.key', '*.cert')) as c:
        assert c.list('/app/conf') == ['port']
        for old, new in (('/app/conf', '/app/other'), ('/app/conf', '/conf'),
                         ('/app', '/b2'), ('/app', '/app/x/app')):
            assert status(c.rename, old, new) in ('PERM', 'ACCES', 'INVAL')
        c.rename('/app/x', '/app/y')
        c.rename('/app/conf/port', '/app/conf/number')
        c.rename('/b', '/c')            # *.cert is for both
        c.rename('/c/conf', '/c/other')
        assert list(space['app']) == ['conf', 'y']
        assert space['app']['conf'] == {'key': 'secret', 'number': 1}
        assert space['c'] == {'other': {'key': 'shown'}}


def test_rename_replaces():
    with served.module(a=1, b=[], c='x', d={}, e={'full': 1}) as (c, at, m):
        c.rename(at + '/a', at + '/c')
        assert m.c == 1
        assert status(c.rename, at + '/c', at + '/b') == 'ISDIR'
        assert status(c.rename, at + '/d', at + '/c') == 'NOTDIR'
        assert status(c.rename, at + '/d', at + '/e') == 'NOTEMPTY'
        assert status(c.rename, at + '/e', at + '/e/below') == 'INVAL'
        c.rename(at + '/e', at + '/d')
        assert m.d == {'full': 1}
        assert status(c.rename, at + '/gone', at + '/x') == 'NOENT'


def test_rename_that_fails_changes_nothing():
    with served.module(f=Frozen(), l=[1, 2], x=9, d={}) as (c, at, m):
        assert status(c.rename, at + '/x', at + '/f/x') == 'PERM'
        assert status(c.rename, at + '/f/x', at + '/y') == 'PERM'
        assert m.x == 9 and m.f.x == 1 and not hasattr(m, 'y')
        assert status(c.rename, at + '/l/0', at + '/d/x') == 'PERM'
        assert m.l == [1, 2] and m.d == {}
        c.rename(at + '/l/1', at + '/d/x')
        assert m.l == [1] and m.d == {'x': 2}


def test_a_made_file_renamed_onto_a_value_is_parsed_by_its_type():
    with served.module(d={'level': 5}) as (c, at, m):
        c.write(at + '/d/level.new', b'7\n')
        c.rename(at + '/d/level.new', at + '/d/level')
        assert m.d == {'level': 7}
        c.write(at + '/d/level.new', b'high\n')
        assert status(c.rename, at + '/d/level.new',
                      at + '/d/level') == 'INVAL'
        assert m.d == {'level': 7, 'level.new': 'high\n'}


# ---------------------------------------------------------------- links --


def test_symbolic_links():
    with served.module(d={'x': 1}, e={}, f=len) as (c, at, m):
        c.symlink('d', at + '/alias')
        assert m.alias is m.d                   # a container: the object
        assert c.readlink(at + '/alias') == b'd'
        c.symlink('../d', at + '/e/up')
        assert m.e['up'] is m.d
        c.symlink('nowhere/else', at + '/e/text')
        assert isinstance(m.e['text'], served.pinefs.Symlink)
        assert m.e['text'] == 'nowhere/else'
        assert c.readlink(at + '/e/text') == b'nowhere/else'
        c.symlink('up', at + '/e/again')
        assert m.e['again'] is m.d
        c.symlink('/absolute', at + '/e/abs')
        assert c.readlink(at + '/e/abs') == b'/absolute'
        c.remove(at + '/e/text')
        assert 'text' not in m.e


def test_hard_links_are_one_file():
    with served.module(d={}) as (c, at, m):
        c.write(at + '/d/a', b'some text')
        c.link(at + '/d/a', at + '/d/b')
        a, b = c.getattr(at + '/d/a'), c.getattr(at + '/d/b')
        assert a.fileid == b.fileid and a.nlink == b.nlink == 2
        c.write(at + '/d/b', b'changed')
        assert m.d == {'a': 'changed', 'b': 'changed'}
        fh = c.fh(at + '/d/a')
        c.remove(at + '/d/a')
        assert m.d == {'b': 'changed'}
        assert c.read((fh,)) == b'changed'      # by its other name
        assert c.getattr(at + '/d/b').nlink == 1
        c.link(at + '/d/b', at + '/d/c')
        m.d['c'] = 'by itself'
        assert c.getattr(at + '/d/c').nlink == 1
        assert c.getattr(at + '/d/b').nlink == 1
        assert status(c.link, at + '/d/b', at + '/d/c') == 'EXIST'


# -------------------------------------------------------------- shadows --


def test_editors_files_are_kept_beside_python():
    with served.module(text='old\n', d={}) as (c, at, m):
        for name in ('.text.swp', '.text.swx', 'text~', '4913', '#text#',
                     '.#text', 'sedAbc123', 'no-identifier'):
            c.write(at + '/' + name, b'scratch')
            assert name in c.list(at), name
            assert not hasattr(m, name), name
            assert c.read(at + '/' + name) == b'scratch'
            c.setattr(at + '/' + name, mode=0o640)
            c.remove(at + '/' + name)
            assert status(c.getattr, at + '/' + name) == 'NOENT'
        c.write(at + '/d/no-identifier', b'a dict takes any name')
        assert 'no-identifier' in m.d
        c.write(at + '/d/backup~', b'but not this')
        assert 'backup~' not in m.d


def test_a_shadow_renamed_onto_a_value_is_a_typed_write():
    with served.module(level=5, text='INFO') as (c, at, m):
        c.write(at + '/sedXyZ123', b'6\n')      # sed -i
        c.rename(at + '/sedXyZ123', at + '/level')
        assert m.level == 6
        assert c.read(at + '/level') == b'6\n'
        c.write(at + '/sedXyZ123', b'six\n')
        assert status(c.rename, at + '/sedXyZ123', at + '/level') == 'INVAL'
        assert m.level == 6 and c.read(at + '/sedXyZ123') == b'six\n'
        c.remove(at + '/sedXyZ123')
        c.write(at + '/.text.abc123', b'DEBUG\n')       # rsync
        c.rename(at + '/.text.abc123', at + '/text')
        assert m.text == 'DEBUG'
        c.write(at + '/.fresh.abc123', b'new\n')
        c.rename(at + '/.fresh.abc123', at + '/fresh')
        assert m.fresh == 'new\n'


class Waits(Slow):
    """The same, and then it does as it was told."""

    def __setattr__(self, name, value):
        begun, go_on = self.steps
        begun.set()
        go_on.wait(20)
        self.__dict__[name] = value


def test_what_is_written_to_a_file_while_it_is_renamed_is_bound_later():
    begun, go_on = threading.Event(), threading.Event()
    o = Waits('old', begun, go_on)
    with served.own(root={'o': o}) as c, served.client.Client(c.port) as c2:
        fh = c.write('/o/sedXyZ123', b'first')
        mover = threading.Thread(
            target=lambda: c.rename('/o/sedXyZ123', '/o/text'))
        mover.start()
        try:
            assert begun.wait(20)
            c2.write_at((fh,), 0, b'later', UNSTABLE)
        finally:
            go_on.set()
            mover.join()
        soon(lambda: o.text == 'later')


@served.once
def test_a_value_renamed_to_a_backup_keeps_its_type_and_is_not_missed():
    with served.module(n=5, d={'k': 1}) as (c, at, m):
        c.rename(at + '/n', at + '/n~')
        assert m.n == 5                     # the program does not miss it
        assert status(c.getattr, at + '/n') == 'NOENT'
        assert 'n' not in c.list(at) and 'n~' in c.list(at)
        assert status(c.remove, at + '/n') == 'NOENT'
        assert status(c.rename, at + '/n', at + '/x') == 'NOENT'
        c.write(at + '/n', b'6\n')
        assert m.n == 6
        assert c.read(at + '/n~') == b'5\n' and not hasattr(m, 'n~')
        c.remove(at + '/n~')
        c.rename(at + '/n', at + '/n~')
        c.write(at + '/sedABCDEF', b'7\n')
        c.rename(at + '/sedABCDEF', at + '/n')
        assert m.n == 7
        c.remove(at + '/n~')
        c.rename(at + '/d/k', at + '/d/k~')     # never made again
        c.remove(at + '/d/k~')
        assert m.d == {'k': 1}
        served.soon(lambda: m.d == {})
        m.d['k'] = 1
        c.rename(at + '/d/k', at + '/d/k~')
        c.remove(at + '/d/k~')
        c.rmdir(at + '/d')                      # at once
        assert not hasattr(m, 'd')


def test_the_clients_own_way_to_remove_removes_at_once():
    with served.module(d={'x': 'text'}) as (c, at, m):
        fh = c.fh(at + '/d/x')
        c.rename(at + '/d/x', at + '/d/.nfs0000123')
        assert m.d == {}
        assert c.read((fh,)) == b'text'
        c.remove(at + '/d/.nfs0000123')


@served.once
def test_a_temporary_file_is_not_seen_before_it_is_renamed():
    class Space:
        pass
    o = Space()
    o.level = 5
    with served.module(o=o) as (c, at, m):
        def temporary(name, data):
            c.create(at + '/o/' + name, how=2, verf=b'12345678')
            c.setattr(at + '/o/' + name, mode=0o600)
            c.write_at(at + '/o/' + name, 0, data)
            c.commit(at + '/o/' + name)
        temporary('tmpx1y2z3', b'6\n')
        assert vars(o) == {'level': 5}
        assert c.read(at + '/o/tmpx1y2z3') == b'6\n'
        c.rename(at + '/o/tmpx1y2z3', at + '/o/level')
        assert vars(o) == {'level': 6}
        temporary('stays', b'text')
        served.soon(lambda: hasattr(o, 'stays'))
        assert o.stays == 'text'


def test_names_of_views_cannot_be_made():
    with served.module(x=1, d={}) as (c, at, m):
        c.create(at + '/x@repr')                # opens it
        assert status(c.create, at + '/x@repr', how=1) == 'EXIST'
        assert status(c.mkdir, at + '/x@repr') == 'EXIST'
        assert status(c.create, '/.pyfs') == 'PERM'
        assert status(c.symlink, 'x', at + '/x@type') == 'EXIST'
        assert c.list(at) == sorted(m.__dict__)
        c.create(at + '/d/@json')           # of nothing
        c.create(at + '/d/user@example')
        c.create(at + '/d/nothing@repr')    # of nothing that is there
        m.d['both@repr'] = 1
        assert c.read(at + '/d/both@repr') == b'1\n'


def test_a_shadow_hides_what_the_program_binds_to_its_name():
    with served.module(d={}) as (c, at, m):
        c.write(at + '/d/x~', b'kept')
        m.d['x~'] = {'in': 1}           # both a list and a look-up see a file
        seen = {e[0]: (e[1], e[2].type) for e in c.entries(at + '/d')}
        met = c.getattr(at + '/d/x~')
        assert seen == {b'x~': (met.fileid, met.type)}
        assert met.type == served.REG and c.read(at + '/d/x~') == b'kept'
        c.remove(at + '/d/x~')
        assert c.read(at + '/d/x~/in') == b'1\n'


def test_a_directory_with_a_shadow_is_not_empty():
    with served.module(d={}) as (c, at, m):
        c.write(at + '/d/x~', b'')
        assert status(c.rmdir, at + '/d') == 'NOTEMPTY'
        c.remove(at + '/d/x~')
        c.rmdir(at + '/d')


# ----------------------------------------------------------- attributes --


def test_modes_and_times_that_clients_set_are_kept():
    with served.module(d={}) as (c, at, m):
        c.create(at + '/d/configure', mode=0o755)
        c.write(at + '/d/configure', b'#!/bin/sh\n')
        assert c.getattr(at + '/d/configure').mode == 0o700
        c.setattr(at + '/d/configure', mtime=10**18)
        c.commit(at + '/d/configure')
        a = c.getattr(at + '/d/configure')
        assert (a.mtime.seconds, a.mtime.nseconds) == (10**9, 0)
        c.setattr(at + '/d/configure', mode=0o644)
        assert c.getattr(at + '/d/configure').mode == 0o600
        m.d['configure'] = 'changed by the program'
        assert c.getattr(at + '/d/configure').mtime.seconds != 10**9


def test_a_staged_write_keeps_a_time_set_after_it():
    with served.module(d={}) as (c, at, m):        # as tar does
        c.create(at + '/d/f', mode=0o644)
        c.write_at(at + '/d/f', 0, b'content\n', UNSTABLE)
        c.setattr(at + '/d/f', mtime=10**18)
        c.commit(at + '/d/f')
        assert m.d['f'] == 'content\n'
        assert c.getattr(at + '/d/f').mtime.seconds == 10**9


def test_directories_show_what_changed_in_them():
    with served.module(d={}) as (c, at, m):
        before = c.stamp(at + '/d')
        c.create(at + '/d/x')
        after = c.stamp(at + '/d')
        assert after > before
        c.remove(at + '/d/x')
        assert c.stamp(at + '/d') > after


def test_a_file_that_is_there_again_has_its_number():
    with served.module(d={'x': 1}) as (c, at, m):
        number = c.getattr(at + '/d/x').fileid
        fh = c.fh(at + '/d/x')
        c.remove(at + '/d/x')
        assert status(c.getattr, (fh,)) == 'STALE'
        c.create(at + '/d/x')
        assert c.getattr(at + '/d/x').fileid == number
        assert c.getattr(at + '/d/x').type == REG
