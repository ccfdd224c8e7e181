/* SPDX-License-Identifier: MIT */
/* Checks project files and prints what the loader says, one line a fault: file, status, pointer and message between
   tabs. A file without fault gives one line with "done"; with --write its canonical text goes to <file>.written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/project/load.h"

static bool write_back(const struct pulse_project *project, const char *path)
{
    char name[4096];
    struct lh_writer writer;
    lh_writer_init(&writer);
    snprintf(name, sizeof name, "%s.written", path);
    FILE *file = pulse_project_write(project, &writer) == LH_OK ? fopen(name, "wb") : NULL;
    bool good = file != NULL && fwrite(writer.data, 1, writer.size, file) == writer.size;
    good = file != NULL && fclose(file) == 0 && good;
    lh_writer_fini(&writer);
    return good;
}

static bool check(const char *path, bool write)
{
    struct lh_arena arena;
    struct lh_faults faults;
    struct pulse_project *project = NULL;
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    enum lh_status status = pulse_project_load(path, NULL, 0, &faults, &project);
    for (size_t i = 0; i < faults.stored; i++) {
        printf("%s\t%s\t%s\t%s\n", path, lh_status_text(status), faults.items[i].where, faults.items[i].message);
    }
    bool good = true;
    if (status == LH_OK) {
        printf("%s\tdone\t\t\n", path);
        good = !write || write_back(project, path);
    }
    pulse_project_free(project);
    lh_arena_fini(&arena);
    return good;
}

int main(int count, char **arguments)
{
    bool write = count > 1 && strcmp(arguments[1], "--write") == 0;
    bool good = true;
    for (int i = write ? 2 : 1; i < count; i++) {
        good = check(arguments[i], write) && good;
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
