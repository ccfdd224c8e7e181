/* SPDX-License-Identifier: MIT */
/* The table of a worker node's options, and what follows from them. */
#include "engine/node/settings.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 256
#define LIMIT_MAX_S 604800 /* a week */
#define MIB_SHIFT 20
#define MIB_MOST ((double)(1u << 30)) /* a pebibyte */

static const char *const jail_names[] = {"on", "off", NULL};
static const char *const log_names[] = {"error", "warning", "info", "debug", NULL};

static const struct lh_option rows[] = {
    {.name = "connect",
     .type = LH_OPTION_TEXT,
     .placeholder = "ENDPOINT",
     .variable = "LOOPHOLE_PULSE_ENDPOINT",
     .help = "Where Pulse listens for workers: ipc:///FOLDER/run/workers.ipc or tcp://HOST:PORT"},
    {.name = "name",
     .type = LH_OPTION_TEXT,
     .placeholder = "NAME",
     .variable = "LOOPHOLE_NODE_NAME",
     .help =
         "What this node is called, unlike any other: letters, digits, '_', '.' and '-'. Standard: the host's name"},
    {.name = "slots",
     .type = LH_OPTION_INTEGER,
     .placeholder = "N",
     .variable = "LOOPHOLE_NODE_SLOTS",
     .minimum = 1,
     .maximum = ENGINE_NODE_SLOTS_MAX,
     .help = "Shards at once. Standard: one for each processor"},
    {.name = "threads",
     .type = LH_OPTION_INTEGER,
     .placeholder = "N",
     .variable = "LOOPHOLE_NODE_THREADS",
     .minimum = 1,
     .maximum = THREADS_MAX,
     .standard = "1",
     .help = "Threads that each shard is rendered with"},
    {.name = "tag",
     .type = LH_OPTION_TEXT,
     .placeholder = "TAG",
     .repeatable = true,
     .help = "Something that shards may ask of a worker"},
    {.name = "cache",
     .type = LH_OPTION_TEXT,
     .placeholder = "DIR",
     .variable = "LOOPHOLE_NODE_CACHE",
     .help = "Folder for media that were fetched and for work under way. Standard: ~/.cache/loophole/node"},
    {.name = "cache-max",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MIB",
     .variable = "LOOPHOLE_NODE_CACHE_MAX",
     .minimum = 1,
     .maximum = MIB_MOST,
     .standard = "20480",
     .help = "Mebibytes of media that are kept; what was not used for longest goes first"},
    {.name = "free-min",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MIB",
     .variable = "LOOPHOLE_NODE_FREE_MIN",
     .minimum = 0,
     .maximum = MIB_MOST,
     .standard = "256",
     .help = "Mebibytes of the disk that stay free: with less no work is taken"},
    {.name = "keys",
     .type = LH_OPTION_TEXT,
     .placeholder = "FILE",
     .variable = "LOOPHOLE_NODE_KEYS",
     .help = "File of this node's CURVE keys, made if it is not there; needed for tcp"},
    {.name = "server-key",
     .type = LH_OPTION_TEXT,
     .placeholder = "KEY",
     .variable = "LOOPHOLE_SERVER_KEY",
     .help = "Pulse's public key, or the name of a file that holds it; needed for tcp"},
    {.name = "jail",
     .type = LH_OPTION_TEXT,
     .placeholder = "WHETHER",
     .choices = jail_names,
     .standard = "on",
     .help = "Plugins and media are run where they can do no harm; off is for debugging them"},
    {.name = "hang-ms",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MS",
     .variable = "LOOPHOLE_HANG_MS",
     .minimum = 1,
     .maximum = 3600000,
     .help = "A call into a plugin that takes longer is a hang. Standard: 30000"},
    {.name = "no-progress-s",
     .type = LH_OPTION_INTEGER,
     .placeholder = "S",
     .minimum = 1,
     .maximum = LIMIT_MAX_S,
     .standard = "120",
     .help = "A shard that does not get on for so long has failed here; Pulse may say less"},
    {.name = "hard-s",
     .type = LH_OPTION_INTEGER,
     .placeholder = "S",
     .minimum = 1,
     .maximum = LIMIT_MAX_S,
     .standard = "604800",
     .help = "A shard that takes longer has failed here; Pulse may say less"},
    {.name = "memory-max",
     .type = LH_OPTION_INTEGER,
     .placeholder = "MIB",
     .variable = "LOOPHOLE_NODE_MEMORY_MAX",
     .minimum = 0,
     .maximum = MIB_MOST,
     .standard = "0",
     .help = "Most address space of an instance, in mebibytes; Pulse may say less. 0: three quarters of the machine's "
             "memory, at least 4096"},
    {.name = "look-s",
     .type = LH_OPTION_INTEGER,
     .placeholder = "S",
     .minimum = 1,
     .maximum = 86400,
     .standard = "60",
     .help = "Seconds between two looks at which plugins are installed"},
    {.name = "log",
     .type = LH_OPTION_TEXT,
     .placeholder = "LEVEL",
     .variable = "LOOPHOLE_LOG",
     .choices = log_names,
     .standard = "info",
     .help = "What is told on standard error: error, warning, info or debug"},
};

const struct lh_option_table engine_node_options = {
    .usage = "[options]",
    .summary = "A worker node of a Loophole farm: takes shards from Pulse and has them rendered by signal instances.\n"
               "SIGTERM lets it finish what it holds; a second one hands it back.",
    .rows = rows,
    .count = sizeof rows / sizeof *rows,
    .operands_min = 0,
    .operands_max = 0,
};

/* Processors that this process may use. */
static uint32_t processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > ENGINE_NODE_SLOTS_MAX ? ENGINE_NODE_SLOTS_MAX : (uint32_t)count;
}

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '-' || byte == '.';
}

static bool is_name(const char *text)
{
    size_t length = strlen(text);
    bool good = length > 0 && length < ENGINE_NODE_NAME_SIZE && *text != '.';
    for (size_t i = 0; good && i < length; i++) {
        good = is_name_byte(text[i]);
    }
    return good;
}

static enum lh_status read_name(const char *given, struct engine_node_settings *settings, struct lh_error *error)
{
    if (given != NULL) {
        if (!is_name(given)) {
            return lh_error_set(error, LH_ERR_USAGE, "--name",
                                "a name has 1 to 64 letters, digits, '_', '.' and '-', and no '.' in front");
        }
        snprintf(settings->name, sizeof settings->name, "%s", given);
        return LH_OK;
    }
    char host[HOST_NAME_MAX + 1] = "";
    (void)gethostname(host, sizeof host - 1);
    snprintf(settings->name, sizeof settings->name, "%.64s", host[0] != '\0' && host[0] != '.' ? host : "node");
    for (char *at = settings->name; *at != '\0'; at++) {
        *at = is_name_byte(*at) ? *at : '-';
    }
    return LH_OK;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum lh_status read_tags(struct lh_arena *arena, const struct lh_options *options,
                                struct engine_node_settings *settings, struct lh_error *error)
{
    size_t count = lh_options_count(options, "tag");
    if (count > ENGINE_NODE_TAGS_MAX) {
        return lh_error_set(error, LH_ERR_USAGE, "--tag", "a node has at most %d tags", ENGINE_NODE_TAGS_MAX);
    }
    settings->tags = lh_arena_array(arena, count, sizeof *settings->tags);
    if (settings->tags == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        settings->tags[i] = lh_options_at(options, "tag", i)->text;
        if (!is_name(settings->tags[i])) {
            return lh_error_set(error, LH_ERR_USAGE, "--tag", "%s: a tag looks like a node's name", settings->tags[i]);
        }
    }
    qsort(settings->tags, count, sizeof *settings->tags, compare_texts);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(settings->tags[i], settings->tags[settings->tag_count - 1]) != 0) {
            settings->tags[settings->tag_count++] = settings->tags[i];
        }
    }
    return LH_OK;
}

static const char *join(struct lh_arena *arena, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = lh_arena_alloc(arena, size);
    if (path != NULL) {
        snprintf(path, size, "%s/%s", folder, name);
    }
    return path;
}

static enum lh_status read_cache(struct lh_arena *arena, const char *given, struct engine_node_settings *settings,
                                 struct lh_error *error)
{
    const char *cache_home = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (given != NULL && *given != '\0') {
        char *here = *given == '/' ? NULL : getcwd(NULL, 0);
        settings->cache = *given == '/' ? given : here != NULL ? join(arena, here, given) : NULL;
        free(here);
    } else if (cache_home != NULL && *cache_home == '/') {
        settings->cache = join(arena, cache_home, "loophole/node");
    } else if (home != NULL && *home == '/') {
        settings->cache = join(arena, home, ".cache/loophole/node");
    } else {
        return lh_error_set(error, LH_ERR_USAGE, "--cache",
                            "there is no folder for work under way: HOME is not set, so name one");
    }
    return settings->cache != NULL ? LH_OK : lh_error_no_memory(error);
}

static enum lh_status check_endpoint(const struct engine_node_settings *settings, struct lh_error *error)
{
    if (settings->endpoint == NULL || *settings->endpoint == '\0') {
        return lh_error_set(error, LH_ERR_USAGE, "--connect", "say where Pulse listens for workers");
    }
    if (strncmp(settings->endpoint, "tcp://", 6) == 0 && (settings->keys == NULL || settings->server_key == NULL)) {
        return lh_error_set(error, LH_ERR_USAGE, "--connect", "tcp needs --keys and --server-key");
    }
    return LH_OK;
}

enum lh_status engine_node_settings_read(struct lh_arena *arena, const struct lh_options *options,
                                         struct engine_node_settings *settings, struct lh_error *error)
{
    struct engine_node_settings read = {
        .endpoint = lh_options_text(options, "connect"),
        .slots =
            lh_options_text(options, "slots") != NULL ? (uint32_t)lh_options_integer(options, "slots") : processors(),
        .threads = (uint32_t)lh_options_integer(options, "threads"),
        .cache_bytes = (uint64_t)lh_options_integer(options, "cache-max") << MIB_SHIFT,
        .free_bytes = (uint64_t)lh_options_integer(options, "free-min") << MIB_SHIFT,
        .keys = lh_options_text(options, "keys"),
        .server_key = lh_options_text(options, "server-key"),
        .no_jail = strcmp(lh_options_text(options, "jail"), "off") == 0,
        .hang_ms = (uint32_t)lh_options_integer(options, "hang-ms"),
        .no_progress_ms = (uint32_t)lh_options_integer(options, "no-progress-s") * 1000,
        .hard_ms = (uint32_t)lh_options_integer(options, "hard-s") * 1000,
        .memory_bytes = (uint64_t)lh_options_integer(options, "memory-max") << MIB_SHIFT,
        .look_s = (uint32_t)lh_options_integer(options, "look-s"),
    };
    (void)lh_log_level_parse(lh_options_text(options, "log"), &read.log); /* the table allows its names only */
    enum lh_status status = check_endpoint(&read, error);
    status = status == LH_OK ? read_name(lh_options_text(options, "name"), &read, error) : status;
    status = status == LH_OK ? read_tags(arena, options, &read, error) : status;
    status = status == LH_OK ? read_cache(arena, lh_options_text(options, "cache"), &read, error) : status;
    if (status == LH_OK) {
        *settings = read;
    }
    return status;
}
