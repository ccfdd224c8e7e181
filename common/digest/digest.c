/* SPDX-License-Identifier: MIT */
/* SHA-256 by nettle, which picks the CPU's own instructions for it. It is as fast as libcrypto, whose loading and
   setting up would take more than two milliseconds of every start. */
#include "common/digest/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#define READ_SIZE ((size_t)256 << 10)
#define TEXT_PREFIX "sha256:"
#define TEXT_PREFIX_LENGTH (sizeof TEXT_PREFIX - 1)

struct lh_hasher {
    struct sha256_ctx context;
};

enum lh_status lh_hasher_new(struct lh_hasher **hasher)
{
    struct lh_hasher *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    sha256_init(&made->context);
    *hasher = made;
    return LH_OK;
}

void lh_hasher_free(struct lh_hasher *hasher)
{
    free(hasher);
}

void lh_hasher_update(struct lh_hasher *hasher, const void *data, size_t size)
{
    if (size > 0) {
        sha256_update(&hasher->context, size, data);
    }
}

void lh_hasher_finish(struct lh_hasher *hasher, struct lh_digest *digest)
{
    sha256_digest(&hasher->context, LH_DIGEST_SIZE, digest->bytes); /* starts anew by itself */
}

enum lh_status lh_digest_bytes(const void *data, size_t size, struct lh_digest *digest)
{
    struct lh_hasher hasher;
    sha256_init(&hasher.context);
    lh_hasher_update(&hasher, data, size);
    lh_hasher_finish(&hasher, digest);
    return LH_OK;
}

/* Feeds the hasher everything from offset 0 to the end of the file. */
static enum lh_status hash_descriptor(struct lh_hasher *hasher, int fd, void *buffer, struct lh_error *error)
{
    off_t offset = 0;
    for (;;) {
        ssize_t got = pread(fd, buffer, READ_SIZE, offset);
        if (got == 0) {
            return LH_OK;
        }
        if (got > 0) {
            lh_hasher_update(hasher, buffer, (size_t)got);
            offset += got;
        } else if (errno != EINTR) {
            return lh_error_set(error, LH_ERR_IO, NULL, "the file cannot be read for its digest: %s", strerror(errno));
        }
    }
}

enum lh_status lh_digest_file(int fd, struct lh_digest *digest, struct lh_error *error)
{
    struct lh_hasher *hasher = NULL;
    void *buffer = malloc(READ_SIZE);
    if (buffer == NULL || lh_hasher_new(&hasher) != LH_OK) {
        free(buffer);
        return lh_error_no_memory(error);
    }
    /* Only a hint: a descriptor that takes none (a pipe) fails in pread() with the reason. */
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    enum lh_status status = hash_descriptor(hasher, fd, buffer, error);
    if (status == LH_OK) {
        lh_hasher_finish(hasher, digest);
    }
    lh_hasher_free(hasher);
    free(buffer);
    return status;
}

void lh_digest_text(const struct lh_digest *digest, char *text)
{
    static const char digits[] = "0123456789abcdef";
    memcpy(text, TEXT_PREFIX, TEXT_PREFIX_LENGTH);
    char *place = text + TEXT_PREFIX_LENGTH;
    for (size_t i = 0; i < LH_DIGEST_SIZE; i++) {
        *place++ = digits[digest->bytes[i] >> 4];
        *place++ = digits[digest->bytes[i] & 0x0Fu];
    }
    *place = '\0';
}

/* The value of a lower-case hexadecimal digit, or -1. */
static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool lh_digest_parse(const char *text, struct lh_digest *digest)
{
    struct lh_digest read;
    if (strncmp(text, TEXT_PREFIX, TEXT_PREFIX_LENGTH) != 0 || strlen(text) != LH_DIGEST_TEXT_SIZE - 1) {
        return false;
    }
    const char *place = text + TEXT_PREFIX_LENGTH;
    for (size_t i = 0; i < LH_DIGEST_SIZE; i++, place += 2) {
        int high = digit_value(place[0]);
        int low = digit_value(place[1]);
        if (high < 0 || low < 0) {
            return false;
        }
        read.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *digest = read;
    return true;
}

bool lh_digest_equal(const struct lh_digest *a, const struct lh_digest *b)
{
    return memcmp(a->bytes, b->bytes, LH_DIGEST_SIZE) == 0;
}
