# SPDX-License-Identifier: MIT
"""Giving a function other code: it does from now on what the new text says.

The function object stays, so whoever holds it (a bound method, a closure, an
alias, a dict of callbacks) has the new code; calls that are running finish
the old one.  The text is one `def`, or `async def`, decorators and all, as
its file shows it.  The decorators are not applied again.
"""

import ast
import functools
import linecache
import sys
import textwrap
import types

from . import _pinefs

_count = 0


def function_of(o):
    """The function in it whose code counts, or None."""
    if isinstance(o, types.MethodType):
        o = o.__func__
    elif isinstance(o, property):
        o = o.fget
    elif isinstance(o, (staticmethod, classmethod)):
        o = o.__func__
    elif isinstance(o, functools.cached_property):
        o = o.func
    return o if isinstance(o, types.FunctionType) else None


def swap(o, data):
    """Give function `o` the code of this source; ValueError, SyntaxError."""
    function = function_of(o)
    if function is None:
        raise TypeError('not a Python function')
    source = data.decode('utf-8')
    sys.audit('pinefs.code', source)
    name = _file_name(function)
    tree = ast.parse(_dedent(source), name)
    if len(tree.body) != 1 or not isinstance(
            tree.body[0], (ast.FunctionDef, ast.AsyncFunctionDef)):
        raise ValueError('one def is needed, and nothing else')
    new = tree.body[0]
    defaults = _defaults(function, new)         # may refuse: first of all
    code = _compile(function, new, name)
    if code.co_freevars != function.__code__.co_freevars:
        raise ValueError('it closes over %s, and the old one over %s' % (
            code.co_freevars, function.__code__.co_freevars))
    old = function.__code__.co_filename
    lines = source.splitlines(True)
    linecache.cache[name] = (len(source), None, lines, name)
    try:
        # In one go: nobody calls the new code with the old defaults.
        _pinefs.set_function(function, code, *defaults,
                             ast.get_docstring(new, clean=False))
    except BaseException:
        linecache.cache.pop(name, None)
        raise
    if old.startswith('<pinefs '):
        linecache.cache.pop(old, None)


def _dedent(source):
    """Of a method's text, whose first line is indented."""
    text = textwrap.dedent(source)
    try:
        ast.parse(text)
        return text
    except IndentationError:
        # A string with lines at the margin: put it into a block instead.
        return 'if 1:\n' + source if source[:1] in ' \t' else source


def _file_name(function):
    """Tracebacks and inspect find the lines under this name."""
    global _count
    _count += 1
    return '<pinefs %d: %s.%s>' % (_count, function.__module__,
                                   function.__qualname__)


def _class_of(function):
    """The class whose private names (__x) are meant, or None."""
    parts = function.__qualname__.split('.')
    if len(parts) < 2 or parts[-2] == '<locals>':
        return None
    return parts[-2]


def _use(names, new):
    """Names that the old code closes over, and the new one perhaps not."""
    if not names:
        return
    last = new.body[-1]
    use = ast.If(
        test=ast.Constant(value=False),
        body=[ast.Expr(value=ast.Name(id=n, ctx=ast.Load()))
              for n in names], orelse=[])
    ast.copy_location(use, last)
    new.body.append(ast.fix_missing_locations(use))


def _compile(function, new, name):
    """The code alone, within functions that declare what it closes over."""
    old = function.__code__
    original = new.name
    new.name = old.co_name
    outer_names = [n for n in old.co_freevars]
    _use(outer_names, new)
    inner, cls = new, _class_of(function)
    if cls is not None:
        inner = ast.ClassDef(name=cls, bases=[], keywords=[], body=[new],
                             decorator_list=[], type_params=[])
        outer_names = [n for n in outer_names if n != '__class__']
    outer = ast.FunctionDef(
        name='outer', args=ast.arguments(
            posonlyargs=[], args=[ast.arg(arg=n) for n in outer_names],
            kwonlyargs=[], kw_defaults=[], defaults=[]),
        body=[inner], decorator_list=[], type_params=[])
    ast.copy_location(outer, new)
    if inner is not new:
        ast.copy_location(inner, new)
    module = ast.Module(body=[outer], type_ignores=[])
    ast.fix_missing_locations(module)
    top = compile(module, name, 'exec', flags=_future(old),
                  dont_inherit=True)
    new.name = original
    return _find(top, [
        'outer'] + ([cls] if cls is not None else []) + [old.co_name])


def _future(code):
    import __future__
    flags = 0
    for feature in __future__.all_feature_names:
        flags |= getattr(__future__, feature).compiler_flag
    return code.co_flags & flags


def _find(code, names):
    for name in names:
        code = [c for c in code.co_consts
                if isinstance(c, types.CodeType) and c.co_name == name][0]
    return code


def _defaults(function, new):
    """(__defaults__, __kwdefaults__): literals anew, others as they were."""
    old = function.__code__
    names = old.co_varnames[:old.co_argcount]
    had = dict(zip(reversed(names), reversed(function.__defaults__ or ())))
    had.update(function.__kwdefaults__ or {})

    def value(arg, node):
        try:
            return ast.literal_eval(node)
        except ValueError:
            if arg.arg in had:
                return had[arg.arg]
        raise ValueError('the default of %s is no literal' % arg.arg)

    args = new.args.posonlyargs + new.args.args
    count = len(new.args.defaults)
    plain = tuple(value(a, d) for a, d in zip(
        args[len(args) - count:], new.args.defaults))
    named = {a.arg: value(a, d) for a, d in zip(
        new.args.kwonlyargs, new.args.kw_defaults) if d is not None}
    return plain or None, named or None
