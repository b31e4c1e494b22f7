#!/usr/bin/python3
"""ping.py [-u] PORT [GREETING]: a client of pingpong.x, over TCP or UDP."""

import sys

import rpc

import pingpong


def main(args):
    udp = args[:1] == ['-u']
    port, greeting = (args[udp:] + ['hello'])[:2]
    transport = rpc.UDPClient if udp else rpc.TCPClient
    with pingpong.PINGPONG_1_client(
            transport('127.0.0.1', int(port))) as client:
        n = 1
        while n < 6:
            ball = client.PINGPONG_PING(
                pingpong.ping(n, greeting.encode()))
            print(ball.n, ball.greeting.decode())
            n = ball.n + 1
        print('later:', client.PINGPONG_PING(pingpong.ping(n, b'')).n)
        print('hits:', *(hit.n for hit in client.PINGPONG_HITS(5)))


if __name__ == '__main__':
    main(sys.argv[1:])
