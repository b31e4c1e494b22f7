"""For test programs in Python that print TAP.

	test("the sentence it proves", function)
	...
	sys.exit(run())

A function fails by an exception (assert), skips by raising Skip("why").
"""

import traceback


class Skip(Exception):
    pass


TESTS = []


def test(sentence, function, *args):
    TESTS.append((sentence, function, args))


def run():
    failed = 0
    print("1..%d" % len(TESTS))
    for n, (sentence, function, args) in enumerate(TESTS, 1):
        try:
            function(*args)
        except Skip as why:
            print("ok %d - %s # SKIP %s" % (n, sentence, why))
        except Exception:
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print("not ok %d - %s" % (n, sentence))
        else:
            print("ok %d - %s" % (n, sentence), flush=True)
    return 1 if failed else 0
