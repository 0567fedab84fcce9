"""A cable on which frames are late or get lost: what tc netem does, without its kernel module."""
import ctypes
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import threading
import time
from itertools import count

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_ALL_PROTOCOLS = 0x0003  # ETH_P_ALL
_OUTGOING = 4  # PACKET_OUTGOING
_SET_TX_CHECKSUMS = 0x17  # ETHTOOL_STXCSUM
_ETHTOOL = 0x8946  # SIOCETHTOOL


def _within(space, work):
    """Runs work() in a network namespace, on a thread of its own, and returns its result."""
    result = []

    def run():
        libc = ctypes.CDLL(None, use_errno=True)
        with open(space, "rb") as file:
            if libc.setns(file.fileno(), _NEW_NETWORK):
                raise OSError(ctypes.get_errno(), f"setns {space}")
        result.append(work())
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result[0]


def write_checksums(space, interface):
    """Lets the kernel compute checksums before a frame leaves: else ours would leave without."""
    def work():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            value = ctypes.create_string_buffer(struct.pack("II", _SET_TX_CHECKSUMS, 0))
            request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
            fcntl.ioctl(any_socket, _ETHTOOL, request.ljust(40, b"\0"))
    _within(space, work)


def _frames_of(space, interface):
    def work():
        one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        one.bind((interface, 0))
        one.setblocking(False)
        return one
    return _within(space, work)


class SlowCable:
    """Carries frames between two interfaces of one namespace until `close()`."""

    def __init__(self, space, one, other, delay=0.0, loss=0.0, seed=1):
        ends = [_frames_of(space, one), _frames_of(space, other)]
        self._towards = {ends[0]: ends[1], ends[1]: ends[0]}
        self._delay, self._loss, self._chance = delay, loss, random.Random(seed)
        self._wake, self._woken = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self):
        waiting, numbers = [], count()
        while True:
            pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            ready = select.select([*self._towards, self._wake], [], [], pause)[0]
            if self._wake in ready:
                return
            for end in ready:
                self._receive(end, waiting, numbers)
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, end, frame = heapq.heappop(waiting)
                try:
                    end.send(frame)
                except OSError:
                    pass  # the other end is down: lost, as on a cable

    def _receive(self, end, waiting, numbers):
        while True:
            try:
                frame, where = end.recvfrom(65536)
            except BlockingIOError:
                return
            if where[2] != _OUTGOING and self._chance.random() >= self._loss:
                heapq.heappush(waiting, (time.monotonic() + self._delay, next(numbers), self._towards[end], frame))

    def close(self):
        os.write(self._woken, b"x")
        self._thread.join()
        for end in self._towards:
            end.close()
        os.close(self._wake)
        os.close(self._woken)
