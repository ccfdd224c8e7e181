/* SPDX-License-Identifier: MIT */
/* Frames that were stored on the way, and what was learned. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cache_files.h"

#define BOOT_SIZE 64
#define FACTS_SIZE (2 * LH_DIGEST_TEXT_SIZE + BOOT_SIZE + 4)
#define COSTS_SIZE_MAX (1u << 20)
#define LATENCY_SIZE 16

/* What is told of stored frames. */
struct stored_facts {
    struct lh_digest digest, identity;
    char boot[BOOT_SIZE];
};

/* Which start of the machine this is: a power cut can leave a file with its name and size, but not its bytes. */
static void name_boot(char boot[BOOT_SIZE])
{
    size_t length = cli_cache_read("/proc/sys/kernel/random/boot_id", boot, BOOT_SIZE - 1);
    boot[length] = '\0';
    boot[strcspn(boot, "\n")] = '\0';
}

/* False: there are none, or they make no sense. */
static bool read_facts(const char *path, struct stored_facts *facts)
{
    char text[FACTS_SIZE + 1], digest[LH_DIGEST_TEXT_SIZE], identity[LH_DIGEST_TEXT_SIZE];
    text[cli_cache_read(path, text, FACTS_SIZE)] = '\0';
    return sscanf(text, "%71s %71s %63s", digest, identity, facts->boot) == 3 &&
           lh_digest_parse(digest, &facts->digest) && lh_digest_parse(identity, &facts->identity);
}

static enum lh_status write_facts(struct lh_arena *arena, const char *path, const struct stored_facts *facts,
                                  struct lh_error *error)
{
    char text[FACTS_SIZE], digest[LH_DIGEST_TEXT_SIZE], identity[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(&facts->digest, digest);
    lh_digest_text(&facts->identity, identity);
    int length = snprintf(text, sizeof text, "%s\n%s\n%s\n", digest, identity, facts->boot);
    return cli_cache_write(arena, path, text, (size_t)length, error);
}

/* The open file is what it was when its digest was taken, or has that digest still. */
static bool is_whole(struct lh_arena *arena, int fd, const char *facts_path, uint64_t size)
{
    struct stored_facts told, now;
    struct stat info;
    if (!read_facts(facts_path, &told) || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) ||
        (uint64_t)info.st_size != size || cli_cache_identity(&info, &now.identity) != LH_OK) {
        return false;
    }
    name_boot(now.boot);
    if (lh_digest_equal(&told.identity, &now.identity) && strcmp(told.boot, now.boot) == 0) {
        cli_cache_touch(facts_path);
        return true;
    }
    struct lh_error ignored = LH_ERROR_INIT;
    bool same = lh_digest_file(fd, &now.digest, &ignored) == LH_OK && lh_digest_equal(&now.digest, &told.digest);
    if (same && write_facts(arena, facts_path, &now, &ignored) != LH_OK) {
        cli_cache_touch(facts_path); /* it is hashed the next time, too */
    }
    return same;
}

enum lh_status cli_cache_find_stored(struct lh_arena *arena, const struct cli_cache *cache, const struct lh_digest *key,
                                     uint64_t size, int *fd, struct lh_error *error)
{
    const char *path = cli_cache_path(arena, cache, "stored", key, "");
    const char *facts_path = cli_cache_path(arena, cache, "stored", key, ".facts");
    if (path == NULL || facts_path == NULL) {
        return lh_error_no_memory(error);
    }
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    *fd = -1;
    if (opened >= 0 && is_whole(arena, opened, facts_path, size)) {
        *fd = opened;
    } else if (opened >= 0) {
        close(opened);
    }
    return LH_OK;
}

enum lh_status cli_cache_open_stored(struct lh_arena *arena, const struct cli_cache *cache, const struct lh_digest *key,
                                     struct cli_aside *aside, struct lh_error *error)
{
    const char *path = cli_cache_path(arena, cache, "stored", key, "");
    return path != NULL ? cli_aside_open(arena, path, aside, error) : lh_error_no_memory(error);
}

/* What the file is like can only be told once it has its name: taking that changes it. */
static enum lh_status identify(const char *path, struct lh_digest *identity, struct lh_error *error)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return lh_error_set(error, LH_ERR_IO, path, "is gone from the cache");
    }
    return cli_cache_identity(&info, identity) == LH_OK ? LH_OK : lh_error_no_memory(error);
}

enum lh_status cli_cache_store_stored(struct lh_arena *arena, const struct cli_cache *cache,
                                      const struct lh_digest *key, struct cli_aside *aside, struct lh_error *error)
{
    struct stored_facts facts;
    const char *path = cli_cache_path(arena, cache, "stored", key, "");
    const char *facts_path = cli_cache_path(arena, cache, "stored", key, ".facts");
    if (path == NULL || facts_path == NULL) {
        return lh_error_no_memory(error);
    }
    name_boot(facts.boot);
    enum lh_status status = lh_digest_file(aside->fd, &facts.digest, error);
    status = status == LH_OK ? cli_aside_publish(aside, error) : status;
    status = status == LH_OK ? identify(path, &facts.identity, error) : status;
    return status == LH_OK ? write_facts(arena, facts_path, &facts, error) : status;
}

uint32_t cli_cache_find_latency(struct lh_arena *arena, const struct cli_cache *cache, const struct lh_digest *key)
{
    const char *path = cli_cache_path(arena, cache, "latencies", key, "");
    char text[LATENCY_SIZE] = "";
    uint32_t frames;
    bool there = path != NULL && cli_cache_read(path, text, sizeof text - 1) > 0;
    return there && sscanf(text, "%" SCNu32, &frames) == 1 && frames <= GRAPH_RATE_MAX * 64u ? frames : GRAPH_NONE;
}

enum lh_status cli_cache_store_latency(struct lh_arena *arena, const struct cli_cache *cache,
                                       const struct lh_digest *key, uint32_t frames, struct lh_error *error)
{
    const char *path = cli_cache_path(arena, cache, "latencies", key, "");
    char text[LATENCY_SIZE];
    int length = snprintf(text, sizeof text, "%" PRIu32 "\n", frames);
    return path != NULL ? cli_cache_write(arena, path, text, (size_t)length, error) : lh_error_no_memory(error);
}

static const char *costs_path(struct lh_arena *arena, const struct cli_cache *cache)
{
    static const char name[] = "/costs";
    size_t size = strlen(cache->folder) + sizeof name;
    char *path = lh_arena_alloc(arena, size);
    if (path != NULL) {
        snprintf(path, size, "%s%s", cache->folder, name);
    }
    return path;
}

enum lh_status cli_cache_load_costs(struct lh_arena *arena, const struct cli_cache *cache, struct pulse_costs *costs)
{
    const char *path = costs_path(arena, cache);
    char *text = malloc(COSTS_SIZE_MAX + 1);
    enum lh_status status = path != NULL && text != NULL ? LH_OK : LH_ERR_NO_MEMORY;
    if (status == LH_OK) {
        text[cli_cache_read(path, text, COSTS_SIZE_MAX)] = '\0';
    }
    char *rest = text;
    while (status == LH_OK && *rest != '\0') {
        char what[PULSE_COST_NAME_SIZE];
        double ns, weight;
        if (sscanf(rest, "%95s %lf %lf", what, &ns, &weight) == 3) {
            status = pulse_costs_set(costs, what, ns, weight);
        }
        rest += strcspn(rest, "\n");
        rest += *rest == '\n' ? 1 : 0;
    }
    free(text);
    return status;
}

enum lh_status cli_cache_store_costs(struct lh_arena *arena, const struct cli_cache *cache,
                                     const struct pulse_costs *costs, struct lh_error *error)
{
    const char *path = costs_path(arena, cache);
    struct lh_writer writer;
    lh_writer_init(&writer);
    const struct pulse_cost *cost;
    for (size_t i = 0; (cost = pulse_costs_at(costs, i)) != NULL && writer.size < COSTS_SIZE_MAX / 2; i++) {
        char line[PULSE_COST_NAME_SIZE + 64];
        int length = snprintf(line, sizeof line, "%s %.17g %.17g\n", cost->what, cost->ns, cost->weight);
        lh_writer_bytes(&writer, line, (size_t)length);
    }
    enum lh_status status = path != NULL && lh_writer_status(&writer) == LH_OK
                                ? cli_cache_write(arena, path, writer.data, writer.size, error)
                                : lh_error_no_memory(error);
    lh_writer_fini(&writer);
    return status;
}
