/* SPDX-License-Identifier: MIT */
/* Prints the digest of common/math's results, for builds and CPUs to be compared. */
#include <inttypes.h>
#include <stdio.h>

#include "tests/common/math/exact_digest.h"

int main(void)
{
    printf("%016" PRIx64 "\n", exact_digest());
    return 0;
}
