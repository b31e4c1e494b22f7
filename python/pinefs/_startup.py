# SPDX-License-Identifier: MIT
"""What `pinefs -f py` has python3 run: serve, then be the user's program.

pinefs(1) is replaced by python3, which is told what to do by the environment:

    PINEFS_SERVE_DIR      where this package lies, if Python has none
    PINEFS_SERVE_VERSION  of the program pinefs
    PINEFS_SERVE_OPTIONS  lines NAME=VALUE, as pinefs_set takes them; ?NAME
                          is from the environment, and may mean nothing here
    PINEFS_SERVE_EXPORTS  lines TYPE PATH BYTES ro|rw: py, and mem beside it
    PINEFS_SERVE_READY    a file descriptor for a newline when it serves
    PINEFS_SERVE_QUIET    "yes": do not say what is served
    PINEFS_SERVE_LOOP     "no": after the program, serve until a signal
    PINEFS_SERVE_STARTUP  the user's own PYTHONSTARTUP

For the interactive loop this file is PYTHONSTARTUP: it runs in __main__
before the first prompt, and deletes its names.  Otherwise python3 runs it as
a script, with -m MOD or SCRIPT and arguments, or `-` for standard input, and
it becomes that program.  Either way the variables are gone, and os.environ is
the user's, before any of the user's code runs.
"""
# Parsed by whatever python3 is: the syntax of old ones until it is known.

import os
import sys


def _pinefs_startup(os, sys):
    import signal
    startup_file = _pinefs_startup.__code__.co_filename
    as_program = bool(sys.argv and sys.argv[0])

    def say(text):
        os.write(2, text.encode('utf-8', 'replace'))

    def give_up(text, status):
        say('pinefs: ' + text + '\n')
        os._exit(status)    # SystemExit might end the startup file only

    def take_environment():
        said = {}
        for name in list(os.environ):
            if name.startswith('PINEFS_SERVE_'):
                said[name[len('PINEFS_SERVE_'):]] = os.environ.pop(name)
        if os.environ.get('PYTHONSTARTUP') == startup_file:
            del os.environ['PYTHONSTARTUP']
        if 'STARTUP' in said:
            os.environ['PYTHONSTARTUP'] = said['STARTUP']
        return said

    def load(said):
        """The package: Python's own, else the one beside pinefs."""
        if sys.version_info < (3, 8):
            give_up('%s is Python %d.%d; 3.8 or later is needed\n'
                    'try: PINEFS_PYTHON=/usr/bin/python3 pinefs'
                    % ((sys.executable,) + tuple(sys.version_info[:2])), 69)
        # A script's directory comes first in sys.path; ours is no such.
        here = os.path.dirname(os.path.abspath(startup_file))
        if as_program and sys.path and sys.path[0] == here:
            del sys.path[0]
        where = said.get('DIR', '')
        if where:
            sys.path.append(where)
        try:
            import pinefs
        except ImportError as error:
            give_up('the module pinefs does not load in %s: %s\n'
                    'try: PINEFS_PYTHON=/usr/bin/python3 pinefs'
                    % (sys.executable, error), 69)
        if said.get('VERSION', pinefs.__version__) != pinefs.__version__:
            give_up('this is pinefs %s, but the module in %s is %s\n'
                    'try: remove the module, or install both of one version'
                    % (said['VERSION'], os.path.dirname(pinefs.__file__),
                       pinefs.__version__), 69)
        return pinefs

    def options(said):
        """NAME=VALUE lines as arguments of serve()."""
        yes = ('yes', 'on', 'true', '1')
        given, addrs = {'_more': [('control', 'yes')]}, []
        for line in said.get('OPTIONS', '').split('\n'):
            name, _, value = line.partition('=')
            advice = name.startswith('?')
            name = name.lstrip('?')
            if name == 'addr':
                addrs.append(value)
            elif name in ('port', 'mount-port', 'threads', 'lease'):
                given[name.replace('-', '_')] = int(value)
            elif name in ('tcp-only', 'portmap'):
                given[name.replace('-', '_')] = value in yes
            elif name == 'delegations':
                given['_delegations'] = value in yes
            elif name in ('log-format', 'color', 'control',
                          'metrics'):
                given['_more'].append((name, value))
            elif name == 'code':
                given['code'] = value in yes
            elif name in ('state-dir', 'log'):
                given[name.replace('-', '_')] = value
            elif name == 'local-auth' and value == 'none':
                give_up('--local-auth none: whoever can write here can run '
                        'code, so -f py must know who it is', 64)
            elif name and name != 'local-auth' and not advice:
                give_up('--%s means nothing to -f py' % name, 64)
        given['addr'] = addrs or None
        return given

    def exports(said):
        """[type, path, bytes, readonly] of each."""
        lines = said.get('EXPORTS', 'py / 0 rw').splitlines()
        return [(kind, path, int(size), mode == 'ro') for
                kind, path, size, mode in (line.split() for line in lines)]

    def text_of(said):
        """What is served: "mem:a, py (ro)"."""
        return ', '.join(
            kind + (':' + path[1:] if path != '/' else '') +
            (' (ro)' if readonly else '')
            for kind, path, _, readonly in exports(said))

    def serve(pinefs, said, what):
        given = options(said)
        given['instance'] = what
        given['_beside'] = []
        given['_more'] += [('systemd', 'yes'), ('what', text_of(said))]
        for kind, path, size, readonly in exports(said):
            if kind == 'py':
                given['_path'], given['readonly'] = path, readonly
            else:
                given['_beside'].append((path, size, readonly))
        try:
            return pinefs.serve(**given)
        except OSError as error:
            status = {98: 69, 1: 77, 13: 77, 22: 64}.get(error.errno, 71)
            if error.errno == 98:
                give_up('try: pinefs --port 0', status)
            give_up('cannot serve: %s' % error, status)
        except ValueError as error:
            give_up('%s' % error, 77)

    def say_how_to_mount(server, said):
        port, addr = server.port, server.addr
        host = '[%s]' % addr if ':' in addr else addr
        served = exports(said)
        what = text_of(said)
        # One with a name is an example of them all.
        one = ([x[1] for x in served if x[1] != '/'] + ['/'])[0]
        several = len(served) > 1
        version = '%d.%d.%d' % sys.version_info[:3]
        uid = os.geteuid()
        # On the usual port the usual line does.
        options = '' if port == 2049 else '-o vers=4.2,port=%d ' % port
        mount = 'sudo mount -t nfs %s%s:' % (options, host)
        say('pinefs: serving %s on %s:%d (NFS 2 3 4.0 4.1 4.2), '
            'Python %s pid %d, for %s\n'
            'mount it:  %s%s /mnt\n'
            '%s'
            '           macOS, not verified: mount_nfs -o vers=3,tcp,port=%d,'
            'mountport=%d,locallocks %s:%s DIR\n'
            % (what, host, port, version, os.getpid(),
               'root' if uid == 0 else 'uid %d and root' % uid,
               mount, '/' if several else one,
               'or one:    %s%s /mnt\n' % (mount, one) if several else '',
               port, port, host, one))
        py = [x[1] for x in served if x[0] == 'py'][0]
        say('try:       ls /mnt; echo 1 > /mnt%s/rpchelp/trace_rpc; %s\n'
            % (py if several and py != '/' else '',
               'stop with kill %d' % os.getpid() if as_program
               else 'stop with exit()'))

    def say_ready(server, said):
        formats = [line for line in said.get('OPTIONS', '').split('\n')
                   if line.lstrip('?').startswith('log-format=')]
        if 'QUIET' not in said and (
                not formats or formats[-1].endswith('log-format=text')):
            say_how_to_mount(server, said)
        if said.get('READY'):
            fd = int(said['READY'])
            try:
                os.write(fd, b'\n')
                os.close(fd)
            except OSError as error:
                say('pinefs: --ready-fd %d: %s\n' % (fd, error.strerror))

    def end_by_signal(signum, frame):
        sys.exit(0)

    def wait_for_signal():
        # Not pause() or sigwait(): a signal may come in the moment before,
        # or to another thread, and then nothing would end this one's wait.
        signal.signal(signal.SIGINT, end_by_signal)     # no user's code now
        read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        while True:
            os.read(read, 64)   # handlers run when it returns

    def start(what, idle=False):
        said = take_environment()
        if said.get('READY'):
            os.set_inheritable(int(said['READY']), False)
        pinefs = load(said)
        signal.signal(signal.SIGTERM, end_by_signal)
        if idle:
            signal.signal(signal.SIGINT, end_by_signal)
        server = serve(pinefs, said, what)
        say_ready(server, said)
        return said

    # ------------------------------------------------ the interactive loop --

    def run_users_startup():
        path = os.environ.get('PYTHONSTARTUP')
        main = sys.modules['__main__'].__dict__
        for name in ('_pinefs_startup', '__doc__', 'os', 'sys'):
            main.pop(name, None)
        main['__doc__'] = None
        if not path:
            return
        with open(path, 'rb') as f:
            code = compile(f.read(), path, 'exec')
        exec(code, main)

    # -------------------------------------------------------- as a program --

    def become(name):
        """The real __main__, as python3 would have made it, but for code."""
        import builtins
        main = sys.modules['__main__'].__dict__
        main.clear()
        main.update({'__name__': '__main__', '__doc__': None,
                     '__package__': None, '__loader__': None,
                     '__spec__': None, '__builtins__': builtins})
        sys.argv[0] = name
        return main

    def run_script(path):
        import importlib.machinery
        import io
        import runpy
        if os.path.isdir(path) or not path.endswith('.py') and \
                _is_zip(path):
            sys.path.insert(0, path)
            become(path)
            runpy._run_module_as_main('__main__', False)
            return
        main = become(path)
        sys.path.insert(0, os.path.dirname(os.path.realpath(path)))
        with io.open_code(path) as f:
            code = compile(f.read(), path, 'exec')
        main['__file__'] = path
        main['__cached__'] = None
        main['__loader__'] = importlib.machinery.SourceFileLoader(
            '__main__', path)
        exec(code, main)

    def run_module(name):
        import runpy
        become('-m')
        sys.path.insert(0, os.getcwd())
        runpy._run_module_as_main(name)

    def run_stdin():
        main = become('')
        sys.path.insert(0, '')
        code = compile(sys.stdin.buffer.read(), '<stdin>', 'exec')
        exec(code, main)

    def _is_zip(path):
        import zipfile
        return zipfile.is_zipfile(path)

    def run_and_stay(run, name, stay, beside):
        """Run the user's code; a traceback is its own, not ours.

        What is served beside it goes on when it fails."""
        status = 0
        try:
            run(name) if name is not None else run()
        except SystemExit:
            if not stay:
                raise
        except BaseException:
            kind, error, trace = sys.exc_info()
            while trace is not None and \
                    trace.tb_frame.f_code.co_filename == startup_file:
                trace = trace.tb_next
            sys.excepthook(kind, error.with_traceback(trace), trace)
            status = 1
            if beside:
                say('pinefs: py: %s failed; everything is served on, until a '
                    'signal\n' % (name or 'the program'))
                stay = True
        if stay:
            sys.stdout.flush()
            wait_for_signal()
        if status != 0:
            sys.exit(status)

    if not as_program:
        start('py')
        run_users_startup()
        return
    args = sys.argv[1:]
    if args[0] == '-m':
        what, run, name, rest = 'py-m ' + args[1], run_module, args[1], \
            args[2:]
    elif args[0] == '-':
        what, run, name, rest = 'py', run_stdin, None, args[1:]
    elif args[0] == '--':
        what, run, name, rest = 'py', None, None, []
    else:
        what, run, name, rest = 'py ' + os.path.abspath(args[0]), \
            run_script, args[0], args[1:]
    said = start(what, run is None)
    sys.argv[1:] = rest
    if run is None:
        become('')
        wait_for_signal()
    run_and_stay(run, name, said.get('LOOP') == 'no',
                 len(exports(said)) > 1)


_pinefs_startup(os, sys)
