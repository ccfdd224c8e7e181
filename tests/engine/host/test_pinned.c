/* SPDX-License-Identifier: MIT */
/* Pinned random numbers against the C library's own, found behind ours, and against a real plugin. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/host/pinned.h"
#include "tests/engine/host/stage.h"

START_TEST(a_fresh_state_draws_what_a_fresh_process_draws)
{
    long (*library_random)(void);
    double (*library_drand48)(void);
    *(void **)&library_random = dlsym(RTLD_NEXT, "random");
    *(void **)&library_drand48 = dlsym(RTLD_NEXT, "drand48");
    struct engine_pinned pinned;
    engine_pinned_init(&pinned);
    ck_assert_ptr_null(engine_pinned_swap(&pinned));
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(random(), library_random());
        ck_assert(drand48() == library_drand48());
    }
    ck_assert_ptr_eq(engine_pinned_swap(NULL), &pinned);
}
END_TEST

static const unsigned chosen_seeds[] = {0, 1, 2, 42, 31337, ENGINE_PINNED_SEED_CHOSEN - 1};

START_TEST(chosen_seeds_are_honoured)
{
    unsigned seed = chosen_seeds[_i];
    void (*library_srand)(unsigned);
    int (*library_rand)(void);
    *(void **)&library_srand = dlsym(RTLD_NEXT, "srand");
    *(void **)&library_rand = dlsym(RTLD_NEXT, "rand");
    struct engine_pinned pinned;
    engine_pinned_init(&pinned);
    engine_pinned_swap(&pinned);
    srand(seed);
    library_srand(seed);
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(rand(), library_rand());
    }
    engine_pinned_swap(NULL);
}
END_TEST

START_TEST(the_48_bit_family_is_the_librarys)
{
    void (*library_srand48)(long);
    long (*library_lrand48)(void);
    long (*library_mrand48)(void);
    unsigned short *(*library_seed48)(unsigned short *);
    void (*library_lcong48)(unsigned short *);
    *(void **)&library_srand48 = dlsym(RTLD_NEXT, "srand48");
    *(void **)&library_lrand48 = dlsym(RTLD_NEXT, "lrand48");
    *(void **)&library_mrand48 = dlsym(RTLD_NEXT, "mrand48");
    *(void **)&library_seed48 = dlsym(RTLD_NEXT, "seed48");
    *(void **)&library_lcong48 = dlsym(RTLD_NEXT, "lcong48");
    struct engine_pinned pinned;
    engine_pinned_init(&pinned);
    engine_pinned_swap(&pinned);
    srand48(4711);
    library_srand48(4711);
    unsigned short words[3] = {1, 2, 3};
    unsigned short parameters[7] = {7, 6, 5, 4, 3, 2, 1};
    for (int i = 0; i < 300; i++) {
        ck_assert_int_eq(lrand48(), library_lrand48());
        ck_assert_int_eq(mrand48(), library_mrand48());
        if (i == 100) {
            ck_assert_mem_eq(seed48(words), library_seed48(words), sizeof words);
        } else if (i == 200) {
            lcong48(parameters);
            library_lcong48(parameters);
        }
    }
    engine_pinned_swap(NULL);
}
END_TEST

START_TEST(the_clocks_seeds_are_all_one)
{
    struct engine_pinned first;
    struct engine_pinned second;
    engine_pinned_init(&first);
    engine_pinned_init(&second);
    engine_pinned_swap(&first);
    srand((unsigned)time(NULL));
    srand48(time(NULL));
    engine_pinned_swap(&second);
    srand((unsigned)time(NULL) + 86400);
    srand48(time(NULL) + 86400);
    engine_pinned_swap(NULL);
    ck_assert_mem_eq(&first, &second, sizeof first);
}
END_TEST

START_TEST(outside_a_seed_is_a_seed)
{
    srand(1u << 20);
    int first = rand();
    srand((1u << 20) + 1);
    ck_assert_int_ne(rand(), first);
    srand(1u << 20);
    ck_assert_int_eq(rand(), first);
}
END_TEST

static void *draw_many(void *unused)
{
    (void)unused;
    uint64_t sum = 0;
    for (int i = 0; i < 100000; i++) {
        sum += (uint64_t)random();
    }
    return (void *)(uintptr_t)(sum != 0);
}

START_TEST(instances_and_threads_do_not_disturb_each_other)
{
    struct engine_pinned alone;
    struct engine_pinned beside;
    engine_pinned_init(&alone);
    engine_pinned_init(&beside);
    long wanted[100];
    engine_pinned_swap(&alone);
    for (int i = 0; i < 100; i++) {
        wanted[i] = random();
    }
    engine_pinned_swap(NULL);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, draw_many, NULL), 0);
    for (int i = 0; i < 100; i++) {
        random();
        engine_pinned_swap(&beside);
        ck_assert_int_eq(random(), wanted[i]);
        engine_pinned_swap(NULL);
    }
    pthread_join(thread, NULL);
}
END_TEST

/* Plugins find ours, not the C library's: those that seed with the clock, too. */
static const char *const noisy[] = {"lv2:urn:loophole:test:noise-rand", "lv2:urn:loophole:test:noise-time"};

START_TEST(plugins_that_draw_are_repeatable)
{
    struct engine_host *host = stage_host(STAGE_FRIENDLY);
    float first[STAGE_QUANTUM];
    for (int round = 0; round < 3; round++) {
        struct engine_plugin *plugin = stage_plugin(host, noisy[_i]);
        srand((unsigned)round); /* the process' state does not reach into it */
        stage_run(plugin, 0, STAGE_QUANTUM, NULL);
        const float *output = engine_plugin_audio_output(plugin, 0);
        ck_assert(output[0] != output[1]);
        if (round == 0) {
            memcpy(first, output, sizeof first);
        } else {
            ck_assert_mem_eq(output, first, sizeof first);
        }
        engine_plugin_free(plugin, NULL, 0);
    }
    engine_host_free(host);
}
END_TEST

START_TEST(a_probe_may_leave_random_numbers_alone)
{
    struct engine_host *host = stage_host(STAGE_FRIENDLY);
    struct engine_plugin_config config = stage_config(noisy[0]);
    config.unpinned_random = true;
    float first[STAGE_QUANTUM];
    for (int round = 0; round < 2; round++) {
        struct engine_plugin *plugin;
        ck_assert_int_eq(engine_plugin_new(host, &config, NULL, 0, &plugin, NULL), LH_OK);
        stage_run(plugin, 0, STAGE_QUANTUM, NULL);
        const float *output = engine_plugin_audio_output(plugin, 0);
        if (round == 0) {
            memcpy(first, output, sizeof first);
        } else {
            ck_assert_int_ne(memcmp(output, first, sizeof first), 0);
        }
        engine_plugin_free(plugin, NULL, 0);
    }
    engine_host_free(host);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/host/pinned");
    TCase *tests = tcase_create("pinned");
    tcase_add_test(tests, a_fresh_state_draws_what_a_fresh_process_draws);
    tcase_add_loop_test(tests, chosen_seeds_are_honoured, 0, (int)(sizeof chosen_seeds / sizeof *chosen_seeds));
    tcase_add_test(tests, the_48_bit_family_is_the_librarys);
    tcase_add_test(tests, the_clocks_seeds_are_all_one);
    tcase_add_test(tests, outside_a_seed_is_a_seed);
    tcase_add_test(tests, instances_and_threads_do_not_disturb_each_other);
    tcase_add_loop_test(tests, plugins_that_draw_are_repeatable, 0, 2);
    tcase_add_test(tests, a_probe_may_leave_random_numbers_alone);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
