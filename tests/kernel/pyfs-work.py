"""A program whose values the tests of pyfs-work change; and who tells what
they are: /tmp/question is evaluated, and its repr() put into /tmp/answer."""

import os
import time

n = 5
flag = True
level = 'INFO'
text = 'one\n'
conf = {'db': {'host': 'db01', 'port': 5432}, 'debug': False}
work = {}
plain = []


def double(x):
    return 2 * x


def answer():
    try:
        with open('/tmp/question') as f:
            question = f.read()
    except FileNotFoundError:
        return
    os.unlink('/tmp/question')
    try:
        reply = repr(eval(question, globals()))
    except Exception as error:
        reply = repr(error)
    with open('/tmp/answer.new', 'w') as f:
        f.write(reply + '\n')
    os.rename('/tmp/answer.new', '/tmp/answer')


while True:
    answer()
    time.sleep(0.02)
