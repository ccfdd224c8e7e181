/* SPDX-License-Identifier: MIT */
/* farm_sim: runs the farm in a bottle.
       farm_sim FIRST COUNT                 the runs of these seeds; TAP, a line for each thousand
       farm_sim --trace SEED                one run, told line by line
       farm_sim --without NAME FIRST COUNT  the same as the first without a protection
       farm_sim --controls COUNT            for each protection: that its loss shows within so many runs; TAP
       farm_sim --same COUNT                that a seed gives the same run twice; TAP */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define BATCH 1000

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

/* Whether all holds. `hash` may be NULL. */
static bool run(uint64_t seed, enum sim_protection without, FILE *trace, uint64_t *hash, char *broken, size_t size)
{
    static struct sim sim;
    sim_run(&sim, seed, without, trace);
    bool holds = sim.broken[0] == '\0';
    snprintf(broken, size, "%s", sim.broken);
    if (hash != NULL) {
        *hash = sim.hash;
    }
    sim_fini(&sim);
    return holds;
}

static int run_all(uint64_t first, uint64_t count, enum sim_protection without)
{
    uint64_t failed = 0, batches = (count + BATCH - 1) / BATCH;
    char broken[512];
    printf("1..%" PRIu64 "\n", batches);
    for (uint64_t batch = 0; batch < batches; batch++) {
        uint64_t from = first + batch * BATCH, here = 0;
        uint64_t to = batch + 1 < batches ? from + BATCH : first + count;
        for (uint64_t seed = from; seed < to; seed++) {
            if (!run(seed, without, NULL, NULL, broken, sizeof broken)) {
                printf("# seed %" PRIu64 ": %s\n", seed, broken);
                here++;
            }
        }
        printf("%sok %" PRIu64 " - seeds %" PRIu64 " to %" PRIu64 "\n", here == 0 ? "" : "not ", batch + 1, from,
               to - 1);
        fflush(stdout);
        failed += here;
    }
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_controls(uint64_t count)
{
    int result = EXIT_SUCCESS;
    char broken[512];
    printf("1..%d\n", SIM_PROTECTIONS - 1);
    for (int i = 1; i < SIM_PROTECTIONS; i++) {
        uint64_t seed = 1;
        while (seed <= count && run(seed, (enum sim_protection)i, NULL, NULL, broken, sizeof broken)) {
            seed++;
        }
        bool shows = seed <= count;
        printf("%sok %d - without %s something breaks\n", shows ? "" : "not ", i,
               sim_protection_name((enum sim_protection)i));
        if (shows) {
            printf("# seed %" PRIu64 ": %s\n", seed, broken);
        } else {
            result = EXIT_FAILURE;
        }
        fflush(stdout);
    }
    return result;
}

static int run_twice(uint64_t count)
{
    uint64_t differ = 0, equal = 0, before = 0;
    char broken[512];
    for (uint64_t seed = 1; seed <= count; seed++) {
        uint64_t first = 0, second = 0;
        run(seed, SIM_ALL, NULL, &first, broken, sizeof broken);
        run(seed, SIM_ALL, NULL, &second, broken, sizeof broken);
        differ += first != second;
        equal += first == before;
        before = first;
    }
    printf("1..2\n%sok 1 - a seed gives the same run twice\n", differ == 0 ? "" : "not ");
    printf("%sok 2 - another seed gives another\n", equal == 0 ? "" : "not ");
    return differ + equal == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "--trace") == 0) {
        char broken[512];
        return run(number(arguments[2]), SIM_ALL, stdout, NULL, broken, sizeof broken) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (count == 3 && strcmp(arguments[1], "--controls") == 0) {
        return run_controls(number(arguments[2]));
    }
    if (count == 3 && strcmp(arguments[1], "--same") == 0) {
        return run_twice(number(arguments[2]));
    }
    if (count == 5 && strcmp(arguments[1], "--without") == 0) {
        for (int i = 1; i < SIM_PROTECTIONS; i++) {
            if (strcmp(arguments[2], sim_protection_name((enum sim_protection)i)) == 0) {
                return run_all(number(arguments[3]), number(arguments[4]), (enum sim_protection)i);
            }
        }
    }
    if (count == 3 && arguments[1][0] != '-') {
        return run_all(number(arguments[1]), number(arguments[2]), SIM_ALL);
    }
    fprintf(stderr, "usage: farm_sim FIRST COUNT | --trace SEED | --without NAME FIRST COUNT | --controls COUNT | "
                    "--same COUNT\n");
    return 2;
}
