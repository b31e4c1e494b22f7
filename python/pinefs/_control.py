# SPDX-License-Identifier: MIT
"""The control directory, /.pyfs: threads, the collector, failures, code."""

import gc
import importlib
import io
import os
import sys
import threading
import time
import traceback

from . import _pinefs
from ._nodes import Dir, File, Link, change, line, text, told

README = '''\
This directory is made up; everything else is the program's own objects.

version, stats      what serves, and how it fares
errors              the last 100 failures and their reasons; cut it to clear
threads/ID/         name daemon native_id stack
    frames/N/       file lineno function source locals/ globals; 0: innermost
gc/                 collect (write a generation) enabled threshold counts
                    types (count, bytes, type of all objects) garbage/
by-id/0x.../        the object with this id(), if the collector knows it: home
                    (a link) type repr str doc sizeof len sig src attrs/
                    items/ referents/
warnings, log       the last ones of the program, with serve(tails=...)
trash/              mv NAME .pyfs/trash/ drops a binding, and empties nothing
NAME@VIEW           of anything: repr str json type id refcount sizeof len doc
                    sig src attrs/ items/ append referrers/ referents/ raw
                    pickle; .@VIEW: of a directory itself

With serve(code=True) only:

eval/EXPRESSION     what it evaluates to in __main__
run/FILE            what is written there is run in __main__; FILE.out
modules/            load reload unload (write a name)
NAME@expr           written: evaluated and bound.  NAME@call: called
NAME of a function  written: its new source
'''


def root(views):
    """The directory, for one question."""
    nodes = {
        'README': File(lambda: README),
        'version': File(lambda: 'pinefs %s, Python %s\n' % (
            _pinefs.version(), sys.version.replace('\n', ' '))),
        'stats': File(lambda: stats(views)),
        'errors': File(lambda: errors(views),
                       lambda data: _pinefs.clear_errors(views.handle)),
        'threads': Dir(lambda: [(str(i), 'd') for i in frames_of_threads()],
                       lambda name: thread(views, name)),
        'gc': collector(views),
        'trash': Dir(lambda: (), lambda name: None),
    }
    if not views.hides:         # it would be a way around
        nodes['by-id'] = Dir(lambda: (), lambda name: by_id(views, name))
    for name in views.tails:
        nodes[name] = tail(name)
    if views.code:
        nodes['eval'] = Dir(lambda: (), expression)
        nodes['run'] = run_directory(views)
        nodes['modules'] = Dir.of({
            'load': File(bytes, of_module(importlib.import_module)),
            'reload': File(bytes, of_module(
                lambda name: importlib.reload(sys.modules[name]))),
            'unload': File(bytes, of_module(
                lambda name: sys.modules.__delitem__(name))),
        })
    return Dir.of(nodes)


def stats(views):
    rows = _pinefs.stats(views.handle)
    return ''.join('%s %s\n' % (name, '%.9f' % value if isinstance(
        value, float) else value) for name, value in rows.items())


def errors(views):
    rows = []
    for at, path, what, err, why in _pinefs.errors(views.handle):
        rows.append('%s %s %s: %s: %s\n' % (
            time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(at)), what,
            path or '/', os.strerror(err),
            why.replace('\n', ' ')))
    return ''.join(rows)


# -------------------------------------------------------------- threads --

def frames_of_threads():
    frames = sys._current_frames()
    frames.pop(threading.get_ident(), None)     # the one that looks
    return frames


def thread(views, ident):
    innermost = frames_of_threads()[int(ident)]
    known = {t.ident: t for t in threading.enumerate()}.get(int(ident))
    nodes = {
        'name': File(lambda: line(known.name if known else '?')),
        'daemon': File(lambda: line(known.daemon if known else '?')),
        'native_id': File(lambda: line(
            known.native_id if known else '?')),
        'stack': File(lambda: ''.join(traceback.format_stack(innermost))),
        'frames': Dir(
            lambda: [(str(i), 'd') for i, _ in enumerate(walk(innermost))],
            lambda n: frame(views, list(walk(innermost))[int(n)])),
    }
    return Dir.of(nodes)


def walk(f):
    while f is not None:
        yield f
        f = f.f_back


def frame(views, f):
    code = f.f_code
    module = sys.modules.get(f.f_globals.get('__name__'))
    nodes = {
        'file': File(lambda: line(code.co_filename)),
        'lineno': File(lambda: line(f.f_lineno)),
        'function': File(lambda: line(code.co_name)),
        'source': File(lambda: source(f)),
    }
    if views.only:              # what is bound there has no place in the tree
        return Dir.of(nodes)
    nodes['locals'] = Dir(
        lambda: [(name, _local_kind()) for name in f.f_locals],
        lambda name: local(views, f, name))
    if getattr(module, '__dict__', None) is f.f_globals:
        nodes['globals'] = Link(lambda: module)
    return Dir.of(nodes)


def source(f):
    import inspect
    lines, first = inspect.getsourcelines(f.f_code)
    return ''.join('%s%5d %s' % (
        '>' if n == f.f_lineno else ' ', n, row)
        for n, row in enumerate(lines, max(first, 1)))


def _local_kind():
    """Before 3.13 (PEP 667) what is written there is lost."""
    return 'w' if sys.version_info >= (3, 13) else 'f'


def local(views, f, name):
    values = f.f_locals
    if name not in values:
        raise LookupError(name)

    def write(data):
        old = f.f_locals[name]
        new = _pinefs.parse(old, data)
        return change(..., old, new,
                      lambda: f.f_locals.__setitem__(name, new))
    return File(lambda: views.text(values[name]),
                write if _local_kind() == 'w' else None)


# ------------------------------------------------------------ collector --

def collector(views):
    def collect(data):
        if data.strip():
            return told(data, lambda: gc.collect(int(data)))

    def enable(data):
        if data.strip():
            return told(data, gc.enable if _pinefs.parse(True, data) else
                        gc.disable)

    def threshold(data):
        if data.strip():
            return told(data, lambda: gc.set_threshold(
                *map(int, data.split())))

    nodes = {
        'collect': File(bytes, collect),
        'enabled': File(lambda: line(gc.isenabled()), enable),
        'threshold': File(lambda: line(' '.join(map(
            str, gc.get_threshold()))), threshold),
        'counts': File(lambda: line(' '.join(map(str, gc.get_count())))),
        'types': File(types),
    }
    if not views.only:
        nodes['garbage'] = Dir(
            lambda: [(str(i), 'f') for i in range(len(gc.garbage))],
            lambda n: File(lambda: views.text(gc.garbage[int(n)])))
    return Dir.of(nodes)


def types():
    """count, bytes and name of each type, the most frequent first."""
    counts = {}
    for o in gc.get_objects():
        row = counts.setdefault(type(o), [0, 0])
        row[0] += 1
        try:
            row[1] += object.__sizeof__(o)
        except TypeError:
            continue
    del o
    rows = sorted(((n, size, t) for t, (n, size) in counts.items()),
                  key=lambda row: (-row[0], type.__repr__(row[2])))
    return ''.join('%8d %10d %s.%s\n' % (
        n, size, type.__getattribute__(t, '__module__'),
        type.__getattribute__(t, '__qualname__')) for n, size, t in rows)


def by_id(views, name):
    """Looked for among all objects, never believed."""
    for o in gc.get_objects():
        if hex(id(o)) == name:
            break
    else:
        raise LookupError(name)
    nodes = {'home': Link(lambda: o)}
    for view in ('type', 'repr', 'str', 'doc', 'sizeof', 'len', 'sig', 'src',
                 'attrs', 'items', 'referents'):
        node = views.view(o, view, b'')
        if view in ('repr', 'str'):     # there is no name to bind to
            node = File(node.read)
        if node is not None:
            nodes[view] = node
    return Dir.of(nodes)


def tail(name):
    from . import _tails

    def write(data):
        if not data:
            _tails.clear(name)
    return File(lambda: _tails.text(name), write)


# ----------------------------------------------------------------- code --

def expression(name):
    try:
        code = compile(name, '<.pyfs/eval>', 'eval')
    except (SyntaxError, ValueError):
        raise LookupError(name) from None

    def read():
        sys.audit('pinefs.code', name)
        return text(eval(code, sys.modules['__main__'].__dict__))
    return File(read)


def of_module(act):
    def write(data):
        name = data.decode().strip()

        def do():
            sys.audit('pinefs.code', name)
            act(name)
        if name:
            return told(data, do)
    return write


class Tee:
    """sys.stdout while something runs: what is printed by the threads that
    run it is kept, others go on as before."""

    def __init__(self, through):
        self.through = through

    def write(self, s):
        to = _printed.get(threading.get_ident()) or self.through
        return len(s) if to is None else to.write(s)    # no stdout at all

    def writelines(self, rows):
        for row in rows:
            self.write(row)

    def __getattr__(self, name):
        return getattr(self.through, name)


_lock = threading.Lock()
_printed = {}           # thread: what it printed
_tees = {}              # name in sys: Tee


def begin_printing():
    with _lock:
        if not _printed:
            for name in ('stdout', 'stderr'):
                _tees[name] = Tee(getattr(sys, name))
                setattr(sys, name, _tees[name])
        printed = _printed[threading.get_ident()] = io.StringIO()
    return printed


def end_printing():
    with _lock:
        _printed.pop(threading.get_ident(), None)
        if _printed:
            return
        for name, tee in _tees.items():
            if getattr(sys, name) is tee:       # the program's by now, else
                setattr(sys, name, tee.through)
        _tees.clear()


def run_directory(views):
    outputs = views.outputs

    def get(name):
        if name.endswith('.out') and name[:-4] in outputs:
            return File(lambda: outputs[name[:-4]])

        def do(data):
            outputs[name] = run(name, data)
            while len(outputs) > 32:
                del outputs[next(iter(outputs))]

        def write(data):
            if data:
                return told(data, lambda: do(data))
        return File(bytes, write)
    return Dir(lambda: [(n + '.out', 'f') for n in outputs], get)


def run(name, data):
    sys.audit('pinefs.code', data.decode('utf-8', 'replace'))
    printed = begin_printing()
    try:
        exec(compile(data, '<.pyfs/run/%s>' % name, 'exec'),
             sys.modules['__main__'].__dict__)
    except BaseException:
        printed.write(traceback.format_exc())
    finally:
        end_printing()
    return printed.getvalue()


def fork_child():
    """Other threads, which may have printed, are none of the child's."""
    global _lock
    _lock = threading.Lock()
    _printed.clear()
    end_printing()
