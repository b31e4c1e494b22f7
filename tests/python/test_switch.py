# SPDX-License-Identifier: MIT
"""trace_rpc of rpchelp and pinefs: one switch, both ways (PYFS 4)."""

import served

START = '''
import os, sys
sys.path.append(%r)
import served
server = served.serve()
import pinefs, rpchelp
c = served.client.Client(server.port)

def say(text):
    os.write(2, b'== ' + text.encode() + b'\\n')

def both(value):
    assert pinefs.trace_rpc == rpchelp.trace_rpc == value, (
        pinefs.trace_rpc, rpchelp.trace_rpc)
    assert c.read('/pinefs/trace_rpc') == c.read('/rpchelp/trace_rpc')
''' % served.HERE


def traced(text):
    """What was printed, in parts between say()s."""
    code, out = served.python(START + text)
    assert code == 0, out
    parts, name = {}, ''
    for line in out.splitlines():
        if line.startswith('== '):
            name = line[3:]
        else:
            parts.setdefault(name, []).append(line)
    return parts


def test_echo_1_prints_calls_from_the_write_on_and_echo_0_ends_it():
    out = traced('''
say('before')
c.getattr('/sys')
fh = c.fh('/rpchelp/trace_rpc')
c.setattr((fh,), size=0)
say('on')
c.write_at((fh,), 0, b'1\\n')
c.getattr((c.root,))
c.write_at((fh,), 0, b'0\\n')
say('off')
c.getattr((c.root,))
both(0)
say('end')
''')
    assert 'before' not in out, out
    assert 'WRITE' in out['on'][0], out['on']
    assert any('GETATTR' in line for line in out['on'])
    assert 'off' not in out, out


def test_the_other_module_is_the_same_switch():
    out = traced('''
c.write('/pinefs/trace_rpc', b'1')
both(1)
rpchelp.trace_rpc = 0
say('silent')
c.getattr((c.root,))
both(0)
say('python')
pinefs.trace_rpc = True
c.getattr((c.root,))
both(1)
pinefs.trace_rpc = 0
say('silent')
both(0)
''')
    assert 'silent' not in out, out
    assert 'GETATTR' in out['python'][0]


def test_a_write_through_a_modules_dict_is_noticed():
    out = traced('''
rpchelp.__dict__['trace_rpc'] = 1
say('on')
c.getattr((c.root,))
both(1)
vars(pinefs)['trace_rpc'] = 0
c.getattr((c.root,))
say('off')
both(0)
''')
    assert 'GETATTR' in out['on'][0]
    assert 'off' not in out


def test_nonsense_is_refused():
    out = traced('''
assert served.status(c.write, '/rpchelp/trace_rpc', b'yes please') == 'INVAL'
both(0)
say('fine')
''')
    assert out == {}, out


def test_a_program_with_its_own_rpchelp_keeps_it():
    out = served.python('''
import sys, types
mine = types.ModuleType('rpchelp')
mine.secret = 1
sys.modules['rpchelp'] = mine
import pinefs
server = pinefs.serve(port=0, mount_port=0, portmap=False, state_dir=%r)
assert sys.modules['rpchelp'] is mine and type(mine) is types.ModuleType
pinefs.trace_rpc = 1
pinefs.trace_rpc = 0
server.stop()
print('fine')
''' % (served.STATE + '-own'))
    assert out == (0, 'fine\n'), out


def test_the_modules_are_modules_still():
    out = traced('''
import importlib, types
assert isinstance(rpchelp, types.ModuleType)
rpchelp.other = 5
assert rpchelp.other == 5 and 'trace_rpc' in vars(rpchelp)
del rpchelp.other
assert 'trace_rpc' in c.list('/rpchelp')
say('fine')
''')
    assert out == {}, out
