/* SPDX-License-Identifier: MIT */
/* SHA-256: the one digest of the project (media, keys, samples, files), because HTTP digests and S3 speak it too.
   Any thread; a hasher belongs to one at a time. */
#ifndef LH_DIGEST_DIGEST_H
#define LH_DIGEST_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define LH_DIGEST_SIZE 32
#define LH_DIGEST_TEXT_SIZE (7 + 64 + 1) /* "sha256:" + hex + NUL */

struct lh_digest {
    uint8_t bytes[LH_DIGEST_SIZE];
};

struct lh_hasher;

LH_NODISCARD enum lh_status lh_hasher_new(struct lh_hasher **hasher);
void lh_hasher_free(struct lh_hasher *hasher); /* accepts NULL */
void lh_hasher_update(struct lh_hasher *hasher, const void *data, size_t size);
/* The digest of everything so far; the hasher starts anew. */
void lh_hasher_finish(struct lh_hasher *hasher, struct lh_digest *digest);

/* One call for bytes in memory. */
LH_NODISCARD enum lh_status lh_digest_bytes(const void *data, size_t size, struct lh_digest *digest);
/* The whole content of an open file from its beginning, by positioned reads: the descriptor's offset stays. */
LH_NODISCARD enum lh_status lh_digest_file(int fd, struct lh_digest *digest, struct lh_error *error);

/* "sha256:" and 64 lower-case hexadecimal digits. `text` has LH_DIGEST_TEXT_SIZE bytes. */
void lh_digest_text(const struct lh_digest *digest, char *text);
/* Reads that form, and nothing else. */
bool lh_digest_parse(const char *text, struct lh_digest *digest);
bool lh_digest_equal(const struct lh_digest *a, const struct lh_digest *b);

#endif
