# SPDX-License-Identifier: MIT
"""python3 alone.py MODULE...: their tests, without pytest, in TAP.

With $PINEFS_BRIEF not those that one Python does for all: served.once."""

import importlib
import os
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def main(names):
    tests, brief = [], 'PINEFS_BRIEF' in os.environ
    for name in names:
        module = importlib.import_module(name)
        tests += [(name, t, f) for t, f in vars(module).items()
                  if t.startswith('test_') and callable(f) and not
                  (brief and getattr(f, 'once', False))]
    print('1..%d' % len(tests))
    failed = 0
    for i, (name, test, function) in enumerate(tests, 1):
        try:
            function()
        except Exception:
            failed += 1
            for line in traceback.format_exc().splitlines():
                print('# ' + line)
            print('not ok %d - %s.%s' % (i, name, test), flush=True)
        else:
            print('ok %d - %s.%s' % (i, name, test), flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
