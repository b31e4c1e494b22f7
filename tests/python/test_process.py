# SPDX-License-Identifier: MIT
"""The life of the process: fork, exit, signals, the program pinefs."""

import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time

import served

PINEFS = os.path.join(served.BUILD, 'pinefs')
STATE = tempfile.mkdtemp(prefix='pinefs-test-')

START = '''
import os, sys, threading, time
sys.path.append(%r)
import served
server = served.serve()
from client import Client
''' % served.HERE


def ends(text, status=0, within=60):
    start = time.monotonic()
    code, out = served.python(START + text, timeout=within + 20)
    assert code == status, (code, out)
    assert time.monotonic() - start < within
    return out


def test_serve_twice_and_stop_in_any_order():
    a, b = served.serve(instance='a'), served.serve(instance='b')
    assert a.port != b.port and a in served.pinefs.servers()
    assert a.url == 'nfs://127.0.0.1:%d/' % a.port
    a.stop()
    assert a.port == 0 and a not in served.pinefs.servers()
    with served.client.Client(b.port) as c:
        assert c.exists('/sys')
    a.stop()
    b.stop()
    assert 'stopped' in repr(b)


def test_a_port_in_use_is_an_error_that_says_what_to_do():
    with served.serve(instance='first') as first:
        try:
            served.serve(port=first.port, instance='second')
        except OSError as error:
            assert str(first.port) in str(error), error
            assert 'port=0' in str(error), error
        else:
            raise AssertionError('served twice')


@served.once
def test_only_loopback():
    for addr in ('0.0.0.0', '192.168.1.1', '::'):
        try:
            served.serve(addr=addr)
        except ValueError as error:
            assert addr in str(error)
        else:
            raise AssertionError(addr)


@served.once
def test_other_users_are_refused():
    with served.serve(uids=(4242,), instance='uids') as server:
        try:
            served.client.Client(server.port, uid=os.geteuid()).close()
        except served.Failed as error:
            assert error.status == 'MNT3ERR_ACCES'
        else:
            raise AssertionError('let in')


@served.once
def test_the_process_of_another_user_is_refused():
    """By each version, with an answer; also with a handle it came by."""
    if os.geteuid() != 0:
        return          # nobody to become
    out = ends('''
import nfs3, rpc, versions
port = server.port
c = Client(port)
secret = c.fh('/sys/maxsize')
pid = os.fork()
if pid == 0:
    os.setgid(65534)
    os.setuid(65534)
    for uid in (0, 65534):      # lying does not help
        for version in versions.VERSIONS:
            try:
                with versions.mount(port, version, uid=uid) as other:
                    other.list('/')
            except served.Failed as error:
                print('no', version, uid, error.status)
            except rpc.AuthError as error:
                print('no', version, uid, 'AuthError')
        try:
            raw = rpc.TCPClient('127.0.0.1', port,
                                cred=rpc.auth_sys(uid=uid))
            nfs = nfs3.NFS_PROGRAM_3_client(raw)
            for call, args in (
                    (nfs.NFSPROC3_GETATTR, nfs3.GETATTR3args(secret)),
                    (nfs.NFSPROC3_READ, nfs3.READ3args(secret, 0, 99))):
                print('no', 'handle', uid, call(args).status.name)
        except rpc.AuthError as error:
            print('no', 'handle', uid, 'AuthError')
            print('no', 'handle', uid, 'AuthError')
    sys.stdout.flush()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
c.list('/')
''')
    rows = [line.split() for line in out.splitlines()
            if line.startswith('no ')]
    assert len(rows) == 2 * 7, out
    for _, what, uid, answer in rows:
        assert answer in ('MNT3ERR_ACCES', 'MNT13', 'ACCES', 'AuthError',
                          'NFS3ERR_ACCES'), (what, uid, answer)
    # Who says who it is, is answered in the protocol's own words.
    honest = {what: answer for _, what, uid, answer in rows if uid != '0'}
    assert honest['3'] == 'MNT3ERR_ACCES' and honest['2'] == 'MNT13', honest
    assert honest['4.2'] == 'ACCES', honest


@served.once
def test_nothing_listens_but_on_loopback():
    """With every option that could: UDP, MOUNT's own port, the portmapper."""
    out = ends('''
import glob, re
server.stop()
server = served.serve(mount_port=0, portmap=True, tcp_only=False)
server = served.serve(addr=None, instance='both')
mine = set()
for fd in glob.glob('/proc/self/fd/*'):
    try:
        found = re.match(r'socket:\\[([0-9]+)', os.readlink(fd))
    except OSError:
        continue
    if found:
        mine.add(found[1])
for name in ('tcp', 'udp', 'tcp6', 'udp6'):
    with open('/proc/net/' + name) as f:
        for line in f.readlines()[1:]:
            row = line.split()
            if row[9] in mine:
                print('bound', name, row[1].split(':')[0])
''')
    rows = {tuple(line.split()[1:]) for line in out.splitlines()
            if line.startswith('bound')}
    assert {('tcp', '0100007F'), ('udp', '0100007F')} <= rows, out
    assert {address for _, address in rows} <= {
        '0100007F', '00000000000000000000000001000000'}, rows


# Ways a program ends, with a client that has written and goes on asking, and
# the status then.  What they print before: 'last', and the moment.
ENDINGS = [
    ('pass', 0),
    ('sys.exit(3)', 3),
    ('os._exit(5)', 5),
    ('1 / 0', 1),
    ('t = threading.Thread(target=sys.exit); t.start(); t.join()', 0),
    ('threading.Thread(target=time.sleep, args=(60,), daemon=True).start()',
     0),
    ('os.execv(sys.executable, [sys.executable, "-c", "raise SystemExit(7)"])',
     7),
    ('os.kill(os.getpid(), 2)', -2),
    ('server.stop()', 0),
]


def seconds_to_end(text, status):
    code, out = served.python(START + '''
x, port = 5, server.port
child = os.fork()
if child == 0:          # a client of its own, until the server has gone
    try:
        with Client(port) as c:
            c.write_at('/__main__/x', 0, b'7', 0)
            os.write(1, b'begun\\n')
            while True:
                list(c.entries('/sys'))
    except BaseException:
        os._exit(0)
end = time.monotonic() + 60
while server.stats().get('operations', 0) < 20 and time.monotonic() < end:
    time.sleep(0.01)
os.write(1, b'last %f\\n' % time.monotonic())
''' + text + '\n', timeout=100)
    now = time.monotonic()
    assert code == status, (text, code, out)
    last, = [line for line in out.splitlines() if line.startswith('last')]
    return now - float(last.split()[1])


def test_a_program_that_is_asked_ends_within_two_seconds():
    for text, status in ENDINGS[:2] if served.BRIEF else ENDINGS:
        for attempt in range(4):        # on a busy machine it may take longer
            took = seconds_to_end(text, status)
            if took < 2:
                break
        assert took < 2, (text, took)


def test_no_thread_is_left_when_it_has_stopped():
    ends('''
def threads():
    return len(os.listdir('/proc/self/task'))
def sockets():
    return sum(os.readlink('/proc/self/fd/' + fd).startswith('socket:')
               for fd in os.listdir('/proc/self/fd')
               if os.path.islink('/proc/self/fd/' + fd))
served.soon(lambda: threads() > 1)
with Client(server.port) as c:
    c.read('/sys/path@repr')            # a worker, too
pid = os.fork()
if pid == 0:
    assert threads() == 1, threads()
    assert sockets() == 0, sockets()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
server.stop()
served.soon(lambda: threads() == 1)     # a thread's entry goes a bit later
assert sockets() == 0, sockets()
for n in range(3):
    with served.serve() as server:
        with Client(server.port) as c:
            c.list('/')
served.soon(lambda: threads() == 1 and sockets() == 0)
''')


@served.once
def test_fork_inherits_no_socket_that_is_opened_or_closed_just_then():
    """fork copies descriptors first, and memory when they may have changed;
    the ballast, which is copied in between, gives it time to."""
    ends('''
import socket
port = server.port
ballast = bytearray(b"x" * (150 << 20))
hammer = os.fork()
if hammer == 0:
    while os.getppid() != 1:
        try:
            socket.create_connection(('127.0.0.1', port)).close()
        except OSError:
            break
    os._exit(0)
left = 0
for i in range(50):
    pid = os.fork()
    if pid == 0:
        kinds = [os.readlink('/proc/self/fd/%d' % fd).split(':')[0]
                 for fd in range(3, 64)
                 if os.path.islink('/proc/self/fd/%d' % fd)]
        os._exit(len(set(kinds) & {'socket', 'anon_inode'}))
    left += os.WEXITSTATUS(os.waitpid(pid, 0)[1])
os.kill(hammer, 9)
os.waitpid(hammer, 0)
assert left == 0, left
''')


def test_a_server_whose_start_was_interrupted_is_stopped_at_exit():
    ends('''
import pinefs
real, pinefs.Server = pinefs.Server, None       # as a signal right before it
try:
    served.serve()
except TypeError:
    pass
pinefs.Server = real
pinefs._stop_all()
served.soon(lambda: len(os.listdir('/proc/self/task')) == 1)
''')


def test_exit_with_clients_and_stages():
    out = ends('''
import atexit
x = 5
atexit.register(lambda: print("x is", x))
c = Client(server.port)
c.write_at('/__main__/x', 0, b'7', 0)
server.stop()
print("x is", x)
''')
    assert out.count('x is 7') == 2, out


def test_atexit_binds_what_is_staged():
    out = ends('''
class Loud:
    def __setattr__(self, name, value):
        os.write(1, b'set %s to %d\\n' % (name.encode(), value))
        object.__setattr__(self, name, value)
o = Loud()
o.__dict__['x'] = 1
c = Client(server.port)
c.write_at('/__main__/o/x', 0, b'7', 0)
''')
    assert 'set x to 7' in out, out


def test_stop_in_the_middle_of_calls():
    ends('''
stop = []
def hammer():
    try:
        with Client(server.port) as c:
            while not stop:
                list(c.entries('/sys'))
    except (OSError, ConnectionError):
        pass
threads = [threading.Thread(target=hammer) for _ in range(3)]
for t in threads: t.start()
time.sleep(0.3)
server.stop()
stop.append(1)
for t in threads: t.join()
''')


def test_fork_leaves_the_child_without_a_server():
    out = ends('''
c = Client(server.port)
for i in range(20):
    pid = os.fork()
    if pid == 0:
        assert served.pinefs.servers() == []
        assert server.port == 0
        server.stop()
        os._exit(0)
    c.list('/sys')
    assert os.waitpid(pid, 0)[1] == 0
pid = os.fork()
if pid == 0:
    sys.exit(0)         # runs atexit
assert os.waitpid(pid, 0)[1] == 0
assert c.read('/__main__/__name__') == b'__main__'
print('fine')
''')
    assert 'fine' in out


def test_a_child_can_serve_for_itself():
    ends('''
pid = os.fork()
if pid == 0:
    mine = served.serve(instance='child')
    with Client(mine.port) as c:
        assert c.exists('/sys')
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
''')


def test_fork_under_load():
    ends('''
stop = []
x = 1
class Slow:
    def __setattr__(self, name, value):
        time.sleep(0.001)
        object.__setattr__(self, name, value)
o = Slow()
o.a = 1
def hammer():
    with Client(server.port) as c:
        while not stop:
            c.list('/sys')
            c.write('/__main__/o/a', b'2')
t = threading.Thread(target=hammer)
t.start()
for i in range(50):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop.append(1)
t.join()
''')


def test_multiprocessing():
    with tempfile.NamedTemporaryFile('w', suffix='.py') as f:
        f.write('''
import multiprocessing as mp, os, sys
sys.path.append(%r)
def work(x):
    return x + 1
if __name__ == '__main__':
    import served
    server = served.serve()
    for method in ('fork', 'spawn'):
        with mp.get_context(method).Pool(2) as pool:
            assert pool.map(work, range(10)) == list(range(1, 11))
    print('fine')
''' % served.HERE)
        f.flush()
        done = subprocess.run(
            [sys.executable, f.name], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=60)
        assert done.returncode == 0 and b'fine' in done.stdout, done.stdout


def test_subinterpreters_are_refused_or_never_get_there():
    code, out = served.python('''
import sys
try:
    import _xxsubinterpreters as sub
except ImportError:
    try:
        import _interpreters as sub
    except ImportError:
        sys.exit(0)
i = sub.create()
r = sub.run_string(i, """
try:
    import pinefs
except ImportError as error:
    pass
else:
    raise AssertionError('imported')
""") if hasattr(sub, 'run_string') else None
if r is not None and 'imported' in str(r):
    sys.exit(1)
''')
    assert code == 0, out


# ------------------------------------------------------ the program pinefs --


def launched(*args, **options):
    """Popen of pinefs with the tests' own Python, and its port."""
    env = dict(os.environ, PINEFS_PYTHON=sys.executable)
    env.pop('PYTHONSTARTUP', None)
    env.update(options.pop('env', {}))
    read, write = os.pipe()
    options.setdefault('stdin', subprocess.DEVNULL)
    process = subprocess.Popen(
        [PINEFS, '--port', '0', '--mount-port', '0', '--no-portmap',
         '--state-dir', STATE, '--ready-fd', str(write)] + list(args),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
        pass_fds=(write,), bufsize=0, **options)
    os.close(write)
    ready = os.read(read, 1)
    os.close(read)
    return process, ready


def finish(process, signum=None):
    if signum is not None:
        process.send_signal(signum)
    out = process.communicate(timeout=20)[0].decode()
    return process.returncode, out


def port_of(line):
    return int(line.split('127.0.0.1:')[1].split()[0])


def test_no_loop_serves_until_a_signal():
    for signum in (signal.SIGTERM, signal.SIGINT):
        process, ready = launched('--no-loop')
        assert ready == b'\n'
        code, out = finish(process, signum)
        assert code == 0, (code, out)
        line = out.splitlines()[0]
        assert line.startswith('pinefs: serving py on 127.0.0.1:'), out
        assert 'Python %d.%d' % sys.version_info[:2] in line
        assert 'mount -t nfs' in out and 'trace_rpc' in out


def test_standard_input_runs_then_it_serves_on():
    with tempfile.TemporaryFile() as f:
        f.write(b'import sys\nx = 6 * 7\nprint("ran", __name__, '
                b'repr(sys.argv))\n')
        f.seek(0)
        process, ready = launched(stdin=f)
        line = process.stdout.readline().decode()
        with served.client.Client(port_of(line)) as c:
            served.soon(lambda: c.exists('/__main__/x'))
            assert c.read('/__main__/x') == b'42\n'
            assert '_pinefs_startup' not in c.list('/__main__')
            assert 'PINEFS_SERVE_VERSION' not in c.list(
                '/os/environ/_data')
        code, out = finish(process, signal.SIGTERM)
        assert code == 0 and "ran __main__ ['']" in out, (code, out)


def script(text):
    handle, path = tempfile.mkstemp(suffix='.py')
    with os.fdopen(handle, 'w') as f:
        f.write(text)
    return path


def test_a_script_is_the_real_main():
    path = script('''
import os, sys
import __main__
assert __main__.__dict__ is globals()
assert __name__ == '__main__' and __file__ == sys.argv[0]
assert __spec__ is None and __package__ is None
assert __builtins__ is sys.modules['builtins']
assert sys.path[0] == os.path.dirname(os.path.realpath(__file__))
assert not [k for k in os.environ if k.startswith('PINEFS_SERVE')]
assert 'PYTHONSTARTUP' not in os.environ
names = [n for n in globals() if not n.startswith('__')]
assert sorted(names) == ['os', 'sys'], names
import pinefs
assert len(pinefs.servers()) == 1
print('arguments', sys.argv[1:])
sys.exit(7)
''')
    process, ready = launched(path, 'a', '--b')
    code, out = finish(process)
    assert code == 7 and "arguments ['a', '--b']" in out, (code, out)
    os.unlink(path)


def test_a_script_that_fails_shows_its_own_traceback():
    path = script('def f():\n    return 1 / 0\n\n\nf()\n')
    process, ready = launched(path)
    code, out = finish(process)
    assert code == 1 and 'ZeroDivisionError' in out
    assert '_startup' not in out and 'runpy' not in out, out
    os.unlink(path)


def test_a_script_with_no_loop_is_served_after_its_end():
    path = script('x = "still here"\n')
    process, ready = launched('--no-loop', path)
    line = process.stdout.readline().decode()
    with served.client.Client(port_of(line)) as c:
        served.soon(lambda: c.exists('/__main__/x'))
        assert c.read('/__main__/x') == b'still here'
    code, out = finish(process, signal.SIGTERM)
    assert code == 0, (code, out)
    os.unlink(path)


def test_a_module_runs_as_main():
    with tempfile.TemporaryDirectory() as d:
        with open(os.path.join(d, 'my_module.py'), 'w') as f:
            f.write('import sys\nassert __name__ == "__main__"\n'
                    'assert __spec__.name == "my_module"\n'
                    'print("ran", sys.argv[1:], sys.argv[0] == __file__)\n')
        process, ready = launched('-m', 'my_module', 'a', cwd=d)
        code, out = finish(process)
        assert code == 0 and "ran ['a'] True" in out, (code, out)
        process, ready = launched('-m', 'no_such_module', cwd=d)
        code, out = finish(process)
        assert code == 1 and 'no_such_module' in out, (code, out)


def test_the_prompt():
    startup = script('print("own startup", __name__)\nmine = 1\n')
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM='dumb', PINEFS_PYTHON=sys.executable,
                          PYTHONSTARTUP=startup, PYTHON_BASIC_REPL='1')
        os.execv(PINEFS, [PINEFS, '--port', '0', '--mount-port', '0',
                          '--no-portmap', '--state-dir', STATE])
    seen = b''

    def until(text):
        nonlocal seen
        end = time.monotonic() + 20
        while text not in seen:
            assert time.monotonic() < end, seen
            if select.select([fd], [], [], 0.1)[0]:
                seen += os.read(fd, 65536)
    try:
        until(b'>>> ')
        assert b'Python %d.%d' % sys.version_info[:2] in seen
        assert seen.index(b'serving py') < seen.index(b'own startup')
        os.write(fd, b'x = 6 * 7; print("x is", x, mine)\n')
        until(b'x is 42 1')
        with served.client.Client(port_of(seen.decode())) as c:
            assert c.read('/__main__/x') == b'42\n'
            c.write('/__main__/x', b'43')
            names = c.list('/__main__')
            assert '_pinefs_startup' not in names and 'os' not in names
        os.write(fd, b'print("now", x, "PYTHONSTARTUP" in '
                     b'__import__("os").environ)\n')
        until(b'now 43 True')
        # The prompt's own.  One that comes in the moment before the prompt
        # waits for a key is seen with the next: say it until it is heard.
        end = time.monotonic() + 20
        while b'KeyboardInterrupt' not in seen:
            assert time.monotonic() < end, seen
            os.kill(pid, signal.SIGINT)
            if select.select([fd], [], [], 1)[0]:
                seen += os.read(fd, 65536)
        # A second one that comes late takes the line with it.
        end, ask = time.monotonic() + 60, 0
        while True:
            done, code = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            assert time.monotonic() < end, seen
            if time.monotonic() > ask:
                ask = time.monotonic() + 3
                try:
                    os.write(fd, b'exit()\n')
                except OSError:
                    pass
            if select.select([fd], [], [], 0.05)[0]:
                try:
                    seen += os.read(fd, 65536)
                except OSError:
                    pass
        assert code == 0
    finally:
        os.close(fd)
        os.unlink(startup)


# ---------------------------------------------------- memory beside the program


def first_line(process):
    """What it says it serves; lines before it are skipped."""
    while True:
        line = process.stdout.readline().decode()
        assert line, 'it ended without serving'
        if 'serving' in line:
            return line


def copy_in_and_out(port, path):
    """A file system in memory works at this path."""
    with served.client.Client(port, path=path) as c:
        c.create('/f')
        c.write_at('/f', 0, b'text')
        assert c.read('/f') == b'text'
        c.remove('/f')


def is_refused(port, path):
    """Somebody else, who may not come to the program, may come nowhere."""
    try:
        served.client.Client(port, uid=4242, path=path).close()
    except served.Failed as error:
        return error.status == 'MNT3ERR_ACCES'
    except served.client.rpc.AuthError:     # not even claim to be another
        return True
    return False


@served.once
def test_memory_is_served_beside_the_program():
    with tempfile.NamedTemporaryFile('w', suffix='.py') as f:
        f.write('import time\nx = 42\ntime.sleep(1000)\n')
        f.flush()
        process, ready = launched(
            '-f', 'py', '-f', 'mem:scratch', '-f', 'mem:frozen', '--size',
            '1M', '-o', 'ro', f.name)
        assert ready == b'\n'
        line = first_line(process)
        assert 'serving py, mem:scratch, mem:frozen (ro) on ' in line, line
        port = port_of(line)
        with served.client.Client(port) as c:
            served.soon(lambda: c.exists('/__main__/x'))
            c.write('/__main__/x', b'43\n')
            assert c.read('/__main__/x') == b'43\n'
        copy_in_and_out(port, '/scratch')
        try:
            copy_in_and_out(port, '/frozen')
        except served.Failed as error:
            assert error.status == 'ROFS'
        else:
            raise AssertionError('written')
        assert is_refused(port, '/scratch')
        code, out = finish(process, signal.SIGTERM)
        assert code == 0, (code, out)
        assert '127.0.0.1:/ /mnt' in out, out
        assert '127.0.0.1:/scratch /mnt' in out, out


def test_options_that_concern_memory_only_may_be_given_with_a_program():
    process, ready = launched('-f', 'py', '-f', 'mem:scratch',
                              '--no-delegations', '--lease', '5', '--no-loop')
    line = first_line(process)
    assert ready == b'\n' and 'serving py, mem:scratch on ' in line, line
    copy_in_and_out(port_of(line), '/scratch')
    code, out = finish(process, signal.SIGTERM)
    assert code == 0, (code, out)


def test_read_only_is_the_program_alone_if_it_is_said_of_it():
    process, ready = launched('-f', 'py:prog', '-o', 'ro', '-f', 'mem:scratch',
                              '--no-loop')
    line = first_line(process)
    assert ready == b'\n' and 'py:prog (ro), mem:scratch on ' in line
    port = port_of(line)
    copy_in_and_out(port, '/scratch')
    with served.client.Client(port, path='/prog') as c:
        assert c.exists('/sys/maxsize')
        try:
            c.write('/rpchelp/trace_rpc', b'1\n')
        except served.Failed as error:
            assert error.status == 'ROFS'
        else:
            raise AssertionError('written')
    code, out = finish(process, signal.SIGTERM)
    assert code == 0 and '/mnt/prog/rpchelp/trace_rpc' in out, (code, out)


@served.once
def test_what_is_beside_a_program_that_fails_is_served_on():
    for text in ('1/0', 'this is no Python', None):
        with tempfile.TemporaryDirectory() as d:
            script = os.path.join(d, 'script.py')
            if text is not None:
                with open(script, 'w') as f:
                    f.write(text)
            process, ready = launched('-f', 'py', '-f', 'mem:scratch', script)
            assert ready == b'\n'
            port = port_of(first_line(process))
            while 'failed' not in process.stdout.readline().decode():
                pass
            copy_in_and_out(port, '/scratch')
            code, out = finish(process, signal.SIGTERM)
            assert code == 0, (code, out)


def test_a_program_that_ends_ends_what_is_beside_it():
    with tempfile.NamedTemporaryFile('w', suffix='.py') as f:
        f.write('raise SystemExit(7)\n')
        f.flush()
        process, ready = launched('-f', 'py', '-f', 'mem:scratch', f.name)
        code, out = finish(process)
        assert ready == b'\n' and code == 7, (code, out)
        assert 'failed' not in out


def test_memory_is_served_where_python_cannot_be():
    """One line says so; and nobody comes in that could not with it."""
    with tempfile.TemporaryDirectory() as d:
        liar = os.path.join(d, 'python')    # it loads no module
        with open(liar, 'w') as f:
            f.write('#!/bin/sh\nexit 1\n')
        os.chmod(liar, 0o755)
        for python in ('/no/such/python', liar):
            process, ready = launched(
                '-f', 'py', '-f', 'mem:scratch',
                env={'PINEFS_PYTHON': python})
            assert ready == b'\n'
            port = port_of(first_line(process))
            copy_in_and_out(port, '/scratch')
            copy_in_and_out(port, '/')      # it is the only one
            assert is_refused(port, '/scratch')
            assert finish(process, signal.SIGTERM)[0] == 0
    process, ready = launched('-f', 'py', env={'PINEFS_PYTHON': '/no/such'})
    code, out = finish(process)
    assert ready == b'' and code == 69, (code, out)


# -------------------------------------------------------- whose options --


@served.once
def test_what_follows_a_module_or_a_script_is_its_own():
    """As with python3: the options of pinefs end there."""
    with tempfile.TemporaryDirectory() as d:
        script = os.path.join(d, 'says.py')
        with open(script, 'w') as f:
            f.write('import sys\nprint(sys.argv[1:])\n')
        env = {'PYTHONPATH': d}
        ways = (['-m', 'says'], ['-msays'], ['-tm', 'says'],
                ['--module', 'says'], ['--module=says'], [script],
                ['--', script])
        rests = (['-n', '1', 'pass'], ['--help'], ['--', '-x'], [],
                 ['-m', 'other'], ['word', '--port', '1'])
        # Each way with two of the rests, and each of these with two ways.
        for n, before in enumerate(ways):
            for args in (rests[n % 6], rests[(n + 2) % 6]):
                process, ready = launched(*before, *args, env=env)
                code, out = finish(process)
                assert ready == b'\n' and code == 0, (before, args, out)
                assert out.splitlines()[-1] == repr(args), (before, args, out)


@served.once
def test_messages_of_the_launcher():
    def said(env, *args):
        done = subprocess.run(
            [PINEFS, '--port', '0'] + list(args), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20,
            env=dict(os.environ, **env))
        return done.returncode, done.stdout.decode()
    code, out = said({'PINEFS_PYTHON': '/no/such/python'})
    assert code == 69 and '/no/such/python' in out and 'try:' in out
    code, out = said({'PATH': '/nowhere', 'PINEFS_PYTHON': ''})
    assert code == 69 and 'no python3' in out and 'try:' in out
    with tempfile.TemporaryDirectory() as d:
        shim = os.path.join(d, 'python3')
        with open(shim, 'w') as f:
            f.write('#!/bin/sh\nexit 127\n')
        os.chmod(shim, 0o755)
        code, out = said({'PATH': d, 'PINEFS_PYTHON': ''})
        assert code == 69 and shim in out and 'try:' in out
    code, out = said({'PINEFS_PYTHON': sys.executable}, '--local-auth',
                     'none')
    assert code == 64 and 'local-auth' in out
    code, out = said({'PINEFS_PYTHON': sys.executable}, '--addr',
                     '192.0.2.1')
    assert code == 77 and 'loopback' in out
    env = dict(os.environ, PINEFS_SERVE_VERSION='9.9',
               PINEFS_SERVE_DIR=served.PACKAGE)
    done = subprocess.run(
        [sys.executable, os.path.join(served.PACKAGE, 'pinefs',
                                      '_startup.py'), '--'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, timeout=20)
    text = done.stdout.decode()
    assert done.returncode == 69 and '9.9' in text and 'try:' in text, text
