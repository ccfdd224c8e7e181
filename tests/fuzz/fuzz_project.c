/* SPDX-License-Identifier: MIT */
/* The project reader on any bytes: it accepts or explains. What it accepts is written, read again and written again:
   the same text and the same model. */
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/project/load.h"
#include "tests/fuzz/fuzz.h"
#include "tests/pulse-daemon/project/dump.h"

/* NULL when the text is refused, and then there has to be a reason. */
static struct pulse_project *parse(const char *text, size_t size)
{
    struct lh_arena arena;
    struct lh_faults faults;
    struct pulse_project *project = NULL;
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    enum lh_status status = pulse_project_parse(text, size, NULL, NULL, 0, &faults, &project);
    if ((status == LH_OK) != (faults.count == 0) || (status == LH_OK) != (project != NULL)) {
        abort();
    }
    lh_arena_fini(&arena);
    return project;
}

static void write_text(const struct pulse_project *project, struct lh_writer *writer)
{
    lh_writer_init(writer);
    if (pulse_project_write(project, writer) != LH_OK) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pulse_project *project = parse((const char *)data, size);
    if (project == NULL) {
        return 0;
    }
    struct lh_writer first;
    struct lh_writer second;
    write_text(project, &first);
    struct pulse_project *again = parse((const char *)first.data, first.size);
    if (again == NULL) {
        abort();
    }
    write_text(again, &second);
    char *model = dump_project(project);
    char *model_again = dump_project(again);
    if (first.size != second.size || memcmp(first.data, second.data, first.size) != 0 || model == NULL ||
        model_again == NULL || strcmp(model, model_again) != 0) {
        abort();
    }
    free(model);
    free(model_again);
    lh_writer_fini(&first);
    lh_writer_fini(&second);
    pulse_project_free(project);
    pulse_project_free(again);
    return 0;
}
