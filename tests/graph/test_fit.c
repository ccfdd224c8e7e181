/* SPDX-License-Identifier: MIT */
/* graph/fit.c: every row of the table in graph/fit.h. */
#include "graph/fit.h"

#include "tests/support/testing.h"

struct row {
    uint32_t channels, inputs, outputs;
    bool fits;
    struct graph_fit fit;
};

static const struct row rows[] = {
    {2, 2, 2, true, {1, GRAPH_FIT_IN_STRAIGHT, GRAPH_FIT_OUT_STRAIGHT}},
    {1, 1, 1, true, {1, GRAPH_FIT_IN_STRAIGHT, GRAPH_FIT_OUT_STRAIGHT}},
    {2, 1, 1, true, {2, GRAPH_FIT_IN_STRAIGHT, GRAPH_FIT_OUT_STRAIGHT}},
    {16, 1, 1, true, {16, GRAPH_FIT_IN_STRAIGHT, GRAPH_FIT_OUT_STRAIGHT}},
    {2, 0, 2, true, {1, GRAPH_FIT_IN_NONE, GRAPH_FIT_OUT_STRAIGHT}},
    {2, 0, 1, true, {1, GRAPH_FIT_IN_NONE, GRAPH_FIT_OUT_SPREAD}},
    {1, 0, 2, true, {1, GRAPH_FIT_IN_NONE, GRAPH_FIT_OUT_MEAN}},
    {2, 0, 8, true, {1, GRAPH_FIT_IN_NONE, GRAPH_FIT_OUT_STRAIGHT}},
    {2, 2, 0, true, {1, GRAPH_FIT_IN_STRAIGHT, GRAPH_FIT_OUT_PASS}},
    {2, 0, 0, true, {1, GRAPH_FIT_IN_NONE, GRAPH_FIT_OUT_PASS}},
    {1, 2, 2, true, {1, GRAPH_FIT_IN_SPREAD, GRAPH_FIT_OUT_MEAN}},
    {2, 1, 2, true, {1, GRAPH_FIT_IN_MEAN, GRAPH_FIT_OUT_STRAIGHT}},
    {2, 2, 1, true, {1, GRAPH_FIT_IN_STRAIGHT, GRAPH_FIT_OUT_SPREAD}},
    {2, 8, 8, true, {1, GRAPH_FIT_IN_STRAIGHT, GRAPH_FIT_OUT_STRAIGHT}},
    {1, 1, 4, true, {1, GRAPH_FIT_IN_STRAIGHT, GRAPH_FIT_OUT_STRAIGHT}},
    {6, 2, 2, false, {0, GRAPH_FIT_IN_NONE, GRAPH_FIT_OUT_PASS}},
    {6, 6, 2, false, {0, GRAPH_FIT_IN_NONE, GRAPH_FIT_OUT_PASS}},
    {6, 0, 2, false, {0, GRAPH_FIT_IN_NONE, GRAPH_FIT_OUT_PASS}},
};

START_TEST(rows_of_the_table)
{
    const struct row *row = &rows[_i];
    struct graph_fit fit = {.copies = 77};
    ck_assert(graph_fit_plugin(row->channels, row->inputs, row->outputs, &fit) == row->fits);
    if (!row->fits) {
        ck_assert_uint_eq(fit.copies, 77);
        return;
    }
    ck_assert_uint_eq(fit.copies, row->fit.copies);
    ck_assert_int_eq(fit.in, row->fit.in);
    ck_assert_int_eq(fit.out, row->fit.out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fit");
    TCase *test = tcase_create("fit");
    tcase_add_loop_test(test, rows_of_the_table, 0, sizeof rows / sizeof *rows);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
