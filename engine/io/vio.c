/* SPDX-License-Identifier: MIT */
/* libsndfile's virtual I/O over pread. */
#include "engine/io/vio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"

/* As many bytes as there are, up to `size`. */
static size_t read_some(struct engine_vio *vio, int64_t offset, uint8_t *out, size_t size)
{
    size_t done;
    int cause = lh_file_read_some_at(vio->fd, out, size, (uint64_t)offset, &done);
    if (vio->read_errno == 0) {
        vio->read_errno = cause;
    }
    return done;
}

enum lh_status engine_vio_init(struct engine_vio *vio, int fd, struct lh_error *error)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the file cannot be looked at: %s", strerror(errno));
    }
    if (!S_ISREG(facts.st_mode)) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "not a regular file: media must be files, not folders, pipes or devices");
    }
    if (facts.st_size == 0) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the file is empty: export or copy it again");
    }
    vio->fd = fd;
    vio->position = 0;
    vio->size = facts.st_size;
    vio->reads_left = -1;
    vio->read_errno = 0;
    vio->head_size = read_some(vio, 0, vio->head, sizeof(vio->head));
    if (vio->read_errno != 0) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the file cannot be read: %s", strerror(vio->read_errno));
    }
    return LH_OK;
}

bool engine_vio_read_at(struct engine_vio *vio, int64_t offset, void *out, size_t size)
{
    if (offset < 0 || size > (uint64_t)vio->size || offset > vio->size - (int64_t)size) {
        return false;
    }
    if ((uint64_t)offset + size <= vio->head_size) {
        memcpy(out, vio->head + offset, size);
        return true;
    }
    return read_some(vio, offset, out, size) == size;
}

static sf_count_t vio_get_size(void *user)
{
    const struct engine_vio *vio = user;
    return vio->size;
}

/* Positions outside the file are kept, as lseek() does past the end; reads there give nothing. */
static sf_count_t vio_seek(sf_count_t offset, int whence, void *user)
{
    struct engine_vio *vio = user;
    int64_t base = whence == SEEK_CUR ? vio->position : whence == SEEK_END ? vio->size : 0;
    int64_t target;
    if (__builtin_add_overflow(base, offset, &target) || target < 0) {
        return -1;
    }
    vio->position = target;
    return target;
}

static sf_count_t vio_read(void *out, sf_count_t count, void *user)
{
    struct engine_vio *vio = user;
    if (count <= 0 || vio->position >= vio->size || vio->reads_left == 0) {
        return 0;
    }
    if (vio->reads_left > 0) {
        vio->reads_left--;
    }
    int64_t left = vio->size - vio->position;
    size_t size = (size_t)(count < left ? count : left);
    size_t done = size;
    if ((uint64_t)vio->position + size <= vio->head_size) {
        memcpy(out, vio->head + vio->position, size);
    } else {
        done = read_some(vio, vio->position, out, size);
    }
    vio->position += (int64_t)done;
    return (sf_count_t)done;
}

static sf_count_t vio_tell(void *user)
{
    const struct engine_vio *vio = user;
    return vio->position;
}

/* libsndfile's sentences end with a full stop or not, and some carry a prefix; ours go on after them. */
static void copy_reason(char *out, size_t size, const char *reason)
{
    static const char prefix[] = "Error : ";
    if (strncmp(reason, prefix, sizeof(prefix) - 1) == 0) {
        reason += sizeof(prefix) - 1;
    }
    snprintf(out, size, "%s", reason);
    size_t length = strlen(out);
    while (length > 0 && (out[length - 1] == '.' || out[length - 1] == '\n' || out[length - 1] == ' ')) {
        out[--length] = '\0';
    }
}

/* Some damage comes out of libsndfile as trouble with paths or with its own state. */
static bool is_misleading(const char *reason)
{
    return strstr(reason, "nternal error") != NULL || strstr(reason, "regular file") != NULL;
}

enum lh_status engine_vio_open(struct engine_vio *vio, SNDFILE **file, SF_INFO *info, struct lh_error *error)
{
    SF_VIRTUAL_IO calls = {
        .get_filelen = vio_get_size, .seek = vio_seek, .read = vio_read, .write = NULL, .tell = vio_tell};
    SF_INFO found = {0};
    vio->position = 0;
    vio->reads_left = ENGINE_VIO_HEADER_READS;
    SNDFILE *opened = sf_open_virtual(&calls, SFM_READ, &found, vio);
    bool exhausted = vio->reads_left == 0;
    vio->reads_left = -1;
    if (opened != NULL && !exhausted) {
        *file = opened;
        *info = found;
        return LH_OK;
    }
    int code = sf_error(NULL);
    char reason[128];
    copy_reason(reason, sizeof(reason), sf_error_number(code));
    if (opened != NULL) {
        sf_close(opened);
    }
    if (vio->read_errno != 0) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the file cannot be read: %s", strerror(vio->read_errno));
    }
    if (exhausted) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the file's header has no end: it is damaged, export it again");
    }
    if (code == SF_ERR_SYSTEM) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the file cannot be opened: %s", reason);
    }
    if (is_misleading(reason)) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the file cannot be decoded: it is damaged, export it again as WAV or FLAC");
    }
    return lh_error_set(error, LH_ERR_FORMAT, NULL, "the file cannot be decoded (%s): export it again as WAV or FLAC",
                        reason);
}
