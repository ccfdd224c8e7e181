/* SPDX-License-Identifier: MIT */
/* The shared main of the Check tests. */
#include "tests/support/testing.h"

#include <stdlib.h>

int testing_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
