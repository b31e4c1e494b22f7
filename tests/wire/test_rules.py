"""Every test that rules.py names is there."""

import os

import pytest
import rules

HERE = os.path.dirname(os.path.abspath(__file__))


def source(name):
    directory, _, base = name.rpartition('/')
    return os.path.join(os.path.dirname(HERE), directory, base) \
        if directory else os.path.join(HERE, 'test_%s.py' % base)


@pytest.mark.parametrize('rule', rules.RULES)
def test_a_rule_is_tested(rule):
    assert rules.RULES[rule]
    for test in rules.RULES[rule]:
        name, _, sentence = test.partition(':')
        with open(source(name), encoding='utf-8') as f:
            text = f.read()
        if not name.endswith('.c') and '/' not in name:
            sentence = 'def test_%s(' % sentence
        elif name.endswith('.c'):
            sentence = 'test_%s(' % sentence
        assert sentence in text, test
