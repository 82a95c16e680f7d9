"""Links between two network namespaces that can lose all packets without a word: no reset, no unreachable, no link down.

    network = SilentNetwork()           # this process, and what it starts from now on, is in the first namespace
    network.popen([...])                # a program in the second one
    link = network.link()               # a new pair of addresses
    link.cut()                          # neither side gets the packets of the other any more
    link.mend()

A link is a pair of virtual Ethernet devices whose ends have fixed neighbours. A cut gives each end a neighbour that does
not exist, so that packets are sent to nobody. Needs root. Left out on purpose: delay, loss of some packets.
"""

import ctypes
import os
import subprocess

from promises import Skip

_CLONE_NEWNET = 0x40000000
_NOBODY = "02:00:00:00:00:99"


def _run(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout


class SilentNetwork:
    def __init__(self):
        if os.geteuid() != 0:
            raise Skip("network namespaces need root")
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNET) != 0:
            raise Skip(f"no network namespace can be made: {os.strerror(ctypes.get_errno())}")
        _run("ip", "link", "set", "lo", "up")
        self._links = 0
        # Keeps the second namespace until its input is closed.
        self.keeper = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.keeper.stdin.write(b"\n")
        self.keeper.stdin.flush()
        self.keeper.stdout.readline()
        self.inside("ip", "link", "set", "lo", "up")

    def _enter(self):
        return ["nsenter", f"--net=/proc/{self.keeper.pid}/ns/net"]

    def inside(self, *command):
        """Runs a command in the second namespace and returns what it printed."""
        return _run(*self._enter(), *command)

    def popen(self, command, **options):
        return subprocess.Popen([*self._enter(), *command], **options)

    def link(self):
        self._links += 1
        return Link(self, self._links)

    def close(self):
        self.keeper.stdin.close()
        self.keeper.wait()
        self.keeper.stdout.close()


class Link:
    """`here` and `there` are the addresses of the two namespaces."""

    def __init__(self, network, number):
        self.here, self.there = f"10.99.{number}.1", f"10.99.{number}.2"
        ours, theirs = f"here{number}", f"there{number}"
        try:
            _run("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs)
        except subprocess.CalledProcessError as error:
            raise Skip(f"no virtual Ethernet can be made: {error.stderr.strip()}") from error
        _run("ip", "link", "set", theirs, "netns", str(network.keeper.pid))
        for run, device, address in (_run, ours, self.here), (network.inside, theirs, self.there):
            run("ip", "address", "add", address + "/30", "dev", device)
            run("ip", "link", "set", device, "up")
        # How each side is told its neighbour, and the neighbour's true hardware address.
        self._sides = [(_run, ours, self.there, self._hardware(network.inside, theirs)),
                       (network.inside, theirs, self.here, self._hardware(_run, ours))]
        self.mend()

    @staticmethod
    def _hardware(run, device):
        words = run("ip", "-oneline", "link", "show", "dev", device).split()
        return words[words.index("link/ether") + 1]

    def cut(self):
        for run, device, neighbour, _ in self._sides:
            self._set(run, device, neighbour, _NOBODY)

    def mend(self):
        for run, device, neighbour, hardware in self._sides:
            self._set(run, device, neighbour, hardware)

    @staticmethod
    def _set(run, device, neighbour, hardware):
        run("ip", "neighbour", "replace", neighbour, "lladdr", hardware, "dev", device, "nud", "permanent")
