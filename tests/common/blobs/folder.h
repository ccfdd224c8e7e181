/* SPDX-License-Identifier: MIT */
/* Folders of blobs in a temporary place, for the tests. Every call aborts the test when it fails. */
#ifndef TESTS_COMMON_BLOBS_FOLDER_H
#define TESTS_COMMON_BLOBS_FOLDER_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "common/blobs/blobs.h"
#include "tests/support/folders.h"

#define FOLDER_SIZE 256

/* A path in it; a static buffer of four that take turns. */
const char *folder_path(const char *folder, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Where the blob is: "kept", "cached", "suspect" or "" for nowhere. */
const char *folder_place(const char *folder, const struct lh_digest *digest);
const char *folder_blob_path(const char *folder, const char *place, const struct lh_digest *digest);
/* How many files there are beneath `name` in the folder. */
size_t folder_count(const char *folder, const char *name);
/* Puts bytes under a name in the folder, replacing what is there. */
void folder_write(const char *folder, const char *name, const void *data, size_t size);

struct lh_blobs *folder_open(const char *path);
struct lh_blobs *folder_open_with(const char *path, const struct lh_blobs_options *options);
/* `size` bytes that follow from `seed`, to be freed. */
uint8_t *folder_bytes(uint64_t seed, size_t size);
struct lh_digest folder_digest(uint64_t seed, size_t size);
/* Puts those bytes and lets go of the blob. */
struct lh_digest folder_put(struct lh_blobs *blobs, uint64_t seed, size_t size, enum lh_blobs_kind kind);
/* Every file under kept/ and cached/ has the bytes of its name; how many there are. */
size_t folder_verify(const char *path);
/* As if another start of the machine had written what is there. */
void folder_power_cut(const char *path);

#endif
