# SPDX-License-Identifier: MIT
"""pinefs -f py as a service: sockets that were opened for it, and news of it.

What is wrong with such sockets, and more: tests/cli/test_systemd.py."""

import os
import signal
import socket
import subprocess
import sys
import tempfile

import served

PINEFS = os.path.join(served.BUILD, 'pinefs')
START = '''
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
'''


def null(port):
    call = b''.join(n.to_bytes(4, 'big') for n in
                    (77, 0, 2, 100003, 3, 0, 0, 0, 0, 0))
    with socket.create_connection(('127.0.0.1', port), 30) as s:
        s.sendall((0x80000000 | len(call)).to_bytes(4, 'big') + call)
        return s.recv(100)[4:8]


def test_a_service_of_python_has_its_sockets_from_the_manager():
    tmp = tempfile.mkdtemp(prefix='pinefs-test-')
    path = os.path.join(tmp, 'notify')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, \
            socket.socket() as nfs:
        manager.bind(path)
        manager.settimeout(60)
        nfs.bind(('127.0.0.1', 0))
        nfs.listen()
        port = nfs.getsockname()[1]
        program = subprocess.Popen(
            [sys.executable, '-c', START, str(nfs.fileno()), PINEFS, '-f',
             'py', '--no-loop', '--no-portmap', '--state-dir', tmp],
            stdin=subprocess.DEVNULL, pass_fds=[nfs.fileno()],
            env=dict(os.environ, NOTIFY_SOCKET=path,
                     PINEFS_PYTHON=sys.executable))
        try:
            told = manager.recv(1000).decode()
            assert told.startswith('READY=1\n')
            assert told.endswith('127.0.0.1 port %d' % port)
            assert null(port) == b'\0\0\0\x4d'
            program.send_signal(signal.SIGTERM)
            assert manager.recv(1000).startswith(b'STOPPING=1\n')
            assert program.wait(60) == 0
        finally:
            program.kill()
