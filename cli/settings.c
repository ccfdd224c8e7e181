/* SPDX-License-Identifier: MIT */
/* Reads the options that render and mix share. */
#include "cli/settings.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

/* Processors that this process may use. */
static uint32_t processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > CLI_THREADS_MAX ? CLI_THREADS_MAX : (uint32_t)count;
}

const char *const cli_jail_names[] = {"on", "off", NULL};

bool cli_settings_no_jail(const struct lh_options *options)
{
    return strcmp(lh_options_text(options, "jail"), "off") == 0;
}

enum cli_progress_mode cli_settings_progress(const struct lh_options *options)
{
    const char *name = lh_options_text(options, "progress");
    for (int i = 0; cli_progress_names[i] != NULL; i++) {
        if (strcmp(cli_progress_names[i], name) == 0) {
            return (enum cli_progress_mode)i;
        }
    }
    return CLI_PROGRESS_AUTO; /* not reached: the table allows these names only */
}

void cli_settings_read(const struct lh_options *options, struct cli_request *request)
{
    request->threads =
        lh_options_given(options, "threads") ? (uint32_t)lh_options_integer(options, "threads") : processors();
    request->block = (uint32_t)lh_options_integer(options, "block");
    request->report_path = lh_options_text(options, "report");
    request->progress = cli_settings_progress(options);
    request->no_jail = cli_settings_no_jail(options);
    request->digests = lh_options_flag(options, "digests");
    const char *cache = lh_options_flag(options, "no-cache") ? NULL : lh_options_text(options, "cache");
    request->cache = cache != NULL && cache[0] != '\0' ? cache : NULL;
    request->cache_bytes = (uint64_t)(lh_options_number(options, "cache-max") * (double)(1 << 30));
}

enum lh_status cli_settings_split(struct lh_arena *arena, const char *row, const char *text, const char *equals,
                                  const char **left, const char **right, struct lh_error *error)
{
    if (equals == NULL) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "--%s %s has no =; it looks like NAME=VALUE", row, text);
    }
    const char *copy = lh_arena_strndup(arena, text, (size_t)(equals - text));
    if (copy == NULL) {
        return lh_error_no_memory(error);
    }
    *left = copy;
    *right = equals + 1;
    return LH_OK;
}

enum lh_status cli_settings_overrides(struct lh_arena *arena, const struct lh_options *options,
                                      struct pulse_override **overrides, size_t *count, struct lh_error *error)
{
    size_t given = lh_options_count(options, "set");
    struct pulse_override *items = lh_arena_array(arena, given, sizeof *items);
    if (items == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < given; i++) {
        const char *text = lh_options_at(options, "set", i)->text;
        enum lh_status status =
            cli_settings_split(arena, "set", text, strchr(text, '='), &items[i].pointer, &items[i].value, error);
        if (status != LH_OK) {
            return status;
        }
    }
    *overrides = items;
    *count = given;
    return LH_OK;
}

enum lh_status cli_settings_only(struct lh_arena *arena, const struct lh_options *options,
                                 struct pulse_compile_options *compile, struct lh_error *error)
{
    size_t count = lh_options_count(options, "deliverable");
    const char **names = lh_arena_array(arena, count, sizeof *names);
    if (names == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = lh_options_at(options, "deliverable", i)->text;
    }
    compile->only = names;
    compile->only_count = count;
    return LH_OK;
}
