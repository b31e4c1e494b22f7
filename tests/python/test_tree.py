# SPDX-License-Identifier: MIT
"""The tree: what is where, homes and links, and that looking is harmless."""

import collections
import gc
import sys
import types
import weakref

import served
from served import DIR, LNK, REG, status


def kinds(c, path):
    return {name.decode(): attr.type for name, _, attr, _ in c.entries(path)}


def test_the_root_lists_the_modules():
    c = served.mounted()
    names = c.list('/')
    for name in ('sys', 'builtins', '__main__', 'os', 'os.path', 'pinefs'):
        assert name in names, name
    assert not [n for n in names if n.startswith('pinefs._')]
    assert c.readlink('/os.path') == b'posixpath'
    assert c.readlink('/os/path') == b'../posixpath'


def test_private_modules_of_ours_are_hidden_everywhere():
    c = served.mounted()
    assert '_pinefs' not in c.list('/pinefs')
    assert status(c.getattr, '/pinefs/_pinefs') == 'NOENT'
    assert status(c.getattr, '/pinefs._pinefs') == 'NOENT'


class Plain:
    shared = 'class'

    def __init__(self):
        self.own = 1


class Slotted:
    __slots__ = ('a', 'b', '__dict__')


class OnlySlots(Slotted):
    __slots__ = ('c',)


def test_containers_are_directories_and_scalars_files():
    deque = collections.deque('ab')
    with served.module(
            i=1, d={}, l=[], t=(1,), s={'x'}, f=frozenset('y'), q=deque,
            o=Plain(), n=None, c=Plain, p=types.MappingProxyType({'k': 1}),
            od=collections.OrderedDict(a=1)) as (c, at, m):
        got = kinds(c, at)
        assert got['i'] == got['n'] == REG
        for name in ('d', 'l', 't', 's', 'f', 'q', 'o', 'p', 'od'):
            assert got[name] == DIR, name
        assert got['c'] == LNK          # at home in this module
        assert c.list(at + '/l') == []
        assert c.list(at + '/t') == ['0']
        assert c.list(at + '/s') == ['x']
        assert c.list(at + '/q') == ['0', '1']
        assert c.list(at + '/p') == ['k']
        assert c.read(at + '/f/y') == b'y'


def test_an_instance_lists_its_dict_slots_and_class():
    o = OnlySlots()
    o.a, o.c, o.free = 1, 2, 3
    with served.module(o=o, p=Plain()) as (c, at, m):
        assert c.list(at + '/o') == ['__class__', 'a', 'c', 'free']
        assert c.read(at + '/o/c') == b'2\n'
        assert status(c.getattr, at + '/o/b') == 'NOENT'    # not filled
        target = c.readlink(at + '/p/__class__').decode()
        assert target == '../../%s/Plain' % __name__
        assert c.list(at + '/p') == ['__class__', 'own']
        c.write(at + '/o/c', b'5')
        assert o.c == 5
        c.write(at + '/o/b', b'new')
        assert o.b == 'new'


def test_a_namespace_of_c_is_a_directory():
    with served.module(n=types.SimpleNamespace(a=1)) as (c, at, m):
        assert c.list(at + '/n') == ['__class__', 'a']
        c.write(at + '/n/a', b'2')
        c.write(at + '/n/b', b'new')
        assert m.n == types.SimpleNamespace(a=2, b='new')
        c.remove(at + '/n/b')
        assert m.n == types.SimpleNamespace(a=2)
        assert 'version' in c.list('/sys/implementation')


def test_a_class_is_at_home_where_its_name_says():
    with served.module(alias=Plain) as (c, at, m):
        assert c.readlink(at + '/alias').decode() == '../%s/Plain' % __name__
        here = '/' + __name__
        assert kinds(c, here)['Plain'] == DIR
        assert c.read(here + '/Plain/shared') == b'class'
        assert c.readlink('/builtins/__spec__/__class__')


def test_aliases_are_relative_links_to_the_first_path():
    inner = {'x': 1}
    with served.module(a=inner, z={'deep': {'er': inner}}) as (c, at, m):
        c.list(at)
        c.list(at + '/z')
        c.list(at + '/z/deep')
        types = [kinds(c, at)['a'], kinds(c, at + '/z/deep')['er']]
        assert sorted(types) == [DIR, LNK]
        assert types[0] == DIR
        assert c.readlink(at + '/z/deep/er') == b'../../a'


def test_a_home_that_is_gone_gives_way_to_another_path():
    inner = {'x': 1}
    with served.module(a=inner, b=inner) as (c, at, m):
        first = {n for n, k in kinds(c, at).items() if k == DIR}
        assert len(first & {'a', 'b'}) == 1
        home, = first & {'a', 'b'}
        other = 'b' if home == 'a' else 'a'
        delattr(m, home)
        assert kinds(c, at)[other] == DIR
        assert c.read(at + '/' + other + '/x') == b'1\n'
        setattr(m, home, inner)
        assert kinds(c, at)[home] == LNK        # a home sticks


def test_reused_addresses_make_no_wrong_alias():
    with served.module(top={}) as (c, at, m):
        for turn in range(10):
            m.top.clear()
            for i in range(50):
                m.top[str(i)] = {'who': '%d.%d' % (turn, i)}
            for name, kind in kinds(c, at + '/top').items():
                assert kind == DIR
                assert c.read('%s/top/%s/who' % (at, name)) == (
                    '%d.%s' % (turn, name)).encode()


def test_what_holds_itself_ends():
    d, l, o = {}, [], Plain()
    d['self'] = d
    d['list'] = l
    l.append(l)
    l.append(d)
    o.me = o
    with served.module(d=d, l=l, o=o) as (c, at, m):
        seen = list(c.walk(at))
        assert len(seen) < 40, seen
        assert c.readlink(at + '/d/self') == b'.'
        assert c.readlink(at + '/o/me') == b'.'


def test_sys_modules_met_inside_itself_is_the_root():
    with served.module(m=sys.modules, d=sys.__dict__) as (c, at, m):
        assert c.readlink(at + '/m') == b'..'
        assert c.readlink(at + '/d') == b'../sys'
        assert c.readlink('/sys/modules') == b'..'
        assert c.readlink('/os/__builtins__') == b'../builtins'


@served.once
def test_a_whole_walk_ends_and_meets_each_file_once():
    c = served.mounted()
    ids, paths, n = set(), set(), 0
    for path, fileid, attr in c.walk('/'):
        n += 1
        assert path not in paths, path
        paths.add(path)
        assert fileid not in ids, path
        ids.add(fileid)
        assert attr is None or attr.fileid == fileid
    assert n > 5000


def test_every_link_of_the_tree_leads_to_a_directory():
    c = served.mounted()
    import posixpath
    links = [p for p, _, a in c.walk('/collections') if a.type == LNK]
    assert links
    for path in links:
        target = posixpath.normpath(posixpath.join(
            posixpath.dirname(path), c.readlink(path)))
        assert c.getattr(target).type == DIR, (path, target)


class Hostile:
    """Whatever is called of it is counted."""

    calls = 0

    def __getattribute__(self, name):
        Hostile.calls += 1
        raise RuntimeError('looked at')

    def __getattr__(self, name):
        Hostile.calls += 1
        raise RuntimeError('looked at')

    def __repr__(self):
        Hostile.calls += 1
        raise RuntimeError('printed')

    __str__ = __len__ = __iter__ = __bool__ = __repr__
    __eq__ = __lt__ = lambda self, other: Hostile.__repr__(self)
    __hash__ = object.__hash__


class Liar:
    """Its class is a lie, and so is its dict."""

    calls = 0

    @property
    def __class__(self):
        Liar.calls += 1
        return dict

    @property
    def __dict__(self):
        Liar.calls += 1
        return {'forged': 1}


class BrokenDict(dict):
    calls = 0

    def items(self):
        BrokenDict.calls += 1
        raise RuntimeError('broken')

    keys = values = __iter__ = __len__ = items

    def __getitem__(self, key):
        BrokenDict.calls += 1
        raise RuntimeError('broken')

    get = __contains__ = __getitem__


class BrokenList(list):
    def __iter__(self):
        BrokenDict.calls += 1
        raise RuntimeError('broken')

    __len__ = __getitem__ = __iter__


class Meta(type):
    calls = 0

    def __getattribute__(cls, name):
        Meta.calls += 1
        return type.__getattribute__(cls, name)


class WithMeta(metaclass=Meta):
    x = 1


class Descriptor:
    calls = 0

    def __get__(self, instance, owner=None):
        Descriptor.calls += 1
        return 1

    def __set__(self, instance, value):
        Descriptor.calls += 1


class Described:
    d = Descriptor()

    @property
    def p(self):
        Descriptor.calls += 1
        return 1


class Counted:
    def __init__(self):
        self.value = [1]


def calls():
    return (Hostile.calls, Liar.calls, BrokenDict.calls, Meta.calls,
            Descriptor.calls)


def test_looking_runs_no_code_of_the_program():
    hostile, liar = Hostile(), Liar()
    broken = BrokenDict()
    dict.__setitem__(broken, 'k', 'v')
    items = BrokenList()
    list.append(items, 'item')
    described = Described()
    names = dict(h=hostile, liar=liar, d=broken, l=items, m=WithMeta(),
                 o=described, c=Described, nested={'h': [hostile, liar]},
                 keyed={hostile: 1}, s=slice(hostile, None))
    with served.module(**names) as (c, at, m):
        before = calls()
        for path, _, attr in c.walk(at):
            if attr.type == REG:
                c.read(path)
            elif attr.type == LNK:
                c.readlink(path)
        for path, _, attr in c.walk('/' + __name__ + '/Described'):
            c.getattr(path)
        assert calls() == before, (before, calls())
        assert c.read(at + '/d/k') == b'v'
        assert c.read(at + '/l/0') == b'item'
        assert 'forged' not in c.list(at + '/liar') if c.getattr(
            at + '/liar').type == DIR else True
        assert c.list(at + '/h') == ['__class__']


def test_looking_leaves_references_and_finalizers_alone():
    o = Counted()
    ended = []
    gone = Counted()
    ref = weakref.ref(gone, ended.append)
    cycle = []
    cycle.append(cycle)
    names = dict(o=o, v=o.value, d={'x': o}, cycle=cycle, gone=gone)
    del gone
    with served.module(**names) as (c, at, m):
        names.clear()
        counts = [sys.getrefcount(x) for x in (o, o.value, m.d, m.cycle)]
        for _ in range(3):
            list(c.walk(at))
        now = [sys.getrefcount(x) for x in (o, o.value, m.d, m.cycle)]
        assert now == counts, (counts, now)
        assert not ended and ref() is not None
        del m.gone
        assert ended and ref() is None
        del m.cycle
        cycle = None
        gc.collect()


def test_a_deep_chain_ends_in_a_file():
    top = node = {}
    for _ in range(400):
        node['next'] = {}
        node = node['next']
    with served.module(top=top) as (c, at, m):
        seen = list(c.walk(at + '/top'))
        assert 150 < len(seen) < 220, len(seen)
        assert seen[-1][2].type == REG
        assert b'dict object at 0x' in c.read(seen[-1][0])


def test_what_cannot_be_changed_shows_it():
    with served.module(t=(1,), f=frozenset('a'), d={}, x=1, e=...,
                       s={'a'}) as (c, at, m):
        assert c.getattr(at + '/t').mode == 0o500
        assert c.getattr(at + '/t/0').mode == 0o400
        assert c.getattr(at + '/f').mode == 0o500
        assert c.getattr(at + '/d').mode == 0o700
        assert c.getattr(at + '/x').mode == 0o600
        assert c.getattr(at + '/e').mode == 0o400
        assert c.getattr(at + '/s/a').mode == 0o400
        assert c.getattr('/builtins/int').mode == 0o500


def test_public_shows_the_usual_modes():
    with served.own(root={'x': 1, 'd': {}}, public=True) as c:
        assert c.getattr('/x').mode == 0o644
        assert c.getattr('/d').mode == 0o755


def test_a_root_of_ones_own():
    class App:
        def __init__(self):
            self.level = 1
    app = App()
    with served.own(root=app) as c:
        assert c.list('/') == ['__class__', 'level']
        c.write('/level', b'2')
        assert app.level == 2
        c.remove('/level')      # nothing of it is protected by its place
        assert not hasattr(app, 'level')
    with served.own(root={'app': app, 'again': app}) as c:
        assert sorted(kinds(c, '/').values()) == [DIR, LNK]


def test_include_and_exclude():
    space = {'password': 'x', 'name': 'y', '_private': 1,
             'sub': {'db_password': 1, 'host': 'h'}}
    with served.own(root=space, exclude=served.pinefs.REDACT) as c:
        assert c.list('/') == ['_private', 'name', 'sub']
        assert c.list('/sub') == ['host']
        assert status(c.getattr, '/password') == 'NOENT'
        assert status(c.create, '/my_token') in ('PERM', 'ACCES')
    with served.own(root=space, private=False, exclude=()) as c:
        assert c.list('/') == ['name', 'password', 'sub']
    with served.own(root=space, exclude=('sub.*',)) as c:
        assert c.list('/sub') == []


def test_what_is_hidden_is_not_reached_by_another_way():
    Login = collections.namedtuple('Login', 'user password')
    space = {'vault': {'key': 1}, 'open': {}, 'login': Login('me', 'x'),
             'API_SECRET': 'x', 'Token2': 'x'}
    hidden = served.pinefs.REDACT + ('vault',)
    with served.own(root=space, exclude=hidden) as c:
        assert c.list('/') == ['login', 'open']
        c.symlink('../vault', '/open/link')
        assert space['open']['link'] == '../vault'
        assert c.list('/login') == ['user']
        assert status(c.read, '/login/1') == 'NOENT'
        assert status(c.read, '/login/0') == 'NOENT'


def test_include_shows_what_it_names_what_is_below_and_what_leads_there():
    space = {'shop': {'cart': {'total': 1, 'tax': 2}, 'other': 3},
             'bank': {'x': 1}, 'shopping': 4}
    with served.own(root=space, include='shop.cart.t*') as c:
        assert c.list('/') == ['shop']
        assert c.list('/shop') == ['cart']
        assert c.list('/shop/cart') == ['tax', 'total']
        for path in ('/bank', '/shop/other', '/shopping'):
            assert served.status(c.read, path) == 'NOENT', path
            assert served.status(c.write, path, b'9') is not None, path
    with served.own(root=space, include=('bank', 'shopping')) as c:
        assert c.list('/') == ['bank', 'shopping']
        assert c.read('/bank/x') == b'1\n'
    with served.own(include=['json.decoder']) as c:
        import json.decoder     # noqa: F401
        assert c.list('/') == ['json', 'json.decoder']
        assert c.list('/json') == ['decoder']
    try:
        served.serve(include=[lambda path: True])
        raise AssertionError('taken')
    except TypeError:
        pass


def test_a_very_long_dict_is_listed_while_the_program_goes_on():
    import threading
    import time
    n = 110000
    space = {'d': dict.fromkeys(map(str, range(n)), 0), 'x': 1}
    stop, turns = threading.Event(), []

    def churn():
        while not stop.is_set():
            space['d']['extra%d' % len(turns)] = 1
            space['d'].pop('extra%d' % (len(turns) - 5), None)
            turns.append(time.monotonic())
            time.sleep(0.0005)

    thread = threading.Thread(target=churn)
    with served.own(root=space) as c:
        thread.start()
        try:
            begun = time.monotonic()
            names = [e[0] for e in c.entries('/d', plus=False,
                                             maxcount=60000)]
            ended = time.monotonic()
        finally:
            stop.set()
            thread.join()
    stay = [name for name in names if not name.startswith(b'extra')]
    assert len(names) == len(set(names))
    assert len(stay) == n
    assert sum(begun < t < ended for t in turns) > 10


def test_statistics():
    with served.own(root={'a': 1}) as c:
        server = served.pinefs.servers()[-1]
        before = server.stats()
        assert c.read('/a') == b'1\n'
        after = server.stats()
        assert after['operations'] > before['operations']
        assert after['holds'] > before['holds']
        assert after['nodes'] >= 2 and after['wait_median'] > 0
        assert after['gil'] in ('handoff', 'burst', 'signal')
    assert server.stats() == {}


def test_a_big_directory_is_listed_whole_in_pages():
    big = {'key%d' % i: i for i in range(5000)}
    with served.module(big=big) as (c, at, m):
        names = [e[0].decode() for e in c.entries(at + '/big', maxcount=4096)]
        assert len(names) == len(big) and set(names) == set(big)
        plain = [e[0].decode() for e in c.entries(at + '/big', plus=False)]
        assert plain == names
        l = c.entries(at + '/big', maxcount=4096)
        seen = [next(l)[0] for _ in range(500)]
        for i in range(0, 5000, 2):
            del big['key%d' % i]
        for i in range(100):
            big['new%d' % i] = 1
        seen += [e[0] for e in l]
        assert len(seen) == len(set(seen))
        stayed = {('key%d' % i).encode() for i in range(1, 5000, 2)}
        assert stayed <= set(seen)


def test_handles_name_the_path_and_outlive_the_server():
    options = {'root': {'a': {'b': {'c': 5}}, 'list': [1, {'x': 'deep'}]},
               'port': 0, 'instance': 'outlives'}
    import tempfile
    options['state_dir'] = tempfile.mkdtemp(prefix='pinefs-test-')
    with served.own(**options) as c:
        handles = [(p, c.fh(p)) for p in ('/a', '/a/b', '/a/b/c',
                                          '/list/1/x')]
        assert all(len(h.data) <= 64 for _, h in handles)
    with served.own(**options) as c:
        for path, fh in handles:
            attr = c.getattr((fh,))
            assert attr.fileid == c.getattr(path).fileid, path
        assert c.read((handles[3][1],)) == b'deep'
    options['root'] = {'a': 1}
    with served.own(**options) as c:
        for path, fh in handles:
            assert status(c.getattr, (fh,)) == 'STALE', path


def test_another_program_does_not_accept_the_handles():
    import tempfile
    state = tempfile.mkdtemp(prefix='pinefs-test-')
    with served.own(root={'a': 1}, state_dir=state, instance='one') as c:
        fh = c.fh('/a')
    with served.own(root={'a': 1}, state_dir=state, instance='two') as c:
        assert status(c.getattr, (fh,)) in ('STALE', 'BADHANDLE')


def test_a_kind_that_changes_makes_the_handle_stale():
    with served.module(x=1, d={}) as (c, at, m):
        x, d = c.fh(at + '/x'), c.fh(at + '/d')
        before = c.getattr(at + '/x').fileid
        m.x, m.d = {}, 2
        assert status(c.getattr, (x,)) == 'STALE'
        assert status(c.getattr, (d,)) == 'STALE'
        assert c.getattr(at + '/x').fileid != before
        m.x = 'of the old kind again'
        assert c.read((x,)) == b'of the old kind again'


def test_times_change_with_the_content_and_only_then():
    with served.module(x=1, d={'a': 1}) as (c, at, m):
        first = c.stamp(at + '/x'), c.stamp(at + '/d')
        assert (c.stamp(at + '/x'), c.stamp(at + '/d')) == first
        m.x = 2
        second = c.stamp(at + '/x')
        assert second > first[0] and c.stamp(at + '/x') == second
        m.d['b'] = 1
        assert c.stamp(at + '/d') > first[1]
        a = c.stamp(at + '/d')
        m.d['a'] = 5            # the names are the same
        assert c.stamp(at + '/d') == a


def test_few_nodes_are_enough_for_many_files():
    space = {'d%d' % i: {'f%d' % j: j for j in range(50)} for i in range(50)}
    with served.own(root=space, max_nodes=256) as c:
        assert len(list(c.walk('/'))) == 2550
        fh = c.fh('/d0/f0')
        list(c.walk('/'))
        assert c.read((fh,)) == b'0\n'  # found again by its path




def test_version_2_lists_all_of_it_too():
    import mount
    import nfs2
    big = {'key%d' % i: i for i in range(2000)}
    space = {'big': big, 'list': list(range(500)), 'x': 'text'}
    with served.own(root=space) as c:
        res = mount.MOUNT_PROGRAM_1_client(c.rpc).MOUNTPROC_MNT(b'/')
        assert res.status == 0, res
        nfs = nfs2.NFS_PROGRAM_2_client(c.rpc)
        root = res._data

        def lookup(name):
            return nfs.NFSPROC_LOOKUP(nfs2.diropargs(root, name))._data

        def names(fh):
            cookie, got = bytes(4), []
            while True:
                res = nfs.NFSPROC_READDIR(nfs2.readdirargs(fh, cookie, 4000))
                assert res.status == 0, res
                for e in res._data.entries:
                    cookie = e.cookie
                    if e.name not in (b'.', b'..'):
                        got.append(e.name.decode())
                if res._data.eof:
                    return got
        for name, want in (('big', set(big)),
                           ('list', {str(i) for i in range(500)})):
            got = names(lookup(name.encode()).file)
            assert len(got) == len(want) and set(got) == want, name
        fh = lookup(b'x').file
        res = nfs.NFSPROC_READ(nfs2.readargs(fh, 0, 100, 0))
        assert res._data.data == b'text'
        nfs.NFSPROC_WRITE(nfs2.writeargs(fh, 0, 0, 0, b'TEXT'))
        assert space['x'] == 'TEXT'
