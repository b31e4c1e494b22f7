# SPDX-License-Identifier: MIT
"""Clients and the program do everything at once, at random: it makes, changes
and frees objects, forks and collects; four clients do whatever there is.

$SOAK_OPERATIONS, 20000 by default, in ten rounds, after each of which the
links of the tree are looked at; $SOAK_SEED to repeat the clients' part.
"""

import gc
import os
import posixpath
import random
import threading
import time

import served
from client import Failed

OPERATIONS = int(os.environ.get('SOAK_OPERATIONS',
                                '2000' if served.BRIEF else '20000'))
ROUNDS, USERS = 10, 4
SEED = int(os.environ.get('SOAK_SEED', '0')) or random.randrange(1 << 30)
VIEWS = ['@repr', '@json', '@type', '@len', '@attrs/value', '@items/0',
         '@refcount', '@doc', '@attrs/__class__']
NAMES = ['a', 'b', 'c', 'd', 'e', 'x~', '.y.swp', '0', '1', 'f.c']
# What is gone, and what is another kind of thing now; for changes, what
# cannot be done.  A view may fail as the program's own code does.
LOOKING = {'NOENT', 'STALE', 'NOTDIR', 'ISDIR', 'INVAL'}
CHANGING = LOOKING | {'EXIST', 'NOTEMPTY', 'ACCES', 'PERM'}
VIEWING = CHANGING | {'IO'}


class Thing:
    def __init__(self):
        self.value = 1
        self.more = {}

    def __setattr__(self, name, value):
        if name == 'd':
            raise ValueError(name)
        object.__setattr__(self, name, value)

    def __del__(self):
        gc.collect(0)


class User:
    """One client, doing things at random."""

    def __init__(self, port, seed):
        self.c = served.client.Client(port)
        self.r = random.Random(seed)
        self.handles = [(self.c.root,)]
        self.n = 0

    def path(self):
        return '/'.join([''] + [self.r.choice(NAMES) for _ in range(
            self.r.randrange(1, 5))])

    def target(self):
        return self.r.choice(self.handles) if self.r.random() < 0.5 else \
            self.path()

    def step(self):
        c, r = self.c, self.r
        data = r.choice([b'1\n', b'text\n', b'\xff\0', b'', b'x' * 9000,
                         b'True', b"None"])
        what = r.randrange(20)
        self.allowed = (LOOKING if what in (12, 13, 19) else
                        VIEWING if 15 <= what <= 18 else CHANGING)
        if what == 0:
            c.create(self.path(), mode=r.choice([None, 0o755]),
                     how=r.randrange(2))
        elif what == 1:
            c.create(self.path(), how=2, verf=b'12345678')
        elif what == 2:
            c.mkdir(self.path())
        elif what == 3:
            c.symlink(r.choice(['../a', 'b/c', 'nowhere', '..']),
                      self.path())
        elif what == 4:
            c.link(self.path(), self.path())
        elif what == 5:
            c.rename(self.path(), self.path())
        elif what == 6:
            c.remove(self.path())
        elif what == 7:
            c.rmdir(self.path())
        elif what == 8:
            c.setattr(self.target(), size=r.choice([0, 0, 3, 100]))
        elif what == 9:
            c.write_at(self.target(), r.choice([0, 0, 5, 300]), data,
                       r.choice([0, 2]))
        elif what == 10:
            c.commit(self.target())
        elif what == 11:
            c.setattr(self.target(), mode=0o711, mtime=10**18)
        elif what == 12:
            c.read(self.target())
        elif what == 13:
            c.list(self.target())
        elif what == 14:
            c.write(self.path(), data, r.choice([0, 2]))
        elif what == 15:
            c.read(self.path() + r.choice(VIEWS))
        elif what == 16:
            c.write(self.path() + r.choice(['@repr', '@append', '@json']),
                    r.choice([b'1', b'[1, {}]', b"{'a': {'b': 2}}", b'x']))
        elif what == 17:
            c.list(self.path() + r.choice(['@attrs', '@items',
                                           '@referents']))
        elif what == 18:
            path = '/.pyfs/' + r.choice(['threads', 'gc', 'run', '.'])
            for name in c.list(path)[:3]:
                c.getattr(path + '/' + name)
            c.read('/.pyfs/' + r.choice(['errors', 'stats', 'eval/1+1']))
        else:
            self.handles.append((c.fh(self.path()),))
            del self.handles[1:-20]
            c.getattr(self.handles[-1])

    def run(self, count):
        for _ in range(count):
            self.n += 1
            try:
                self.step()
            except Failed as error:
                assert error.status in self.allowed, error


def program(space, r):
    """What the program does meanwhile."""
    name = r.choice(NAMES[:5])
    thing = Thing()
    space[name] = r.choice([
        1, 'text', None, True, b'bytes', {'a': {'b': {'c': 1}}}, [1, {}],
        thing, {'a': thing, 'b': [thing]}, (1, 2), {1, 2}])
    inner = space.get('a')
    if isinstance(inner, dict):
        inner['b'] = inner
        inner[r.choice(NAMES)] = {'c': thing}
        if len(inner) > 20:
            inner.clear()
    if r.random() < 0.1:
        space.pop(name, None)
    if r.random() < 0.01:
        gc.collect()
    if r.random() < 0.05:
        time.sleep(0.001)


def fork():
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def resident():
    """Bytes."""
    with open('/proc/self/statm') as f:
        return int(f.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def bound_to(o, name):
    """What is bound to a name of a container; None: we cannot tell."""
    if isinstance(o, dict):
        return dict.get(o, name)
    if isinstance(o, (list, tuple)):
        return o[int(name)] if name.isdigit() else None
    if name == '__class__':
        return type(o)
    return getattr(o, '__dict__', {}).get(name)


def bound_at(space, path):
    for name in path.decode().strip('/').split('/'):
        if name:
            space = bound_to(space, name)
    return space


def look_through(c, space):
    """Every file is met once, and every link leads to the object that is
    bound where the link is.  The number of links."""
    seen, links = set(), 0
    for path, fileid, attr in c.walk('/'):
        assert attr is None or attr.nlink > 1 or fileid not in seen, path
        seen.add(fileid)
        assert len(seen) < 100000
        if attr is None or attr.type != served.LNK:
            continue
        here = bound_at(space, path)
        if here is None or isinstance(here, (str, type)):
            continue        # a text; a class has its home in a module
        target = posixpath.normpath(posixpath.join(
            posixpath.dirname(path), c.readlink(path)))
        there = bound_at(space, target)
        if bound_at(space, path) is here:       # still
            assert there is here, (path, target)
            links += 1
    return links


def aliases(space, n):
    """Containers bound twice, at addresses where others have been."""
    for i in range(n):
        one = {'in': [i]}
        space['p%d' % i] = {'x': one, 'y': one, 'z': [one['in'], one]}


def no_wrong_alias(c, space):
    """Looked at, made anew, and looked at again.  The number of links."""
    links = 0
    for _ in range(2):
        aliases(space, 20)
        for attempt in range(20):       # what was written last may be bound
            try:
                links += look_through(c, space)
                break
            except Failed as error:
                assert error.status in LOOKING, error
                last = error
                time.sleep(0.1)
        else:
            raise AssertionError('it never comes to rest: %s' % last)
    return links


def one_round(users, space, r):
    """The users and the program, at once."""
    errors = []

    def guarded(user):
        try:
            user.run(OPERATIONS // ROUNDS // USERS)
        except BaseException as error:
            errors.append(error)
            raise
    threads = [threading.Thread(target=guarded, args=(u,)) for u in users]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        program(space, r)
        if r.random() < 0.002:
            fork()
    assert not errors, errors


def test_everything_at_once():
    print('SOAK_SEED=%d' % SEED)
    space, r, links, sizes = {}, random.Random(SEED), 0, []
    with served.own(root=space, max_nodes=200, code=True) as c:
        users = [User(c.port, SEED + i) for i in range(USERS)]
        for _ in range(ROUNDS):
            one_round(users, space, r)
            fork()
            links += no_wrong_alias(c, space)
            space.clear()
            gc.collect()
            sizes.append(resident())
        for user in users:
            user.c.close()
    print('%d operations, %d links, resident MB: %s' % (
        sum(u.n for u in users), links,
        ' '.join('%.1f' % (n / 1e6) for n in sizes)))
    assert links >= ROUNDS * 2 * 60
    # Pools fill in the first rounds; then it stays.
    assert min(sizes[-3:]) - max(sizes[:4]) < 6e6, sizes
