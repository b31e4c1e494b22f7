# SPDX-License-Identifier: MIT
"""The last warnings and log records of a program that lets them be seen."""

import logging
import warnings

import served
from served import status


def test_warnings_and_records_are_shown_if_they_are_asked_for():
    shown, factory = warnings.showwarning, logging.getLogRecordFactory()
    handlers = list(logging.getLogger().handlers)
    log = logging.getLogger('served.tails')
    log.propagate, log.level = False, logging.INFO
    log.addHandler(logging.NullHandler())
    seen = []

    def own(message, *more):
        seen.append(str(message))
    warnings.showwarning = own
    try:
        with served.own(root={}, tails=('warnings', 'log')) as c:
            warnings.warn_explicit('careful', UserWarning, 'file.py', 7)
            log.info('a number: %d', 5)
            log.debug('not of interest')
            try:
                1 // 0
            except ZeroDivisionError as error:
                words = str(error)
                log.exception('failed')
            log.info('wrong: %d', 'text')
            assert seen == ['careful']              # told as before
            assert logging.getLogger().handlers == handlers
            text = c.read('/.pyfs/warnings').decode()
            assert text.startswith('file.py:7: UserWarning: careful'), text
            rows = c.read('/.pyfs/log').decode().splitlines()
            assert [r[20:] if r[:1] == '2' else r for r in rows] == [
                'INFO served.tails: a number: 5',
                'ERROR served.tails: failed',
                'ZeroDivisionError: ' + words,
                'served.tails: TypeError'], rows
            with served.own(root={}, tails='log') as other:
                assert other.read('/.pyfs/log')
                assert status(other.read, '/.pyfs/warnings') == 'NOENT'
            c.setattr('/.pyfs/log', size=0)
            c.commit('/.pyfs/log')
            assert c.read('/.pyfs/log') == b''
            for i in range(1000):
                log.info('row %d', i)
            c.write('/.pyfs/gc/collect', b'0')      # is asked anew
            rows = c.read('/.pyfs/log').splitlines()
            assert len(rows) == 200 and rows[-1].endswith(b'row 999')
        assert warnings.showwarning is own
        assert logging.getLogRecordFactory() is factory
    finally:
        warnings.showwarning = shown
    with served.own(root={}) as c:
        assert status(c.read, '/.pyfs/log') == 'NOENT'
    assert not any(type(h) is not logging.NullHandler for h in log.handlers)


def test_what_others_put_in_its_place_stays():
    factory = logging.getLogRecordFactory()
    try:
        with served.own(root={}, tails='log'):
            between = logging.getLogRecordFactory()

            def mine(*args, **named):
                return between(*args, **named)
            logging.setLogRecordFactory(mine)
        assert logging.getLogRecordFactory() is mine
        logging.getLogger('served.tails').info('goes on')
        with served.own(root={}, tails='log') as c:
            logging.getLogger('served.tails').warning('once')
            assert c.read('/.pyfs/log').count(b'once') == 1
    finally:
        logging.setLogRecordFactory(factory)


def test_what_does_not_start_leaves_nothing_behind():
    shown, factory = warnings.showwarning, logging.getLogRecordFactory()
    with served.own(root={}) as c:
        for error, wrong in ((TypeError, {'max_nodes': 'many'}),
                             (OSError, {'port': c.port})):
            try:
                served.serve(root={}, tails=('warnings', 'log'), **wrong)
            except error:
                pass
            else:
                raise AssertionError('served')
            assert warnings.showwarning is shown
            assert logging.getLogRecordFactory() is factory


def test_there_are_no_other_tails():
    try:
        served.serve(tails='errors')
    except ValueError as error:
        assert 'warnings' in str(error)
    else:
        raise AssertionError('served')
