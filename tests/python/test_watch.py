# SPDX-License-Identifier: MIT
"""Who is told of changes, and may refuse them."""

import contextlib

import served
from served import status

pinefs = served.pinefs


@contextlib.contextmanager
def told(refuse=()):
    changes = []

    @pinefs.on_change
    def note(path, old, new, client):
        changes.append((path, old, new))
        assert client is None or client.startswith('127.0.0.1:'), client
        if path.rsplit('/', 1)[-1] in refuse:
            raise RuntimeError('not this one')
    try:
        yield changes
    finally:
        pinefs._watchers.remove(note)


def test_every_change_is_told_before_it_is_made():
    with served.module(n=5, l=[1], d={'x': 1}) as (c, at, m), \
            told() as changes:
        def last():
            found, changes[:] = list(changes), []
            return found
        c.write(at + '/n', b'6')
        assert last() == [(at + '/n', 5, 6)]
        c.write(at + '/l/1', b'text')
        assert last()[-1] == (at + '/l/1', '', 'text')
        c.mkdir(at + '/d/new')
        assert last() == [(at + '/d/new', pinefs.ABSENT, {})]
        c.rename(at + '/d/x', at + '/d/y')
        assert last() == [(at + '/d/y', pinefs.ABSENT, 1),
                          (at + '/d/x', 1, pinefs.ABSENT)]
        c.remove(at + '/d/y')
        assert last() == [(at + '/d/y', 1, pinefs.ABSENT)]
        c.write(at + '/n@repr', b'[]')
        assert last() == [(at + '/n', 6, [])]
        c.write(at + '/l@repr', b'[7]')
        assert [(w[0], w[2]) for w in last()] == [(at + '/l', [7])]
        assert m.l == [7]
        c.list(at), c.read(at + '/l/0')
        assert last() == []


def test_who_is_told_can_refuse():
    with served.module(n=5, d={'keep': 1, 'go': 2}, b=bytearray(b'as is'),
                       l=[1]) as (c, at, m), \
            told(refuse=('n', 'keep', 'never', 'b', 'l')):
        assert status(c.write, at + '/b', b'other') in ('PERM', 'ACCES')
        assert status(c.write, at + '/l@repr', b'[2]') in ('PERM', 'ACCES')
        assert (m.b, m.l) == (b'as is', [1])
        assert status(c.write, at + '/n', b'6') in ('PERM', 'ACCES')
        assert status(c.remove, at + '/d/keep') == 'PERM'
        assert status(c.rename, at + '/d/keep', at + '/d/other') == 'PERM'
        assert status(c.mkdir, at + '/d/never') == 'PERM'
        assert status(c.rename, at + '/d/go', at + '/d/never') == 'PERM'
        assert (m.n, m.d) == (5, {'keep': 1, 'go': 2})
        assert b'not this one' in c.read('/.pyfs/errors')
        c.remove(at + '/d/go')
        assert m.d == {'keep': 1}


def test_audit_hooks_see_changes_and_code():
    status, text = served.python('''
import sys
sys.path.append(%r)
import served
events = []

def hook(event, args):
    if event.startswith('pinefs.'):
        events.append((event,) + tuple(args))
        if args[0] == '/no':
            raise RuntimeError('no')

sys.addaudithook(hook)
space = {'n': 1, 'no': 2, 'f': lambda: 1}
with served.own(root=space, code=True) as c:
    c.write('/n', b'2')
    assert served.status(c.write, '/no', b'3') == 'ACCES'
    c.remove('/n')
    c.read('/.pyfs/eval/1+1')
assert space['no'] == 2
for e in events:
    print(*e)
''' % served.HERE)
    assert status == 0, text
    assert text.splitlines() == ['pinefs.write /n bind',
                                 'pinefs.write /no bind',
                                 'pinefs.write /n delete',
                                 'pinefs.code 1+1'], text
