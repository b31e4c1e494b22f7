"""Watching a server by its control socket: trace, top (UX 4)."""

import contextlib
import json
import os
import socket
import subprocess

import nfs4_client
import nfs4_ops as op
import pytest
import wire
from wire import ok

PATIENCE = 30


@pytest.fixture(scope='module', name='watched')
def run_watched(start, tmp_path_factory):
    run = tmp_path_factory.mktemp('run')
    server = start(env={'XDG_RUNTIME_DIR': str(run)})
    server.run = run
    return server


@pytest.fixture(name='c')
def run_client(watched):
    with wire.Nfs3(watched.tcp()) as client:
        yield client


class Stream:
    """Lines of an answer that goes on."""

    def __init__(self, server, word, **args):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(PATIENCE)
        self.s.connect(str(server.run / 'pinefs' / (
            '%d.sock' % server.process.pid)))
        self.s.sendall(b'%s %s\n' % (word.encode(),
                                     json.dumps(args).encode()))
        self.f = self.s.makefile('rb')
        assert self.next()['type'] == 'server'      # it has begun

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.f.close()
        self.s.close()

    def next(self):
        return json.loads(self.f.readline())

    def until(self, kind, fits=lambda row: True):
        while True:
            row = self.next()
            if row['type'] == kind and fits(row):
                return row


def test_a_trace_has_each_call_decoded_with_its_path(watched, c):
    root = wire.root_of(watched)
    with Stream(watched, 'trace') as trace:
        d = c.make_dir(root, b'dir')
        fh = c.make(d, b'file', b'12345')
        assert ok(c.read(fh, 0, 10)).data == b'12345'
        c.lookup(d, b'nothing')
        made = trace.until('call', lambda r: r['procedure'] == 'MKDIR')
        read = trace.until('call', lambda r: r['procedure'] == 'READ')
        missing = trace.until('call', lambda r: r['procedure'] == 'LOOKUP')
    assert made['program'] == 'NFS_V3' and made['status'] == 'NFS3_OK'
    assert 'name="dir"' in made['args'] and made['path'] == '/'
    assert made['client'].startswith('127.0.0.1:') and made['uid'] == 0
    assert read['path'] == '/dir/file' and 'offset=0' in read['args']
    assert 'count=5' in read['results'] and read['us'] >= 0
    assert missing['status'] == 'NFS3ERR_NOENT' and missing['path'] == '/dir'


def test_a_path_follows_renames(watched, c):
    root = wire.root_of(watched)
    with Stream(watched, 'trace', procedure='READ') as trace:
        d = c.make_dir(root, b'before')
        fh = c.make(d, b'f', b'1')
        ok(c.rename(d, b'f', root, b'moved'))
        c.read(fh)
        assert trace.next()['path'] == '/moved'
        ok(c.rename(root, b'moved', d, b'g' * 200))
        ok(c.rename(root, b'before', root, b'after'))
        c.read(fh)
        assert trace.next()['path'] == '/after/' + 'g' * 100 + '...'


def test_a_trace_is_filtered_by_client_procedure_and_path(watched, c):
    root = wire.root_of(watched)
    fh = c.make(root, b'filtered', b'x')
    c.lookup(root, b'filtered')
    with contextlib.ExitStack() as stack, wire.Nfs3(watched.tcp()) as other:
        def trace(**filters):
            return stack.enter_context(Stream(watched, 'trace', **filters))
        by_proc = trace(procedure='commit')
        by_path = trace(path='/filtered')
        by_name = trace(path='sought')
        here = trace(client='127.0.0.1', procedure='READ')
        nowhere = trace(client='127.0.0.2', procedure='READ')
        c.lookup(root, b'filtered')     # its name
        c.getattr(root)
        other.read(fh, 0, 1)
        c.lookup(root, b'sought')
        c.commit(fh)
        assert by_proc.next()['procedure'] == 'COMMIT'
        assert [by_path.until('call')['procedure'] for _ in range(2)] == [
            'READ', 'COMMIT']
        assert 'sought' in by_name.next()['args']
        assert here.next()['procedure'] == 'READ'
        nowhere.s.setblocking(False)
        with pytest.raises(BlockingIOError):
            nowhere.s.recv(1)


def test_nothing_a_client_sends_reaches_a_terminal(watched, c):
    root = wire.root_of(watched)
    name = b'\x1b[31m\x9b\xff\n"\\\xc2\x9b'
    with Stream(watched, 'trace') as trace:
        c.make(root, name, b'x')
        c.getattr(ok(c.lookup(root, name)).object.data)
        for _ in range(4):
            line = trace.f.readline().rstrip(b'\n')
            assert all(0x20 <= b < 0x7f for b in line), line
            json.loads(line)
    env = dict(os.environ, XDG_RUNTIME_DIR=str(watched.run))
    with subprocess.Popen([wire.PINEFS, 'trace', '--count', '3'], env=env,
                          stdout=subprocess.PIPE) as process:
        out = b''
        while not out.endswith(b'\n'):
            # Until it has come, and has been told.
            c.lookup(root, name)
            os.set_blocking(process.stdout.fileno(), False)
            out += process.stdout.read() or b''
        os.set_blocking(process.stdout.fileno(), True)
        for _ in range(3):
            c.lookup(root, name)
        out += process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0
    assert b'LOOKUP' in out
    assert all(0x20 <= b < 0x7f or b == 10 for b in out), out


def test_a_trace_that_nobody_reads_misses_calls_and_is_told(watched, c):
    root = wire.root_of(watched)
    with Stream(watched, 'trace', procedure='GETATTR') as trace:
        for _ in range(3000):
            c.getattr(root)
        # More than memory for one reader holds, and than his socket.
        assert trace.until('missed')['calls'] > 0
    assert c.attr(root)


def test_top_names_hot_files_and_operations_of_compounds(watched, c):
    root = wire.root_of(watched)
    d = c.make_dir(root, b'hot')
    fh = c.make(d, b'file', b'12345')
    with Stream(watched, 'top', interval_ms=50) as top:
        c.lookup(root, b'hot')
        c.lookup(d, b'file')
        found = {}
        with contextlib.closing(watched.tcp()) as v4:
            while not {'file', 'operation'} <= set(found):
                c.read(fh, 0, 5)
                nfs4_client.compound(v4, 0, op.putrootfh(), op.getfh())
                while (row := top.next())['type'] != 'end':
                    if row['type'] == 'file' and row['path'] == '/hot/file':
                        found['file'] = row
                    if row.get('operation') == 'PUTROOTFH':
                        found['operation'] = row
    assert found['file']['export'] == '/' and found['file']['calls'] > 0
    assert found['operation']['status'] == 'NFS4_OK'
    assert found['operation']['program'] == 'NFS_V4'
