/* SPDX-License-Identifier: MIT */
/* pread() and pwrite() until all is done. */
#include "common/base/file.h"

#include <errno.h>
#include <unistd.h>

int lh_file_read_some_at(int fd, void *data, size_t size, uint64_t offset, size_t *done)
{
    uint8_t *bytes = data;
    *done = 0;
    while (*done < size) {
        ssize_t got = pread(fd, bytes + *done, size - *done, (off_t)(offset + *done));
        if (got == 0) {
            break;
        }
        if (got > 0) {
            *done += (size_t)got;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int lh_file_read_at(int fd, void *data, size_t size, uint64_t offset)
{
    size_t done;
    int cause = lh_file_read_some_at(fd, data, size, offset, &done);
    return cause == 0 && done < size ? EIO : cause;
}

int lh_file_write_at(int fd, const void *data, size_t size, uint64_t offset)
{
    const uint8_t *bytes = data;
    size_t done = 0;
    while (done < size) {
        ssize_t put = pwrite(fd, bytes + done, size - done, (off_t)(offset + done));
        if (put == 0) {
            return ENOSPC;
        }
        if (put > 0) {
            done += (size_t)put;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}
