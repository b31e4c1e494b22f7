# SPDX-License-Identifier: MIT
"""This Python program as a file system, over NFS.

    import pinefs
    server = pinefs.serve()         # 127.0.0.1, port 2049
    ...
    server.stop()

Every variable is a file, every container a directory; writing a file changes
the variable.  Looking runs no code of the program.  Only root and the user
that runs the program are let in, over loopback: writing is running code, and
reading is every secret in memory.
"""

import atexit
import os
import sys
import threading

from . import _control
from . import _hotswap
from . import _mappers
from . import _pinefs
from . import _switch
from . import _views
from ._mappers import Mapper, mapper

__version__ = _pinefs.version()
__all__ = ['serve', 'servers', 'Server', 'Symlink', 'PROTECT', 'REDACT',
           'SHADOW', 'ABSENT', 'Mapper', 'mapper', 'on_change', 'trace_rpc']

# Not 0: calls are printed on file descriptor 2.  The same switch as
# rpchelp.trace_rpc, once something is served.
trace_rpc = 0


class Symlink(str):
    """A value that clients see as a symbolic link to this path."""

    __slots__ = ()


# Names that clients cannot remove or rename, however `rm -r` is meant: those
# of the root, of builtins and sys, and __dunders__ of modules and classes.
# A pattern with a slash is for whole paths; "..." is all that is below.
PROTECT = ('/*', '__*__', '/builtins/...', '/sys/...')

# Not served unless `exclude` says otherwise: the server's own inside.
_EXCLUDE = ('pinefs._*',)

# For `exclude`: what looks like a secret, in capitals, too.
REDACT = tuple('*' + ''.join('[%s%s]' % (c, c.upper()) for c in word) + '*'
               for word in ('password', 'secret', 'token'))

# Files of editors and tools that are kept beside the program's objects, seen
# by clients and not by Python, until they are renamed to a real name.
_SIX = '[A-Za-z0-9]' * 6
SHADOW = ('*~', '.*.sw?', '.*.sw?x', '4913', '.#*', '#*#', 'sed' + _SIX,
          '.?*.' + _SIX, '.nfs[0-9a-f]*', '.goutputstream-*', '._*',
          '.DS_Store')

class _Absent:
    def __repr__(self):
        return 'pinefs.ABSENT'


# Of a change: nothing was bound there, or nothing will be.
ABSENT = _Absent()

_servers = []
_watchers = []


def on_change(callback):
    """Have callback(path, old, new, client) called before each change that a
    client makes; what it raises refuses the change.  Also a decorator."""
    _watchers.append(callback)
    return callback


def _tell(path, has_old, old, has_new, new, client):
    for callback in list(_watchers):
        callback(path, old if has_old else ABSENT, new if has_new else ABSENT,
                 client or None)



class Server:
    """A server of this process; also a context manager, which stops it."""

    def __init__(self, handle, addr, tails=()):
        self._handle = handle
        self._tails = tails
        self.addr = addr

    @property
    def port(self):
        """The port of NFS and MOUNT; 0 when it was stopped."""
        return _pinefs.port(self._handle) if self._handle else 0

    @property
    def url(self):
        host = '[%s]' % self.addr if ':' in self.addr else self.addr
        return 'nfs://%s:%d/' % (host, self.port)

    def stop(self):
        """Bind what clients have written, and end.  Again is harmless."""
        handle, self._handle = self._handle, None
        tails, self._tails = self._tails, ()
        if tails:
            _end_tails(tails)
        if self in _servers:
            _servers.remove(self)
        if handle is not None:
            _pinefs.stop(handle)

    def stats(self):
        """What was counted: operations, waits for the lock, and so on."""
        return _pinefs.stats(self._handle) if self._handle else {}

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    def __repr__(self):
        if not self.port:
            return '<pinefs.Server, stopped>'
        return '<pinefs.Server at %s>' % self.url


def servers():
    """The servers of this process that run."""
    return list(_servers)


def _is_loopback(addr):
    return addr == '::1' or addr.startswith('127.') or addr == 'localhost'


def _addresses(addr):
    if addr is None:
        return []
    addrs = [addr] if isinstance(addr, str) else list(addr)
    for a in addrs:
        if not _is_loopback(a):
            raise ValueError(
                '%s is not a loopback address: whoever can write here can run '
                'code in this program' % a)
    return ['127.0.0.1' if a == 'localhost' else a for a in addrs]


def _uids(uids, public):
    """Who is let in: by default the program's own user, and root."""
    if uids is None:
        return None if public else {0, os.geteuid()}
    return {int(u) for u in uids}


def program():
    """What this process runs: its name among the instances of pinefs."""
    main = sys.modules.get('__main__')
    spec = getattr(main, '__spec__', None)
    if spec is not None:
        return 'py-m ' + spec.name
    path = getattr(main, '__file__', None)
    return 'py ' + os.path.abspath(path) if path else 'py'


def _patterns(name, given):
    """What a client may see is decided while the program is stopped: by
    patterns, not by code of the program."""
    patterns = [given] if isinstance(given, str) else list(given or ())
    for p in patterns:
        if not isinstance(p, str):
            raise TypeError('%s is patterns, not %r' % (name, p))
    return patterns


def _signal(gil):
    """A signal that nobody uses, and a handler that does nothing."""
    if gil != 'signal':
        return 0
    import signal
    for number in range(signal.SIGRTMIN + 2, signal.SIGRTMAX):
        handler = signal.getsignal(number)
        if handler in (signal.SIG_DFL, _pinefs.nothing):
            signal.signal(number, _pinefs.nothing)
            return number
    raise ValueError('gil="signal": no real-time signal is free')


def _probe(polite, number):
    """Be busy while the ways to the interpreter's lock are tried: once."""
    if threading.current_thread() is not threading.main_thread():
        return
    try:
        if _pinefs.probe_begin(polite, number):
            done = _pinefs.probe_is_done
            while not done():
                pass
    finally:
        _pinefs.probe_end()


def _begin_tails(given):
    """Only then is anything loaded for it."""
    if not given:
        return ()
    from . import _tails
    names = _tails.names(given)
    _tails.begin(names)
    return names


def _end_tails(names):
    from . import _tails
    _tails.end(names)


def _yes(on):
    return 'yes' if on else 'no'


def _settings(addrs, uids, **settings):
    """Pairs for the server, of the options that were given."""
    pairs = [('addr', a) for a in addrs]
    if uids is not None:
        pairs.append(('uids', ','.join(str(u) for u in sorted(uids))))
    for name, value in settings.items():
        if value is None:
            continue
        if isinstance(value, bool):
            value = _yes(value)
        pairs.append((name.replace('_', '-'), str(value)))
    return pairs


def _explain(error, addrs, port):
    """What to do about a server that does not start."""
    if error.errno == 98 or error.errno == 48:
        where = '%s:%d' % (addrs[0] if addrs else '127.0.0.1', port)
        return OSError(error.errno, '%s is in use; port=0 takes a free one'
                       % where)
    return error


def serve(addr='127.0.0.1', port=2049, mount_port=5555, root=None, *,
          readonly=False, code=False, uids=None, public=False, portmap=True,
          tcp_only=False, state_dir=None, include=None,
          exclude=_EXCLUDE, private=True, sequences='dir',
          views=True, control='hidden', newline='auto', protect=PROTECT, shadow=SHADOW,
          gil='auto', timeout=2.0, patience=10.0, max_nodes=1 << 18,
          max_file=1 << 26, threads=None, lease=None, instance=None,
          log=None, tails=(), _path='/', _beside=(), _delegations=True,
          _more=()):
    """Serve this process, and return the Server.

    addr        a loopback address or several; None: 127.0.0.1 and ::1
    port        of NFS and MOUNT; 0: any free one, see Server.port
    mount_port  MOUNT also here; 0: not
    root        None: sys.modules; any object, or {"name": object}
    readonly    nothing can be changed, but by what an expression does (code)
    code        functions can be written, expressions evaluated: a fence against
                accidents only, since whoever may set variables can run code
    uids        who is let in; None: root and the user of this process
    public      everybody on this machine may read
    portmap     tell the portmapper; False: not
    tcp_only    no UDP
    state_dir   where the key of handles is kept, so that mounts survive
    include     patterns of dotted names: only these, what is below and what
                leads there; None: everything
    exclude     patterns of dotted names that are not served
    private     False: names that begin with _ are not served
    sequences   "dir", or "file": lists, tuples and sets as their literals
    views       False: no NAME@view, which show hidden names within a value
    control     "hidden": the directory .pyfs is there and not listed; "off"
    newline     "auto": `echo x > name` does not add one to a str without;
                "exact": what is written is what is bound
    protect     patterns of what cannot be removed; (): everything can
    shadow      patterns of editors' files that Python does not see
    gil         "auto"; "polite": never touch the switch interval; "signal":
                on 3.9 to 3.12 interrupt the main thread by a signal, which
                cuts the wait for it from 100 to 15 us.  From the main thread
    timeout     seconds for code of the program (setters) per change
    patience    seconds that a client waits for the interpreter's lock; then it
                is told to try again later
    max_nodes   paths remembered
    max_file    bytes a file can have
    threads     that speak to clients; None: one per core
    tails       "warnings", "log" or both: .pyfs shows the last ones of the
                program, of which it has to be told
    lease       seconds that a client of NFS 4 may be silent; None: 60
    """
    # _path, _beside: pinefs(1) exports the program there, and file systems in
    # memory beside it: (path, bytes, readonly), _delegations for those;
    # _more: options of the program that are for the server as they are.
    if newline not in ('auto', 'exact'):
        raise ValueError('newline is "auto" or "exact"')
    if gil not in ('auto', 'polite', 'signal'):
        raise ValueError('gil is "auto", "polite" or "signal"')
    if control not in ('hidden', 'off'):
        raise ValueError('control is "hidden" or "off"')
    if sequences not in ('dir', 'file'):
        raise ValueError('sequences is "dir" or "file"')
    if root is not None and isinstance(root, (str, int, float, bytes)):
        raise TypeError('root is an object with names in it')
    addrs = _addresses(addr)
    include, exclude = (_patterns('include', include),
                        _patterns('exclude', exclude))
    ask = _views.Views(
        code=bool(code), only=bool(include), hides=bool(
            include or not private or set(exclude) - set(_EXCLUDE)))
    options = {
        'root': root, 'readonly': readonly, 'code': code,
        'ask': ask, 'views': views, 'swap': _hotswap.swap, 'control': control != 'off',
        'include': include, 'exclude': exclude,
        'flat': sequences == 'file', 'signal': _signal(gil),
        'hide_private': not private, 'exact_newline': newline == 'exact',
        'protect': protect, 'shadow': shadow, 'polite': gil == 'polite',
        'time_box_ms': int(timeout * 1000),
        'patience_ms': int(patience * 1000), 'max_nodes': max_nodes,
        'max_file': max_file, 'mode_mask': 0o022 if public else 0o077,
        'symlink': Symlink, 'watchers': _watchers, 'tell': _tell,
        'mappers': _mappers.kinds,
        'switches': _switch.install(),
    }
    _probe(gil == 'polite', options['signal'])
    settings = _settings(
        addrs, _uids(uids, public), port=port, mount_port=mount_port,
        portmap=portmap, tcp_only=tcp_only, state_dir=state_dir,
        threads=threads, lease=lease, log=log, delegations=_delegations,
        instance=instance or program(), udp_changes_reserved=True)
    settings.extend(_more)
    ask.tails = _begin_tails(tails)
    try:
        handle = _pinefs.start(options, settings, _path, list(_beside))
    except BaseException as error:
        if ask.tails:
            _end_tails(ask.tails)
        if isinstance(error, OSError):
            raise _explain(error, addrs, port) from None
        raise
    ask.handle = handle
    server = Server(handle, addrs[0] if addrs else '127.0.0.1', ask.tails)
    _servers.append(server)
    return server


def _stop_all():
    for server in servers():
        server.stop()
    _pinefs.stop_all()


def _after_fork():
    _pinefs.fork_child()
    _control.fork_child()
    _servers.clear()


def _tell_of_the_end():
    """Python 3.8 ends pending calls before what atexit knows runs, and dies of
    one that comes later from a thread; nothing else of it comes in between."""
    import threading
    wait = threading._shutdown

    def _shutdown():
        try:
            wait()
        finally:        # a thread of the program can have been interrupted
            _pinefs.ending()
    threading._shutdown = _shutdown


if sys.version_info < (3, 9):
    _tell_of_the_end()
atexit.register(_stop_all)
os.register_at_fork(after_in_child=_after_fork)
