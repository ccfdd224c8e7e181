/* SPDX-License-Identifier: MIT */
/* Sound files in memory: see sounds.h. */
#include "tests/engine/io/sounds.h"

#include <check.h>
#include <sndfile.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int sounds_empty(void)
{
    int fd = memfd_create("sound", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

int sounds_from_bytes(const void *bytes, size_t size)
{
    int fd = sounds_empty();
    ck_assert_int_eq(pwrite(fd, bytes, size, 0), (ssize_t)size);
    return fd;
}

static SNDFILE *open_for_writing(int fd, int format, int rate, int channels)
{
    SF_INFO info = {.samplerate = rate, .channels = channels, .format = format};
    return sf_format_check(&info) ? sf_open_fd(fd, SFM_WRITE, &info, 0) : NULL;
}

int sounds_write(int format, int rate, int channels, const float *samples, size_t frames)
{
    int fd = sounds_empty();
    SNDFILE *file = open_for_writing(fd, format, rate, channels);
    if (file == NULL) {
        close(fd);
        return -1;
    }
    sf_command(file, SFC_SET_CLIPPING, NULL, SF_TRUE);
    ck_assert_int_eq(sf_writef_float(file, samples, (sf_count_t)frames), (sf_count_t)frames);
    ck_assert_int_eq(sf_close(file), 0);
    return fd;
}

int sounds_write_int(int format, int rate, int channels, const int32_t *samples, size_t frames)
{
    int fd = sounds_empty();
    SNDFILE *file = open_for_writing(fd, format, rate, channels);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(sf_writef_int(file, samples, (sf_count_t)frames), (sf_count_t)frames);
    ck_assert_int_eq(sf_close(file), 0);
    return fd;
}

size_t sounds_size(int fd)
{
    struct stat facts;
    ck_assert_int_eq(fstat(fd, &facts), 0);
    return (size_t)facts.st_size;
}

int sounds_cut(int fd, size_t size)
{
    uint8_t *bytes = malloc(size);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_int_eq(pread(fd, bytes, size, 0), (ssize_t)size);
    int cut = sounds_from_bytes(bytes, size);
    free(bytes);
    return cut;
}

void sounds_fill_noise(float *out, size_t count, unsigned bits, uint32_t seed)
{
    uint32_t state = seed * 2654435761u + 1;
    int32_t half = INT32_C(1) << (bits - 1);
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        out[i] = (float)((int32_t)(state >> (32 - bits)) - half) / (float)half;
    }
}
