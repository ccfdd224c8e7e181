# SPDX-License-Identifier: MIT
"""Hosts of a network that is ours: a network namespace for Pulse and one for each node, each with a cable of its own to
Pulse. Needs root and iproute2; where namespaces cannot be made, tests are skipped."""
import atexit
import os
import signal
import subprocess
import sys

from tap import Skip

PORT = 7001  # of worker nodes; clients have the next, files the one after it


def ip(*arguments, check=True):
    done = subprocess.run(["ip", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"ip {' '.join(arguments)}: {done.stdout}")
    return done


class Network:
    """`with Network("east", "west") as network`: the host of Pulse is "pulse"."""

    serial = 0

    def __init__(self, *hosts):
        Network.serial += 1
        mark = f"lh{os.getpid()}-{Network.serial}"
        self.hosts = hosts
        self.names = {host: f"{mark}-{host}" for host in ("pulse", *hosts)}
        self.cuts = {}

    def __enter__(self):
        atexit.register(self.remove)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that a test that takes too long tidies up
        try:
            made = ip("netns", "add", self.names["pulse"], check=False)
        except FileNotFoundError:
            raise Skip("there is no program ip (iproute2)") from None
        if made.returncode != 0:
            raise Skip(f"no network namespaces can be made here: {made.stdout.strip()}")
        ip("-n", self.names["pulse"], "link", "set", "lo", "up")
        for index, host in enumerate(self.hosts):
            ip("netns", "add", self.names[host])
            ip("-n", self.names[host], "link", "set", "lo", "up")
            ip("-n", self.names["pulse"], "link", "add", self.cable(host), "type", "veth", "peer", "name", "cable",
               "netns", self.names[host])
            for end, name, number in (("pulse", self.cable(host), 1), (host, "cable", 2)):
                ip("-n", self.names[end], "address", "add", f"10.77.{index}.{number}/24", "dev", name)
                ip("-n", self.names[end], "link", "set", name, "up")
        return self

    def __exit__(self, *reason):
        self.remove()
        atexit.unregister(self.remove)

    def remove(self):
        """Whatever of it is there; cables go with their ends."""
        there = ip("netns", "list", check=False).stdout
        for name in self.names.values():
            if name in there:
                ip("netns", "delete", name, check=False)

    def cable(self, host):
        return f"to{self.hosts.index(host)}"

    def enter(self, host):
        """In front of a command that is to run on a host."""
        return ["nsenter", f"--net=/run/netns/{self.names[host]}"]

    def endpoint(self, host, offset=0):
        """Pulse, as a host reaches it: 0 for worker nodes, 1 for clients, 2 for files."""
        return f"tcp://10.77.{self.hosts.index(host)}.1:{PORT + offset}"

    # ---- cuts

    def cut(self, host, kind):
        """"both": the cable is unplugged; "there": nothing gets to Pulse any more; "back": nothing from it."""
        index = self.hosts.index(host)
        if kind == "both":
            ip("-n", self.names["pulse"], "link", "set", self.cable(host), "down")
        elif kind == "there":
            ip("-n", self.names[host], "route", "add", "blackhole", f"10.77.{index}.1/32")
        else:
            ip("-n", self.names["pulse"], "route", "add", "blackhole", f"10.77.{index}.2/32")
        self.cuts[host] = kind

    def heal(self, host):
        index, kind = self.hosts.index(host), self.cuts.pop(host)
        if kind == "both":
            ip("-n", self.names["pulse"], "link", "set", self.cable(host), "up")
        elif kind == "there":
            ip("-n", self.names[host], "route", "delete", "blackhole", f"10.77.{index}.1/32")
        else:
            ip("-n", self.names["pulse"], "route", "delete", "blackhole", f"10.77.{index}.2/32")
