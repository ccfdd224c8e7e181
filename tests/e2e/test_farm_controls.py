# SPDX-License-Identifier: MIT
"""Each protection is taken away, and the tests of test_farm_kills.py have to notice: test_farm_controls.py LOOPHOLE SIGNAL
PULSE NODE BUNDLES, with the Pulse of without.c."""
import os
import sys

import broken_farm
import test_farm_kills as kills
from tap import run_tests

broken_farm.PATIENCE = 15
kills.KILLS, kills.STOPS = 3, 1


def control(without, test, words):
    """A test that fails, and for that reason."""
    def run(folder):
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
    control("leases", kills.test_silent_nodes_are_given_up, "is not over"),
    control("losses", kills.test_instances_are_killed, "is not over"),
    control("fencing", kills.test_late_results_are_refused, "is not in the log"),
    control("commits", kills.test_what_is_acknowledged_is_kept, "there is no job"),
]

if __name__ == "__main__":
    broken_farm.rendered_here()  # once for all
    sys.exit(run_tests(TESTS, at_once=4))
