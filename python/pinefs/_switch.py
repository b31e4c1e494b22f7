# SPDX-License-Identifier: MIT
"""The switch trace_rpc of the modules pinefs and rpchelp: one for both.

It stays an ordinary variable of each module, so that it is a file in the
tree.  The modules get a class whose __setattr__ keeps the two and the server
in step; nothing else about them changes.
"""

import sys
import types

from . import _pinefs

_modules = []


class Module(types.ModuleType):
    """A module with the switch."""

    def __setattr__(self, name, value):
        if name == 'trace_rpc':
            switch(value)
        else:
            super().__setattr__(name, value)


def switch(value):
    """Set it everywhere: calls are printed while it is not 0."""
    value = int(value)
    for module in _modules:
        module.__dict__['trace_rpc'] = value
    _pinefs.trace(value)


def _rpchelp():
    """Ours, imported; or None: the program has a module of that name."""
    try:
        import rpchelp
    except ImportError:
        return None
    return rpchelp if hasattr(rpchelp, 'trace_rpc') else None


def install():
    """Connect the modules that have the switch: their dicts."""
    for module in (sys.modules['pinefs'], _rpchelp()):
        if module is None or module in _modules:
            continue
        if type(module) is types.ModuleType:
            module.__class__ = Module
        _modules.append(module)
    switch(max(m.__dict__.get('trace_rpc', 0) for m in _modules))
    return [m.__dict__ for m in _modules]
