/* SPDX-License-Identifier: MIT */
/* Comparing rows with rules, and with files. */
#include "pulse-daemon/service/checkup.h"

#include <inttypes.h>
#include <stdio.h>

#include "pulse-daemon/farm/farm.h"
#include "pulse-daemon/store/media.h"

#define PAGE 1000

struct counting {
    pulse_checkup_report *report;
    void *context;
    size_t found;
};

static void count(void *context, const char *where, const char *what)
{
    struct counting *counting = context;
    counting->found++;
    counting->report(counting->context, where, what);
}

enum lh_status pulse_checkup_store(struct pulse_store *store, pulse_checkup_report *report, void *context,
                                   size_t *found, struct lh_error *error)
{
    return pulse_store_check(store, report, context, found, error);
}

/* ---- blobs ---- */

struct comparing {
    struct counting counting;
    struct lh_blobs *blobs;
    struct lh_digest last;
    size_t page;
};

static enum lh_status compare(void *context, const struct lh_digest *digest, uint64_t size)
{
    struct comparing *comparing = context;
    struct lh_blob blob;
    char where[LH_DIGEST_TEXT_SIZE + 8], hex[LH_DIGEST_TEXT_SIZE], what[256];
    lh_digest_text(digest, hex);
    snprintf(where, sizeof where, "blob %s", hex);
    comparing->last = *digest;
    comparing->page++;
    if (!lh_blobs_has(comparing->blobs, digest, &blob)) {
        count(&comparing->counting, where,
              "rows refer to it, and it is not in the media folder: an output is made again by the next job that asks "
              "for "
              "it, a medium has to be uploaded again");
    } else if (blob.size != size) {
        snprintf(what, sizeof what,
                 "has %" PRIu64 " bytes, and the rows say %" PRIu64
                 ": remove its file, then proceed as if it were lost",
                 blob.size, size);
        count(&comparing->counting, where, what);
    }
    return LH_OK;
}

enum lh_status pulse_checkup_blobs(struct pulse_store *store, struct lh_blobs *blobs, pulse_checkup_report *report,
                                   void *context, size_t *found, struct lh_error *error)
{
    struct comparing comparing = {.counting = {.report = report, .context = context}, .blobs = blobs};
    enum lh_status status;
    bool first = true;
    do {
        comparing.page = 0;
        struct lh_digest after = comparing.last;
        status = pulse_store_blobs(store, first ? NULL : &after, PAGE, compare, &comparing, error);
        first = false;
    } while (status == LH_OK && comparing.page == PAGE);
    *found = comparing.counting.found;
    return status;
}

/* ---- the core ---- */

struct loading {
    struct counting counting;
    struct pulse_farm *farm;
};

static enum lh_status take_row(void *context, const struct pulse_change *row)
{
    struct loading *loading = context;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = pulse_farm_load(loading->farm, row, &error);
    if (status == LH_ERR_FORMAT) {
        count(&loading->counting, error.where, error.message);
        status = LH_OK;
    }
    return status;
}

enum lh_status pulse_checkup_core(struct pulse_store *store, pulse_checkup_report *report, void *context, size_t *found,
                                  struct lh_error *error)
{
    struct loading loading = {.counting = {.report = report, .context = context}};
    struct pulse_store_numbers numbers;
    size_t healed = 0;
    if (pulse_farm_new(NULL, &loading.farm) != LH_OK) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = pulse_store_load(store, take_row, &loading, &numbers, error);
    if (status == LH_OK) {
        status = pulse_farm_load_end(loading.farm, numbers.shard, 1, &healed);
    }
    if (status == LH_OK && healed > 0) {
        char what[128];
        snprintf(what, sizeof what, "%zu places do not fit together: the next start heals them", healed);
        count(&loading.counting, "scheduler core", what);
    }
    if (status == LH_OK && pulse_farm_check(loading.farm, error) == LH_ERR_INTERNAL) {
        count(&loading.counting, error->where, error->message);
    }
    pulse_farm_free(loading.farm);
    *found = loading.counting.found;
    return status;
}
