/* SPDX-License-Identifier: MIT */
/* The cache folder. */
#include "cli/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/aside.h"
#include "cli/cache_files.h"
#include "common/base/bytes.h"
#include "common/base/file.h"
#include "engine/instance/delivery.h"

#define FOLDER_MODE 0777 /* before the umask */
#define FACTS_SIZE_MAX 4096
#define COPY_SIZE ((size_t)1 << 30) /* in one call */
#define HEX_OFFSET 7                /* behind "sha256:" */
#define SETTLED_SECONDS 2 /* a file that changed more recently may change again within one tick of its clock */

static enum lh_status make_folder(struct lh_arena *arena, const char *folder, const char *name, struct lh_error *error)
{
    size_t size = strlen(folder) + strlen(name) + 1;
    char *path = lh_arena_alloc(arena, size);
    if (path == NULL) {
        return lh_error_no_memory(error);
    }
    snprintf(path, size, "%s%s", folder, name);
    if (mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST) {
        return lh_error_set(error, LH_ERR_IO, path, "the cache's folder cannot be made: %s", strerror(errno));
    }
    return LH_OK;
}

const char *cli_cache_standard(struct lh_arena *arena)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *below;
    const char *folder = cache != NULL && cache[0] == '/' ? cache : home;
    if (folder == NULL || folder[0] != '/') {
        return NULL;
    }
    below = folder == cache ? "loophole" : ".cache/loophole";
    size_t size = strlen(folder) + strlen(below) + sizeof "/";
    char *path = lh_arena_alloc(arena, size);
    if (path != NULL) {
        snprintf(path, size, "%s/%s", folder, below);
    }
    return path;
}

enum lh_status cli_cache_open(struct lh_arena *arena, const char *folder, struct cli_cache *cache,
                              struct lh_error *error)
{
    static const char *const folders[] = {"", "/deliverables", "/conformed", "/stored", "/sources", "/latencies"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        enum lh_status status = make_folder(arena, folder, folders[i], error);
        if (status != LH_OK) {
            return status;
        }
    }
    *cache = (struct cli_cache){.folder = folder};
    return LH_OK;
}

const char *cli_cache_path(struct lh_arena *arena, const struct cli_cache *cache, const char *kind,
                           const struct lh_digest *key, const char *suffix)
{
    char hex[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(key, hex);
    size_t size = strlen(cache->folder) + strlen(kind) + sizeof hex + strlen(suffix) + 3;
    char *path = lh_arena_alloc(arena, size);
    if (path != NULL) {
        snprintf(path, size, "%s/%s/%s%s", cache->folder, kind, hex + HEX_OFFSET, suffix);
    }
    return path;
}

size_t cli_cache_read(const char *path, void *data, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t length = read(fd, data, size);
    close(fd);
    return length > 0 ? (size_t)length : 0;
}

enum lh_status cli_cache_write(struct lh_arena *arena, const char *path, const void *data, size_t size,
                               struct lh_error *error)
{
    struct cli_aside aside = CLI_ASIDE_NONE;
    enum lh_status status = cli_aside_open(arena, path, &aside, error);
    status = status == LH_OK ? cli_aside_write(&aside, data, size, error) : status;
    status = status == LH_OK ? cli_aside_publish(&aside, error) : status;
    cli_aside_discard(&aside);
    return status;
}

enum lh_status cli_cache_identity(const struct stat *info, struct lh_digest *digest)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_writer_u64(&writer, info->st_dev);
    lh_writer_u64(&writer, info->st_ino);
    lh_writer_i64(&writer, info->st_size);
    lh_writer_i64(&writer, info->st_mtim.tv_sec);
    lh_writer_i64(&writer, info->st_mtim.tv_nsec);
    lh_writer_i64(&writer, info->st_ctim.tv_sec);
    lh_writer_i64(&writer, info->st_ctim.tv_nsec);
    enum lh_status status = lh_writer_status(&writer);
    status = status == LH_OK ? lh_digest_bytes(writer.data, writer.size, digest) : status;
    lh_writer_fini(&writer);
    return status;
}

void cli_cache_touch(const char *path)
{
    (void)utimensat(AT_FDCWD, path, NULL, 0); /* somebody else's: it counts as older than it is */
}

static enum lh_status digest_one(struct lh_arena *arena, struct cli_cache *cache, struct cli_source *source,
                                 struct lh_error *error)
{
    struct stat info;
    if (fstat(source->fd, &info) != 0) {
        return lh_error_set(error, LH_ERR_IO, source->path, "cannot be read: %s", strerror(errno));
    }
    const char *path = cli_cache_identity(&info, &source->identity) == LH_OK
                           ? cli_cache_path(arena, cache, "sources", &source->identity, "")
                           : NULL;
    if (path == NULL) {
        return lh_error_no_memory(error);
    }
    char text[LH_DIGEST_TEXT_SIZE] = "";
    if (cli_cache_read(path, text, sizeof text - 1) == sizeof text - 1 && lh_digest_parse(text, &source->digest)) {
        source->has_digest = true;
        return LH_OK;
    }
    enum lh_status status = lh_digest_file(source->fd, &source->digest, error);
    if (status != LH_OK) {
        return status;
    }
    source->has_digest = true;
    cache->hashed_bytes += (uint64_t)info.st_size;
    if (time(NULL) - info.st_ctim.tv_sec < SETTLED_SECONDS) {
        return LH_OK;
    }
    lh_digest_text(&source->digest, text);
    return cli_cache_write(arena, path, text, strlen(text), error);
}

enum lh_status cli_cache_digest(struct lh_arena *arena, struct cli_cache *cache, struct cli_sources *sources,
                                struct lh_error *error)
{
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < sources->count; i++) {
        if (sources->items[i].fd >= 0 && !sources->items[i].has_digest) {
            status = digest_one(arena, cache, &sources->items[i], error);
        }
    }
    return status;
}

bool cli_cache_unchanged(const struct cli_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        struct stat info;
        struct lh_digest now;
        const struct cli_source *source = &sources->items[i];
        if (source->fd >= 0 && (fstat(source->fd, &info) != 0 || cli_cache_identity(&info, &now) != LH_OK ||
                                !lh_digest_equal(&now, &source->identity))) {
            return false;
        }
    }
    return true;
}

enum lh_status cli_cache_find(struct lh_arena *arena, const struct cli_cache *cache, const struct lh_digest *key,
                              bool report, int *fd, struct engine_delivered *delivered, struct lh_error *error)
{
    const char *path = cli_cache_path(arena, cache, "deliverables", key, "");
    const char *facts_path = cli_cache_path(arena, cache, "deliverables", key, ".facts");
    if (path == NULL || facts_path == NULL) {
        return lh_error_no_memory(error);
    }
    uint8_t bytes[FACTS_SIZE_MAX];
    struct engine_delivered facts;
    struct lh_digest told, found;
    *fd = -1;
    if (engine_delivery_read(bytes, cli_cache_read(facts_path, bytes, sizeof bytes), &facts, &told) != LH_OK ||
        (report && !(facts.has_loudness && facts.file.has_samples))) {
        return LH_OK;
    }
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (opened < 0) {
        return LH_OK;
    }
    bool whole = fstat(opened, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size == facts.file.bytes;
    enum lh_status status = whole ? lh_digest_file(opened, &found, error) : LH_OK;
    if (status != LH_OK || !whole || !lh_digest_equal(&found, &told)) {
        close(opened);
        return status; /* damaged: as if it were not there */
    }
    cli_cache_touch(facts_path);
    *fd = opened;
    *delivered = facts;
    return LH_OK;
}

/* `size` bytes at `offset`, or all until the end if there are fewer, to the beginning of `to`. */
static enum lh_status copy_range(int from, off_t offset, uint64_t size, int to, const char *where,
                                 struct lh_error *error)
{
    off_t in = offset, out = 0;
    while ((uint64_t)out < size) {
        uint64_t left = size - (uint64_t)out;
        ssize_t copied = copy_file_range(from, &in, to, &out, left < COPY_SIZE ? (size_t)left : COPY_SIZE, 0);
        if (copied == 0) {
            return LH_OK;
        }
        if (copied < 0 && errno != EINTR) {
            break;
        }
    }
    /* Two file systems that cannot copy between each other: by hand, on from where that ended. */
    static char buffer[1 << 16];
    while ((uint64_t)out < size) {
        uint64_t left = size - (uint64_t)out;
        size_t length;
        int code = lh_file_read_some_at(from, buffer, left < sizeof buffer ? (size_t)left : sizeof buffer, (uint64_t)in,
                                        &length);
        if (code == 0 && length == 0) {
            return LH_OK;
        }
        code = code == 0 ? lh_file_write_at(to, buffer, length, (uint64_t)out) : code;
        if (code != 0) {
            return lh_error_set(error, LH_ERR_IO, where, "cannot be written: %s", strerror(code));
        }
        in += (off_t)length;
        out += (off_t)length;
    }
    return LH_OK;
}

enum lh_status cli_copy(int from, int to, const char *where, struct lh_error *error)
{
    return ioctl(to, FICLONE, from) == 0 ? LH_OK : copy_range(from, 0, UINT64_MAX, to, where, error);
}

enum lh_status cli_cache_store(struct lh_arena *arena, const struct cli_cache *cache, const struct lh_digest *key,
                               int fd, const struct engine_delivered *delivered, struct lh_error *error)
{
    const char *path = cli_cache_path(arena, cache, "deliverables", key, "");
    const char *facts_path = cli_cache_path(arena, cache, "deliverables", key, ".facts");
    if (path == NULL || facts_path == NULL) {
        return lh_error_no_memory(error);
    }
    struct lh_digest digest;
    struct lh_writer writer;
    lh_writer_init(&writer);
    enum lh_status status = lh_digest_file(fd, &digest, error);
    if (status == LH_OK) {
        engine_delivery_write(&writer, delivered, &digest);
        status = lh_writer_status(&writer) == LH_OK ? LH_OK : lh_error_no_memory(error);
    }
    struct cli_aside aside = CLI_ASIDE_NONE;
    status = status == LH_OK ? cli_aside_open(arena, path, &aside, error) : status;
    status = status == LH_OK ? cli_copy(fd, aside.fd, path, error) : status;
    status = status == LH_OK ? cli_aside_sync(&aside, error) : status;
    status = status == LH_OK ? cli_aside_publish(&aside, error) : status;
    /* The facts come last: an entry is there when they are. */
    status = status == LH_OK ? cli_cache_write(arena, facts_path, writer.data, writer.size, error) : status;
    cli_aside_discard(&aside);
    lh_writer_fini(&writer);
    return status;
}

enum lh_status cli_cache_find_conformed(struct lh_arena *arena, const struct cli_cache *cache,
                                        const struct lh_digest *key, uint64_t size, int *fd, struct lh_error *error)
{
    const char *path = cli_cache_path(arena, cache, "conformed", key, "");
    const char *digest_path = cli_cache_path(arena, cache, "conformed", key, ".digest");
    if (path == NULL || digest_path == NULL) {
        return lh_error_no_memory(error);
    }
    *fd = -1;
    char text[LH_DIGEST_TEXT_SIZE] = "";
    struct lh_digest told, found;
    if (cli_cache_read(digest_path, text, sizeof text - 1) != sizeof text - 1 || !lh_digest_parse(text, &told)) {
        return LH_OK;
    }
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0) {
        return LH_OK;
    }
    struct stat info;
    bool there = fstat(opened, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size == size;
    enum lh_status status = there ? lh_digest_file(opened, &found, error) : LH_OK;
    if (there && status == LH_OK && lh_digest_equal(&found, &told)) {
        cli_cache_touch(digest_path);
        *fd = opened;
        return LH_OK;
    }
    close(opened);
    return status == LH_ERR_NO_MEMORY ? status : LH_OK; /* what cannot be read is not there */
}

enum lh_status cli_cache_store_conformed(struct lh_arena *arena, const struct cli_cache *cache,
                                         const struct lh_digest *key, int fd, uint64_t offset, uint64_t size,
                                         struct lh_error *error)
{
    const char *path = cli_cache_path(arena, cache, "conformed", key, "");
    const char *digest_path = cli_cache_path(arena, cache, "conformed", key, ".digest");
    if (path == NULL || digest_path == NULL) {
        return lh_error_no_memory(error);
    }
    struct cli_aside aside = CLI_ASIDE_NONE;
    struct lh_digest digest;
    char text[LH_DIGEST_TEXT_SIZE];
    enum lh_status status = cli_aside_open(arena, path, &aside, error);
    status = status == LH_OK ? copy_range(fd, (off_t)offset, size, aside.fd, path, error) : status;
    status = status == LH_OK ? lh_digest_file(aside.fd, &digest, error) : status;
    status = status == LH_OK ? cli_aside_publish(&aside, error) : status;
    if (status == LH_OK) {
        lh_digest_text(&digest, text);
        status = cli_cache_write(arena, digest_path, text, strlen(text), error);
    }
    cli_aside_discard(&aside);
    return status;
}
