# SPDX-License-Identifier: MIT
"""A farm whose clocks jump: test_farm_clock.py LOOPHOLE SIGNAL PULSE NODE BUNDLES CLOCKWORK. The wall clock may go anywhere:
leases hang on the monotonic one, and nothing is thrown away that a job needs.

Control: when a worker is killed its shards are given again, and that is noticed."""
import os
import struct
import sys

CLOCKWORK = os.path.abspath(sys.argv.pop(6))

from broken_farm import CLAIMED, Broken, rendered_here
from tap import equal, run_tests

HOUR = 3600
JUMPS = (HOUR, -HOUR, 25 * HOUR, -400 * 24 * HOUR, 0)  # uploads are kept for a day


class Clocks:
    """Seconds by which the farm's clocks are off."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "clocks")
        self.set(0, 0)

    def set(self, wall, monotonic):
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(fd, struct.pack("=qq", wall, monotonic), 0)
        os.close(fd)


def farm(folder):
    clocks = Clocks(folder)
    return clocks, Broken(folder, LD_PRELOAD=CLOCKWORK, TEST_CLOCKS=clocks.path)


def repeated(rows):
    """Shards that were given a second time."""
    return sorted({row["id"] for row in rows if row["what"] == "shard" and row["now"] == CLAIMED and row["attempt"] > 1})


def test_the_wall_clock_jumps(folder):
    clocks, broken = farm(folder)
    with broken:
        usual = broken.usual()
        for jump in JUMPS:
            broken.submit()
            broken.claim()
            clocks.set(jump, 0)
            took = broken.finish()
            equal(repeated(broken.agree()), [], f"shards that were lost to a jump to {jump} s")
            print(f"# wall clock at {jump:+d} s: {took:.1f} s, {usual:.1f} s undisturbed", flush=True)


def test_a_wall_clock_that_is_off_at_the_start(folder):
    """Pulse begins anew, a day and an hour back, on what it wrote before."""
    clocks, broken = farm(folder)
    with broken:
        broken.usual()
        clocks.set(-25 * HOUR, 0)
        broken.farm.stop()
        broken.farm.start()
        broken.submit()
        broken.finish()
        broken.agree()


def test_the_monotonic_clock_leaps(folder):
    """As if every process had stood still for an hour: who speaks afterwards keeps what it holds."""
    clocks, broken = farm(folder)
    with broken:
        broken.usual()
        broken.submit()
        broken.claim()
        clocks.set(0, HOUR)
        broken.finish()
        equal(repeated(broken.agree()), [], "shards that were lost to a leap of an hour")


def test_the_control_is_noticed(folder):
    _, broken = farm(folder)
    with broken:
        broken.usual()
        broken.submit()
        broken.farm.kill(broken.claim()["owner"])
        broken.finish()
        equal(len(repeated(broken.agree())) > 0, True, "shards are lost with a worker that is killed")


TESTS = [test_the_wall_clock_jumps, test_a_wall_clock_that_is_off_at_the_start, test_the_monotonic_clock_leaps,
         test_the_control_is_noticed]

if __name__ == "__main__":
    rendered_here()  # once for all
    sys.exit(run_tests(TESTS, at_once=2))
