/* SPDX-License-Identifier: MIT */
/* Reading everything again, a piece at a time. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/blobs/blobs_impl.h"

#define CURSOR_FILE "scrub"
#define OPENING (UINT64_C(16) << 10)   /* bytes that could be read in the time that looking up a file takes */
#define SAVE_EVERY (UINT64_C(1) << 30) /* bytes after which the cursor is written down */

struct lh_blobs_scrub {
    struct lh_blobs *blobs;
    struct lh_hasher *hasher;
    uint8_t *buffer;
    struct lh_digest cursor; /* the blob being read, or the one finished last */
    bool started;            /* there is a cursor */
    int fd;                  /* of the blob being read, or -1 */
    uint64_t size, offset;
    uint64_t unsaved;
};

enum lh_status lh_blobs_scrub_new(struct lh_blobs *blobs, struct lh_blobs_scrub **scrub)
{
    struct lh_blobs_scrub *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    made->blobs = blobs;
    made->fd = -1;
    made->buffer = malloc(LH_BLOBS_PIECE);
    if (made->buffer == NULL || lh_hasher_new(&made->hasher) != LH_OK) {
        lh_blobs_scrub_free(made);
        return LH_ERR_NO_MEMORY;
    }
    made->started =
        lh_blobs_read_small(blobs->folder, CURSOR_FILE, made->cursor.bytes, LH_DIGEST_SIZE) == LH_DIGEST_SIZE;
    *scrub = made;
    return LH_OK;
}

/* What is lost with it is some reading. */
static void save_cursor(struct lh_blobs_scrub *scrub)
{
    size_t size = scrub->started ? LH_DIGEST_SIZE : 0;
    enum lh_status status = lh_blobs_write_small(scrub->blobs, CURSOR_FILE, scrub->cursor.bytes, size, NULL);
    scrub->unsaved = status == LH_OK ? 0 : scrub->unsaved;
}

void lh_blobs_scrub_free(struct lh_blobs_scrub *scrub)
{
    if (scrub == NULL) {
        return;
    }
    if (scrub->fd >= 0) {
        close(scrub->fd);
    } else if (scrub->unsaved > 0) {
        save_cursor(scrub);
    }
    lh_hasher_free(scrub->hasher);
    free(scrub->buffer);
    free(scrub);
}

/* The next blob that has a file, or the end of the round: then no file is open. */
static enum lh_status open_next(struct lh_blobs_scrub *scrub, struct lh_error *error)
{
    struct lh_blobs *blobs = scrub->blobs;
    for (;;) {
        pthread_mutex_lock(&blobs->mutex);
        const struct lh_blobs_entry *entry = lh_blobs_after(blobs, scrub->started ? &scrub->cursor : NULL);
        struct lh_blobs_entry next = entry != NULL ? *entry : (struct lh_blobs_entry){0};
        pthread_mutex_unlock(&blobs->mutex);
        scrub->started = entry != NULL;
        if (entry == NULL) {
            return LH_OK;
        }
        scrub->cursor = next.digest;
        /* One that is just coming, going or moving is as good as read, or will be next time. */
        int code = next.work == LH_BLOBS_IDLE
                       ? lh_blobs_open_file(blobs, next.place, &next.digest, next.size, &scrub->fd)
                       : ENOENT;
        if (code == 0) {
            scrub->size = next.size;
            scrub->offset = 0;
            return LH_OK;
        }
        if (code != ENOENT) {
            return lh_blobs_fail(error, code, NULL, "read again");
        }
    }
}

/* All of it was read: *damaged when these are other bytes. A suspect that turned out well is believed. */
static enum lh_status finish(struct lh_blobs_scrub *scrub, bool *damaged, struct lh_error *error)
{
    struct lh_blobs *blobs = scrub->blobs;
    struct lh_digest digest;
    lh_hasher_finish(scrub->hasher, &digest);
    close(scrub->fd);
    scrub->fd = -1;
    bool good = lh_digest_equal(&digest, &scrub->cursor);
    pthread_mutex_lock(&blobs->mutex);
    struct lh_blobs_entry *entry = lh_blobs_await(blobs, &scrub->cursor);
    if (entry != NULL && good && entry->place != LH_BLOBS_IN_SUSPECT) {
        entry = NULL; /* nothing to be done */
    }
    if (entry != NULL) {
        entry->work = good ? LH_BLOBS_CHANGING : LH_BLOBS_LEAVING;
    }
    pthread_mutex_unlock(&blobs->mutex);
    if (entry == NULL) {
        return LH_OK;
    }
    int code = good ? lh_blobs_believe(blobs, entry) : lh_blobs_take_out(blobs, entry, true);
    *damaged = !good;
    return code == 0 ? LH_OK : lh_blobs_fail(error, code, NULL, "moved");
}

/* Reads up to `bytes` of the open blob. */
static enum lh_status read_on(struct lh_blobs_scrub *scrub, uint64_t bytes, uint64_t *done, struct lh_error *error)
{
    uint64_t left = scrub->size - scrub->offset;
    uint64_t wanted = left < bytes ? left : bytes;
    *done = 0;
    while (*done < wanted) {
        size_t piece = wanted - *done < LH_BLOBS_PIECE ? (size_t)(wanted - *done) : LH_BLOBS_PIECE;
        int code = lh_file_read_at(scrub->fd, scrub->buffer, piece, scrub->offset);
        if (code != 0) {
            /* The disk may be away for a moment: nothing is thrown away for that. The next call takes the next blob. */
            struct lh_digest ignored;
            lh_hasher_finish(scrub->hasher, &ignored);
            close(scrub->fd);
            scrub->fd = -1;
            return lh_blobs_fail(error, code, NULL, "read again");
        }
        lh_hasher_update(scrub->hasher, scrub->buffer, piece);
        /* The pages that renders use stay, as far as this can be helped. */
        (void)posix_fadvise(scrub->fd, (off_t)scrub->offset, (off_t)piece, POSIX_FADV_DONTNEED);
        scrub->offset += piece;
        *done += piece;
    }
    return LH_OK;
}

enum lh_status lh_blobs_scrub_step(struct lh_blobs_scrub *scrub, uint64_t bytes, struct lh_blobs_scrubbed *scrubbed,
                                   struct lh_error *error)
{
    struct lh_blobs_scrubbed told = {0};
    uint64_t spent = 0;
    while (spent < bytes && !told.damaged && !told.round) {
        enum lh_status status = scrub->fd < 0 ? open_next(scrub, error) : LH_OK;
        if (status != LH_OK) {
            return status;
        }
        if (scrub->fd < 0) {
            told.round = true;
            scrub->unsaved = 1;
            save_cursor(scrub);
            break;
        }
        uint64_t done = 0;
        status = read_on(scrub, bytes - spent, &done, error);
        told.bytes += done;
        spent += done;
        scrub->unsaved += done;
        if (status == LH_OK && scrub->offset == scrub->size) {
            told.digest = scrub->cursor;
            spent += OPENING;
            status = finish(scrub, &told.damaged, error);
        }
        if (status != LH_OK) {
            return status;
        }
        if (scrub->unsaved >= SAVE_EVERY && scrub->fd < 0) {
            save_cursor(scrub);
        }
    }
    *scrubbed = told;
    return LH_OK;
}
