/* SPDX-License-Identifier: MIT */
/* Composing a child's arguments and environment. */
#include "engine/instance/launch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HANG_MS UINT32_C(30000)
#define MEMORY_LEAST (UINT64_C(4) << 30)
#define FIXED_ARGUMENTS 8 /* program, --instance, --no-jail, --memory N, --scratch PATH, and the end */
#define NUMBER_SIZE 24

extern char **environ;

/* What the child sees of our environment: libraries take settings from theirs (libsoxr its SOXR_ ones, say), which
   would change the sound. Left are the loader's, the C library's and the sanitizers', and where plugins are. */
static bool is_for_child(const char *variable)
{
    static const char *const prefixes[] = {
        "LOOPHOLE_",     "LD_LIBRARY_PATH=", "LD_PRELOAD=",   "GLIBC_TUNABLES=", "LV2_PATH=",
        "ASAN_OPTIONS=", "LSAN_OPTIONS=",    "TSAN_OPTIONS=", "UBSAN_OPTIONS=",
    };
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Set for every child. Its folder stands for everything that a program expects of a user's home. */
static const struct setting {
    const char *name;
    const char *value; /* NULL: the scratch folder */
} settings[] = {
    {"HOME", NULL},
    {"TMPDIR", NULL},
    {"XDG_CONFIG_HOME", NULL},
    {"XDG_DATA_HOME", NULL},
    {"XDG_CACHE_HOME", NULL},
    {"XDG_STATE_HOME", NULL},
    {"XDG_RUNTIME_DIR", NULL},
    {"QT_QPA_PLATFORM", "offscreen"},
    {"LC_ALL", "C"},
    {"TZ", "UTC"},
};
#define SETTINGS (sizeof settings / sizeof *settings)

struct environment {
    char **variables;
    size_t count;
};

/* The first of two with one name holds. */
static void put(struct environment *environment, char *variable)
{
    size_t name = strcspn(variable, "=");
    for (size_t i = 0; i < environment->count; i++) {
        if (strncmp(environment->variables[i], variable, name) == 0 && environment->variables[i][name] == '=') {
            return;
        }
    }
    environment->variables[environment->count++] = variable;
}

static enum lh_status compose_environment(const struct engine_instance_options *options, const char *scratch,
                                          struct lh_arena *arena, char *const **variables)
{
    size_t ours = 0;
    while (environ != NULL && environ[ours] != NULL) {
        ours++;
    }
    struct environment environment = {
        .variables = lh_arena_array(arena, options->environment_count + SETTINGS + ours + 1, sizeof(char *))};
    if (environment.variables == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < options->environment_count; i++) {
        put(&environment, (char *)(uintptr_t)options->environment[i]);
    }
    for (size_t i = 0; i < SETTINGS; i++) {
        const char *value = settings[i].value != NULL ? settings[i].value : *scratch != '\0' ? scratch : "/nonexistent";
        size_t size = strlen(settings[i].name) + strlen(value) + 2;
        char *variable = lh_arena_alloc(arena, size);
        if (variable == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        snprintf(variable, size, "%s=%s", settings[i].name, value);
        put(&environment, variable);
    }
    for (size_t i = 0; i < ours; i++) {
        if (is_for_child(environ[i])) {
            put(&environment, environ[i]);
        }
    }
    *variables = environment.variables;
    return LH_OK;
}

static enum lh_status compose_arguments(const struct engine_instance_options *options, const char *program,
                                        const char *scratch, uint64_t memory_bytes, struct lh_arena *arena,
                                        char *const **arguments)
{
    const char **made = lh_arena_array(arena, FIXED_ARGUMENTS + 2 * options->readable_count, sizeof *made);
    char *memory = lh_arena_alloc(arena, NUMBER_SIZE);
    if (made == NULL || memory == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    snprintf(memory, NUMBER_SIZE, "%" PRIu64, memory_bytes);
    size_t count = 0;
    made[count++] = program;
    made[count++] = "--instance";
    if (options->no_jail) {
        made[count++] = "--no-jail";
    }
    if (memory_bytes > 0) {
        made[count++] = "--memory";
        made[count++] = memory;
    }
    if (*scratch != '\0') {
        made[count++] = "--scratch";
        made[count++] = scratch;
    }
    for (size_t i = 0; i < options->readable_count; i++) {
        made[count++] = "--read";
        made[count++] = options->readable[i];
    }
    *arguments = (char *const *)(uintptr_t)made;
    return LH_OK;
}

static uint64_t usual_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long size = sysconf(_SC_PAGESIZE);
    uint64_t all = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
    uint64_t most = all / 4 * 3;
    return most > MEMORY_LEAST ? most : MEMORY_LEAST;
}

/* LOOPHOLE_HANG_MS, for those who debug a plugin and for tests; anything but a number is the usual time. */
static uint32_t usual_hang_ms(void)
{
    const char *text = getenv("LOOPHOLE_HANG_MS");
    if (text == NULL || *text < '0' || *text > '9') {
        return HANG_MS;
    }
    errno = 0;
    unsigned long value = strtoul(text, NULL, 10);
    return errno == 0 && value > 0 && value <= UINT32_MAX ? (uint32_t)value : HANG_MS;
}

enum lh_status engine_launch_compose(const struct engine_instance_options *options, const char *program,
                                     const char *scratch, struct lh_arena *arena, struct engine_launch *launch)
{
    struct engine_launch made = {.program = program};
    made.hang_ms = options->hang_ms > 0 ? options->hang_ms : usual_hang_ms();
    if (options->memory_bytes > 0) {
        made.memory_bytes = options->memory_bytes;
    } else {
        made.memory_bytes = options->no_jail ? 0 : usual_memory();
    }
    enum lh_status status = compose_arguments(options, program, scratch, made.memory_bytes, arena, &made.arguments);
    status = status == LH_OK ? compose_environment(options, scratch, arena, &made.environment) : status;
    if (status == LH_OK) {
        *launch = made;
    }
    return status;
}
