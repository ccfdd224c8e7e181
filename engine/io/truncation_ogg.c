/* SPDX-License-Identifier: MIT */
/* Ogg (RFC 3533): every page is there, in order and undamaged. Decoders skip what is missing and go on, which would
   move everything after it. */
#include <ogg/ogg.h>
#include <string.h>

#include "engine/io/truncation.h"

#define READ_SIZE 65536
#define PAGES_MAX (INT64_C(1) << 24) /* more than a day of pages, whatever wrote them */

struct scan {
    struct engine_vio *vio;
    ogg_sync_state sync;
    int64_t read;     /* bytes given to libogg */
    int64_t consumed; /* bytes that libogg has made pages of */
    int64_t pages;
    int serial; /* of the first stream: its pages count */
    long next;  /* number of its next page */
    bool ended; /* its last page came */
};

static enum lh_status fail(const struct scan *scan, const char *what, struct lh_error *error)
{
    return lh_error_set(error, LH_ERR_FORMAT, NULL, "the file is %s at byte %lld: export or copy it again", what,
                        (long long)scan->consumed);
}

static enum lh_status feed(struct scan *scan, struct lh_error *error)
{
    int64_t left = scan->vio->size - scan->read;
    size_t size = left < READ_SIZE ? (size_t)left : READ_SIZE;
    if (size == 0) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the file is truncated: its last Ogg page is missing or cut, export or copy it again");
    }
    char *buffer = ogg_sync_buffer(&scan->sync, (long)size);
    if (buffer == NULL) {
        return lh_error_no_memory(error);
    }
    if (!engine_vio_read_at(scan->vio, scan->read, buffer, size)) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the file cannot be read to its end");
    }
    ogg_sync_wrote(&scan->sync, (long)size);
    scan->read += (int64_t)size;
    return LH_OK;
}

static enum lh_status take_page(struct scan *scan, const ogg_page *page, struct lh_error *error)
{
    if (scan->pages++ == 0) {
        scan->serial = ogg_page_serialno(page);
    }
    if (scan->pages > PAGES_MAX) {
        return fail(scan, "cut into too many pages", error);
    }
    if (scan->serial != ogg_page_serialno(page)) {
        return LH_OK;
    }
    if (ogg_page_pageno(page) != scan->next++) {
        return fail(scan, "missing pages", error);
    }
    scan->ended = ogg_page_eos(page) != 0;
    return LH_OK;
}

/* What follows the stream's end: further pages mean a chain of streams, of which decoders play the first. */
static enum lh_status check_end(struct scan *scan, struct lh_error *error)
{
    uint8_t next[5];
    if (engine_vio_read_at(scan->vio, scan->consumed, next, sizeof(next)) && memcmp(next, "OggS", sizeof(next)) == 0) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the file holds several streams in a row: split it up");
    }
    return LH_OK;
}

static enum lh_status scan_pages(struct scan *scan, struct lh_error *error)
{
    while (!scan->ended) {
        ogg_page page;
        long size = ogg_sync_pageseek(&scan->sync, &page);
        enum lh_status status;
        if (size < 0) {
            return fail(scan, "damaged", error);
        }
        if (size == 0) {
            status = feed(scan, error);
        } else {
            status = take_page(scan, &page, error);
            scan->consumed += size;
        }
        if (status != LH_OK) {
            return status;
        }
    }
    return check_end(scan, error);
}

enum lh_status engine_truncation_check_ogg(struct engine_vio *vio, struct lh_error *error)
{
    struct scan scan = {.vio = vio};
    ogg_sync_init(&scan.sync);
    enum lh_status status = scan_pages(&scan, error);
    ogg_sync_clear(&scan.sync);
    return status;
}
