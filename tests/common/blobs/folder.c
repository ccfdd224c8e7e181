/* SPDX-License-Identifier: MIT */
/* Folders of blobs in a temporary place, for the tests. */
#include "tests/common/blobs/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/testing.h"

const char *folder_path(const char *folder, const char *format, ...)
{
    static char paths[4][2 * FOLDER_SIZE];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    va_list arguments;
    int length = snprintf(path, sizeof paths[0], "%s/", folder);
    va_start(arguments, format);
    vsnprintf(path + length, sizeof paths[0] - (size_t)length, format, arguments);
    va_end(arguments);
    return path;
}

const char *folder_blob_path(const char *folder, const char *place, const struct lh_digest *digest)
{
    char text[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(digest, text);
    return folder_path(folder, "%s/%.2s/%s", place, text + 7, text + 7);
}

const char *folder_place(const char *folder, const struct lh_digest *digest)
{
    static const char *const places[] = {"kept", "cached", "suspect"};
    for (size_t i = 0; i < 3; i++) {
        if (access(folder_blob_path(folder, places[i], digest), F_OK) == 0) {
            return places[i];
        }
    }
    return "";
}

static size_t counted;

static int count_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)path;
    (void)info;
    (void)walk;
    counted += kind == FTW_F ? 1 : 0;
    return 0;
}

size_t folder_count(const char *folder, const char *name)
{
    counted = 0;
    ck_assert_int_eq(nftw(folder_path(folder, "%s", name), count_one, 16, FTW_PHYS), 0);
    return counted;
}

void folder_write(const char *folder, const char *name, const void *data, size_t size)
{
    int fd = open(folder_path(folder, "%s", name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
    close(fd);
}

struct lh_blobs *folder_open_with(const char *path, const struct lh_blobs_options *options)
{
    struct lh_blobs *blobs = NULL;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = lh_blobs_open(path, options, &blobs, &error);
    ck_assert_msg(status == LH_OK, "%s", error.message);
    return blobs;
}

struct lh_blobs *folder_open(const char *path)
{
    return folder_open_with(path, &(struct lh_blobs_options){0});
}

uint8_t *folder_bytes(uint64_t seed, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    ck_assert_ptr_nonnull(bytes);
    uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (uint8_t)(state >> 24);
    }
    return bytes;
}

struct lh_digest folder_digest(uint64_t seed, size_t size)
{
    struct lh_digest digest;
    uint8_t *bytes = folder_bytes(seed, size);
    ck_assert_int_eq(lh_digest_bytes(bytes, size, &digest), LH_OK);
    free(bytes);
    return digest;
}

struct lh_digest folder_put(struct lh_blobs *blobs, uint64_t seed, size_t size, enum lh_blobs_kind kind)
{
    struct lh_blob blob;
    struct lh_error error = LH_ERROR_INIT;
    uint8_t *bytes = folder_bytes(seed, size);
    enum lh_status status = lh_blobs_put_bytes(blobs, bytes, size, kind, &blob, &error);
    ck_assert_msg(status == LH_OK, "%s", error.message);
    free(bytes);
    lh_blobs_release(blobs, &blob.digest);
    return blob.digest;
}

static int verify_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    if (kind != FTW_F) {
        return 0;
    }
    char text[LH_DIGEST_TEXT_SIZE] = "sha256:";
    struct lh_digest named, found;
    ck_assert_uint_eq(strlen(path + walk->base), 64);
    strcat(text, path + walk->base);
    ck_assert(lh_digest_parse(text, &named));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(lh_digest_file(fd, &found, NULL), LH_OK);
    close(fd);
    ck_assert_msg(lh_digest_equal(&named, &found), "%s has other bytes", path);
    counted++;
    return 0;
}

size_t folder_verify(const char *path)
{
    counted = 0;
    ck_assert_int_eq(nftw(folder_path(path, "kept"), verify_one, 16, FTW_PHYS), 0);
    ck_assert_int_eq(nftw(folder_path(path, "cached"), verify_one, 16, FTW_PHYS), 0);
    return counted;
}

void folder_power_cut(const char *path)
{
    static const char other[] = "00000000-0000-0000-0000-000000000000\n";
    folder_write(path, "boot", other, sizeof other - 1);
}
