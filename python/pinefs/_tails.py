# SPDX-License-Identifier: MIT
"""The last warnings and log records of the program, for .pyfs: only if they
are asked for, since something of the program's is put between.

    warnings    warnings.showwarning, which others replace for a while as well
    log         the factory of log records, and not a handler: the first one of
                the root would make logging.basicConfig() do nothing
"""

import collections
import logging
import threading
import time
import traceback
import warnings

NAMES = ('warnings', 'log')
KEPT = 200

_rows = {name: collections.deque(maxlen=KEPT) for name in NAMES}
_users = dict.fromkeys(NAMES, 0)
_lock = threading.Lock()


class Between:
    """What is called instead of `through`, and calls it.  A new one each time:
    others may hold an old one, which then only hands on."""

    def __init__(self):
        self.through, self.wanted = self.get(), True
        self.put(self)

    def end(self):
        self.wanted = False
        if self.get() is self:      # somebody else's by now, else
            self.put(self.through)


class Warnings(Between):
    def get(self):
        return warnings.showwarning

    def put(self, f):
        warnings.showwarning = f

    def __call__(self, message, category, filename, lineno, file=None,
                 line=None):
        if self.wanted:
            _rows['warnings'].append(warnings.formatwarning(
                message, category, filename, lineno, line))
        self.through(message, category, filename, lineno, file, line)


class Records(Between):
    def get(self):
        return logging.getLogRecordFactory()

    def put(self, f):
        logging.setLogRecordFactory(f)

    def __call__(self, *args, **named):
        record = self.through(*args, **named)
        if self.wanted:
            _rows['log'].append(_line(record))
        return record


_classes = {'warnings': Warnings, 'log': Records}
_between = {}


def _line(record):
    try:
        text = '%s %s %s: %s\n' % (
            time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(
                record.created)), record.levelname, record.name,
            record.getMessage())
        if record.exc_info and record.exc_info[0]:
            text += ''.join(traceback.format_exception_only(
                *record.exc_info[:2]))
        return text
    except Exception as error:      # of the program's: logging tells of it
        return '%s: %s\n' % (record.name, type(error).__name__)


def names(given):
    found = (given,) if isinstance(given, str) else tuple(given)
    for name in found:
        if name not in NAMES:
            raise ValueError('tails are of "warnings" and "log"')
    return found


def begin(which):
    with _lock:
        for name in which:
            if not _users[name]:
                _between[name] = _classes[name]()
            _users[name] += 1


def end(which):
    with _lock:
        for name in which:
            _users[name] -= 1
            if not _users[name]:
                _between.pop(name).end()
                _rows[name].clear()


def text(name):
    return ''.join(list(_rows[name]))


def clear(name):
    _rows[name].clear()
