/* SPDX-License-Identifier: MIT */
/* Raw frames on disk. They are read in strides and written in blocks, both large enough to be cheap without a buffer in
   between. */
#include "engine/io/stored.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "frames are stored as they lie in memory");

static uint64_t frame_bytes(const struct graph_stored *stored)
{
    return stored->channels * (stored->sum ? sizeof(int64_t) : sizeof(float));
}

uint64_t engine_stored_size(const struct graph_stored *stored)
{
    return (uint64_t)stored->frames * frame_bytes(stored);
}

enum lh_status engine_stored_check(int fd, const struct graph_stored *stored, struct lh_error *error)
{
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        return lh_error_set(error, LH_ERR_IO, NULL, "its stored frames cannot be read: %s",
                            strerror(fd < 0 ? EBADF : errno));
    }
    if (!S_ISREG(info.st_mode) || (uint64_t)info.st_size != engine_stored_size(stored)) {
        return lh_error_set(error, LH_ERR_IO, NULL, "its stored frames have another size");
    }
    return LH_OK;
}

enum lh_status engine_stored_read(int fd, const struct graph_stored *stored, int64_t from, size_t frames, void *out,
                                  struct lh_error *error)
{
    int64_t end = stored->begin + stored->frames;
    if (from < stored->begin || from > end || (uint64_t)(end - from) < frames) {
        return lh_error_set(error, LH_ERR_FAULT, NULL,
                            "%zu frames from %lld on are asked for, of which %lld to %lld were stored", frames,
                            (long long)from, (long long)stored->begin, (long long)end);
    }
    uint64_t bytes = frame_bytes(stored);
    int cause = lh_file_read_at(fd, out, frames * bytes, (uint64_t)(from - stored->begin) * bytes);
    return cause == 0 ? LH_OK
                      : lh_error_set(error, LH_ERR_IO, NULL, "its stored frames cannot be read: %s", strerror(cause));
}

enum lh_status engine_stored_write(int fd, const void *in, size_t bytes, uint64_t offset, struct lh_error *error)
{
    int cause = lh_file_write_at(fd, in, bytes, offset);
    if (cause == 0) {
        return LH_OK;
    }
    bool full = cause == ENOSPC || cause == EDQUOT;
    return lh_error_set(error, LH_ERR_IO, NULL, "frames cannot be stored: %s%s", strerror(cause),
                        full ? ": the disk is full" : "");
}
