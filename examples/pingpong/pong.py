#!/usr/bin/python3
"""pong.py [PORT]: a server of pingpong.x, over TCP and UDP.

    pinefs-rpcgen --lang=python pingpong.x > pingpong.py
"""

import asyncio
import signal
import sys

import rpc

import pingpong


class Table(pingpong.PINGPONG_1):
    def __init__(self):
        super().__init__()
        self.hits = []

    def PINGPONG_PING(self, ball):
        self.hits.insert(0, ball.n)
        return pingpong.pong(ball.n + 1, ball.greeting[::-1])

    async def PINGPONG_HITS(self, most):
        await asyncio.sleep(0)      # a method may wait for something
        return [pingpong.hit(n) for n in self.hits[:most]]


async def main(port=0):
    table = Table()
    tcp = table.create_transport_server(port, rpc.TCPServer)
    udp = table.create_transport_server(tcp.port, rpc.UDPServer)
    for transport in tcp, udp:
        table.register(transport, portmap=False)
    for sig in signal.SIGTERM, signal.SIGINT:
        asyncio.get_running_loop().add_signal_handler(
            sig, lambda: (tcp.stop(), udp.stop()))
    print(tcp.port, flush=True)
    await asyncio.gather(tcp.serve(), udp.serve())


if __name__ == '__main__':
    asyncio.run(main(*map(int, sys.argv[1:])))
