# SPDX-License-Identifier: MIT
"""A farm whose disks are full for a while: test_farm_disk.py LOOPHOLE SIGNAL PULSE NODE BUNDLES. The job waits or fails with
the reason, goes on when there is room, and no file is there that is not whole."""
import hashlib
import os
import subprocess
import sys
import time

from broken_farm import Broken
from tap import Skip, equal, read, run_tests

ROOM = "400m"


class SmallDisk(Broken):
    """One folder of the farm is a small file system of its own."""

    def __enter__(self):
        if os.geteuid() != 0:
            raise Skip("takes root, to mount a file system")
        self.place = os.path.join(self.farm.data, self.part)
        os.makedirs(self.place, mode=0o700)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=700", "tmpfs", self.place],
                              stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Skip(f"nothing can be mounted here: {done.stderr}")
        return super().__enter__()

    def __exit__(self, *reason):
        self.farm.end()
        subprocess.run(["umount", "-l", self.place], check=False)
        super().__exit__(*reason)

    def fill(self):
        with open(f"{self.place}/filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass

    def make_room(self):
        os.unlink(f"{self.place}/filler")


def full_for_a_while(folder, part, waits):
    SmallDisk.part = part
    with SmallDisk(folder) as broken:
        usual = broken.usual()
        broken.submit()
        time.sleep(usual / 3)
        broken.fill()
        time.sleep(3)
        told = broken.farm.logged("No space left|full|no room")
        equal(broken.client.poll() is None or not waits, True, "the job waits while the disk is full")
        broken.make_room()
        broken.finish()
        broken.agree()
        blobs_are_whole(f"{broken.farm.data}/media")
        equal(len(told) > 0, True, "the reason is told")
        print(f"# said of it: {told[-1]}", flush=True)


def test_pulse_has_no_room(folder):
    full_for_a_while(folder, "media", True)


def test_a_node_has_no_room(folder):
    """The others do it all."""
    full_for_a_while(folder, "workers/1", False)


def blobs_are_whole(place):
    names = [(path, name) for part in ("kept", "cached") for path, _, files in os.walk(f"{place}/{part}") for name in files]
    equal(len(names) > 0, True, "blobs")
    for path, name in names:
        equal(hashlib.sha256(read(f"{path}/{name}")).hexdigest(), name, "SHA-256 of a blob")


TESTS = [test_pulse_has_no_room, test_a_node_has_no_room]

if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
