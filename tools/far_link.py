#!/usr/bin/env python3
"""A network of two machines on one: a namespace behind a link that delays every packet.

    with Link(rtt=0.020) as link:
        subprocess.Popen([*link.there, "ead", "serve", "--host", link.address, ...])

What runs behind `link.there` is half a round trip away, each way: opening a connection, a request and
an answer cost what they cost between two machines. Packets are held, never lost, reordered or thinned
out, so that the link's own rate does not matter. Linux, as root, with /dev/net/tun and `ip`; tc's netem
is not needed, which many kernels lack. Standard library alone.
"""

import collections
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
PACKET_MAX = 65536


def possible():
    return os.geteuid() == 0 and os.path.exists("/dev/net/tun")


class Link:
    made = 0

    def __init__(self, rtt, name="ead"):
        Link.made += 1
        n = Link.made
        self.rtt, self.name = rtt, f"{name}{n}p{os.getpid() % 100000}"  # names of devices: 15 bytes
        self.here, self.address = (f"10.213.{os.getpid() % 256}.{4 * n + k}" for k in (1, 2))
        self.there = ["ip", "netns", "exec", self.name]
        self.relay = None

    def __enter__(self):
        near, far = self.name + "a", self.name + "b"
        ip("netns", "add", self.name)
        try:
            ends = [open_tun(near), open_tun(far)]
            ip("link", "set", far, "netns", self.name)
            for place, end, own, other in (([], near, self.here, self.address),
                                           (["-n", self.name], far, self.address, self.here)):
                ip(*place, "addr", "add", own, "peer", other, "dev", end)
                ip(*place, "link", "set", end, "up", "txqueuelen", "10000")
            ip("-n", self.name, "link", "set", "lo", "up")
            self.relay = os.fork()
            if not self.relay:
                relay(ends, self.rtt / 2)
        except BaseException:
            self.__exit__()
            raise
        for end in ends:
            os.close(end)
        return self

    def __exit__(self, *_):
        if self.relay:
            os.kill(self.relay, signal.SIGKILL)
            os.waitpid(self.relay, 0)
        ip("netns", "del", self.name)

    def measured(self, n=5):
        """The round trip as a new connection finds it: the median of n that are refused."""
        took = []
        for _ in range(n):
            begun = time.perf_counter()
            with socket.socket() as s:
                s.connect_ex((self.address, 9))
            took.append(time.perf_counter() - begun)
        return sorted(took)[n // 2]


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def open_tun(name):
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return end


def relay(ends, delay):
    """Never returns. Packets leave in the order they came, each `delay` seconds later."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))
    except OSError:
        pass  # then a busy machine adds to the delay
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    held = collections.deque()
    while True:
        wait = max(0.0, held[0][0] - time.perf_counter()) if held else None
        ready = select.select(ends, [], [], wait)[0]
        now = time.perf_counter()
        for i, end in enumerate(ends):
            if end not in ready:
                continue
            try:
                while True:
                    held.append((now + delay, ends[1 - i], os.read(end, PACKET_MAX)))
            except BlockingIOError:
                pass
        while held and held[0][0] <= time.perf_counter():
            _, to, packet = held.popleft()
            try:
                os.write(to, packet)
            except OSError:
                pass  # the link is going down


# ---- what a request of many bytes costs -------------------------------------------------------

def answer_each(link):
    """A server at the far end that answers each request, a length and so many bytes, with one byte."""
    program = ("import socket\ns = socket.create_server(('%s', 7))\nprint(flush=True)\n"
               "while True:\n c, _ = s.accept()\n f = c.makefile('rb')\n"
               " while n := f.readline():\n  f.read(int(n))\n  c.sendall(b'.')\n" % link.address)
    server = subprocess.Popen([*link.there, sys.executable, "-c", program], stdout=subprocess.PIPE)
    server.stdout.readline()
    return server


def main():
    """far_link.py RTT_MS BYTES ...: seconds from a request to its answer's first byte over a connection
    that was idle for two seconds, and over one that has just carried another."""
    rtt, sizes = float(sys.argv[1]) / 1e3, [int(x) for x in sys.argv[2:]]
    with Link(rtt) as link:
        server = answer_each(link)
        try:
            for size in sizes:
                with socket.create_connection((link.address, 7)) as s:
                    took = []
                    for pause in (2.0, 0.0):
                        time.sleep(pause)
                        begun = time.perf_counter()
                        s.sendall(b"%d\n%s" % (size, bytes(size)))
                        s.recv(1)
                        took.append(time.perf_counter() - begun)
                print(f"{size:8} bytes: idle {1e3 * took[0]:7.1f} ms, warm {1e3 * took[1]:7.1f} ms")
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
