# SPDX-License-Identifier: MIT
"""Clients and the program do everything at once, at random.

$SOAK_SECONDS, 4 by default; $SOAK_SEED to repeat the clients' part.
"""

import gc
import os
import random
import threading
import time

import served
from client import Failed

SECONDS = float(os.environ.get('SOAK_SECONDS', '1' if served.BRIEF else '4'))
SEED = int(os.environ.get('SOAK_SEED', '0')) or random.randrange(1 << 30)
VIEWS = ['@repr', '@json', '@type', '@len', '@attrs/value', '@items/0',
         '@refcount', '@doc', '@attrs/__class__']
NAMES = ['a', 'b', 'c', 'd', 'e', 'x~', '.y.swp', '0', '1', 'f.c']
EXPECTED = {'NOENT', 'STALE', 'EXIST', 'NOTDIR', 'ISDIR', 'NOTEMPTY',
            'INVAL', 'ACCES', 'PERM', 'NOTSUPP', 'IO'}


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

    def run(self, end):
        while time.monotonic() < end:
            self.n += 1
            try:
                self.step()
            except Failed as error:
                assert error.status in EXPECTED, error
        self.c.close()


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
    if r.random() < 0.001:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)


def test_everything_at_once():
    print('SOAK_SEED=%d' % SEED)
    space, errors = {}, []
    with served.own(root=space, max_nodes=200, timeout=1.0, code=True) as c:
        port = c.rpc.sock.getpeername()[1]
        users = [User(port, SEED + i) for i in range(4)]
        end = time.monotonic() + SECONDS

        def guarded(user):
            try:
                user.run(end)
            except BaseException as error:
                errors.append(error)
                raise
        threads = [threading.Thread(target=guarded, args=(u,))
                   for u in users]
        for t in threads:
            t.start()
        r = random.Random(SEED)
        while time.monotonic() < end:
            program(space, r)
            if r.random() < 0.05:
                time.sleep(0.001)
        for t in threads:
            t.join()
        assert not errors, errors
        seen = set()
        for path, fileid, attr in c.walk('/'):
            assert attr is None or attr.nlink > 1 or fileid not in seen, path
            seen.add(fileid)
            assert len(seen) < 100000
    print('%d operations' % sum(u.n for u in users))
