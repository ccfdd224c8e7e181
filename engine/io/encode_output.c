/* SPDX-License-Identifier: MIT */
/* The encoder's way to the disk: few large positioned writes, in order, and errors that say what to do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/io/encode_backend.h"

#define BUFFER_SIZE_MAX ((size_t)128 * 1024) /* as fast as larger ones */
#define BUFFER_SIZE_MIN ((size_t)8 * 1024)
#define BUFFERS_BUDGET ((size_t)4 << 20) /* of all files of a render together: there may be hundreds of stems */

size_t engine_output_capacity(uint32_t files)
{
    size_t share = files > 0 ? BUFFERS_BUDGET / files : BUFFER_SIZE_MAX;
    return share < BUFFER_SIZE_MIN ? BUFFER_SIZE_MIN : share > BUFFER_SIZE_MAX ? BUFFER_SIZE_MAX : share;
}

enum lh_status engine_output_init(struct engine_output *output, int fd, size_t capacity, struct lh_error *error)
{
    uint8_t *buffer = malloc(capacity);
    if (buffer == NULL) {
        return lh_error_no_memory(error);
    }
    bool pipe = lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE;
    *output = (struct engine_output){.fd = fd, .pipe = pipe, .buffer = buffer, .capacity = capacity};
    return LH_OK;
}

void engine_output_fini(struct engine_output *output)
{
    free(output->buffer);
    output->buffer = NULL;
}

uint64_t engine_output_size(const struct engine_output *output)
{
    return output->offset + output->fill;
}

static enum lh_status write_error(int number, struct lh_error *error)
{
    const char *reason = strerror(number);
    if (number == ENOSPC || number == EDQUOT) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the disk is full (%s): make room and render again", reason);
    }
    if (number == EFBIG) {
        return lh_error_set(error, LH_ERR_IO, NULL,
                            "the file is larger than its file system or this process may write (%s)", reason);
    }
    return lh_error_set(error, LH_ERR_IO, NULL, "the file cannot be written (%s)", reason);
}

/* All of `data`, however the kernel cuts it. */
static enum lh_status write_all(const struct engine_output *output, uint64_t offset, const uint8_t *data, size_t size,
                                struct lh_error *error)
{
    while (size > 0) {
        ssize_t written = output->pipe ? write(output->fd, data, size) : pwrite(output->fd, data, size, (off_t)offset);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return write_error(written < 0 ? errno : ENOSPC, error);
        }
        data += written;
        size -= (size_t)written;
        offset += (uint64_t)written;
    }
    return LH_OK;
}

enum lh_status engine_output_flush(struct engine_output *output, struct lh_error *error)
{
    enum lh_status status = write_all(output, output->offset, output->buffer, output->fill, error);
    if (status != LH_OK) {
        return status;
    }
    output->offset += output->fill;
    output->fill = 0;
    return LH_OK;
}

enum lh_status engine_output_append(struct engine_output *output, const void *data, size_t size, struct lh_error *error)
{
    const uint8_t *bytes = data;
    while (size > 0) {
        size_t piece = output->capacity - output->fill;
        if (piece > size) {
            piece = size;
        }
        memcpy(output->buffer + output->fill, bytes, piece);
        output->fill += piece;
        bytes += piece;
        size -= piece;
        if (output->fill == output->capacity) {
            enum lh_status status = engine_output_flush(output, error);
            if (status != LH_OK) {
                return status;
            }
        }
    }
    return LH_OK;
}

enum lh_status engine_output_patch(struct engine_output *output, uint64_t offset, const void *data, size_t size,
                                   struct lh_error *error)
{
    if (output->pipe) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, NULL,
                            "this file cannot be finished on a pipe: write it to a file");
    }
    enum lh_status status = engine_output_flush(output, error);
    if (status != LH_OK) {
        return status;
    }
    if (offset + size > output->offset) {
        return lh_error_set(error, LH_ERR_INTERNAL, NULL, "a patch past the end of the output");
    }
    return write_all(output, offset, data, size, error);
}
