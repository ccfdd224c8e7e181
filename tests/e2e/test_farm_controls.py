# SPDX-License-Identifier: MIT
"""Each protection is taken away, and the tests of test_farm_kills.py and test_farm_network.py have to notice:
test_farm_controls.py LOOPHOLE SIGNAL PULSE NODE BUNDLES, with the Pulse of without.c."""
import glob
import hashlib
import os
import sys

import broken_farm
import test_farm_kills as kills
import test_farm_network as network
from tap import equal, read, run_tests

SOON = 15  # s; for a job that will not end, or a line that will not come
kills.KILLS, kills.STOPS = 3, 1


def test_what_is_spoiled_on_the_way_is_refused(folder):
    """A worker's result has come with another bit than it had: it is made again, and no file of Pulse has another's name."""
    os.environ["LOOPHOLE_TEST_SPOIL"] = "yes"
    with network.at_work(folder) as farm:
        farm.submit()
        farm.farm.await_log('"attempt failed" .*the bytes are not those announced', patience=SOON)
        farm.finish()
        blobs = glob.glob(f"{farm.farm.data}/media/*/??/*")
        equal(len(blobs) > 0, True, "files of Pulse")
        for blob in blobs:
            equal(hashlib.sha256(read(blob)).hexdigest(), os.path.basename(blob), "SHA-256 of a file of Pulse")
        farm.agree()


def host_is_cut_off_for_long(folder):
    with network.at_work(folder) as farm:
        chances = broken_farm.chances(network.ASKED, "long cut")
        network.cut_and_heal(farm, chances, network.times_of_cuts(), "east", "both", network.LONG_S, farm.usual())


def control(without, test, words, patience=broken_farm.PATIENCE):
    """A test that fails, and for that reason."""
    def run(folder):
        broken_farm.PATIENCE = patience
        os.environ["LOOPHOLE_TEST_WITHOUT"] = without
        try:
            test(folder)
        except AssertionError as failure:
            if words not in str(failure):
                raise
            print(f"# noticed: {str(failure).splitlines()[0][:120]}", flush=True)
            return
        finally:
            del os.environ["LOOPHOLE_TEST_WITHOUT"]
        raise AssertionError(f"{test.__name__} does not notice that there are no {without}")
    run.__name__ = f"test_without_{without}"
    return run


TESTS = [
    control("leases", kills.test_silent_nodes_are_given_up, "is not over", SOON),
    control("losses", kills.test_instances_are_killed, "is not over", SOON),
    control("fencing", kills.test_late_results_are_refused, "a late result was counted for"),
    control("commits", kills.test_what_is_acknowledged_is_kept, "there is no job"),
    control("rejoining", host_is_cut_off_for_long, "worker=east' is not in the log"),
    test_what_is_spoiled_on_the_way_is_refused,
    control("digests", test_what_is_spoiled_on_the_way_is_refused, "announced' is not in the log"),
]

if __name__ == "__main__":
    broken_farm.rendered_here()  # once for all
    broken_farm.rendered_here(network.PAUSE_US)
    sys.exit(run_tests(TESTS, at_once=3))
