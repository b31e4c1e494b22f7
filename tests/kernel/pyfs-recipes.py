"""The program that the recipes of docs/pyfs.md are tried on."""

import logging
import sys
import threading
import time
import types

logging.basicConfig(level=logging.INFO)


class Cart:
    def total(self, price):
        return price * 2


app = types.ModuleType('app')
app.flags = {'new_ui': False}
app.conf = {'host': 'db01.local', 'port': 5432}
app.queue = [1, 2, 3]
app.cache = {'k': {}}
app.table = {'a': 'xx', 'b': 'yyy'}
app.counter = 0
shop = types.ModuleType('shop')
shop.Cart = Cart
shop.price = Cart().total
sys.modules['app'], sys.modules['shop'] = app, shop
holder = {'held': app.cache}


def work(job_id):
    while True:
        time.sleep(0.1)
        app.counter += 1


def answer():
    """What the test looks at, where no client is asked."""
    with open('/tmp/program-state.new', 'w') as f:
        print([logging.getLogger().level, app.flags, app.conf,
               shop.price(1)], file=f)
    import os
    os.rename('/tmp/program-state.new', '/tmp/program-state')


threading.Thread(target=work, args=(4711,), daemon=True).start()
while True:
    answer()
    time.sleep(0.05)
