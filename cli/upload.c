/* SPDX-License-Identifier: MIT */
/* Bringing and fetching blobs. */
#include "cli/upload.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "common/base/file.h"
#include "common/blobs/blobs.h"
#include "proto/link/bulk.h"
#include "proto/link/endpoint.h"

#define ASK_MS 10000
#define ADOPT_MS (30 * 60 * 1000) /* the farm reads all of it */
#define HAND_OVERS 5
#define QUERY_MAX 10000u /* digests of one question */

static bool go_on(void *context)
{
    (void)context;
    return !cli_interrupted();
}

enum lh_status cli_media_open(struct lh_arena *arena, struct cli_farm *farm, const struct cli_farm_place *place,
                              struct cli_media *media, struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__Ping ping = WIRE__PING__INIT;
    const Wire__Envelope *answer;
    struct cli_media made = {.farm = farm, .token = place->token};
    WIRE_BODY(&question, PING, ping, &ping);
    enum lh_status status = cli_farm_ask(farm, arena, &question, WIRE__ENVELOPE__BODY_PONG, ASK_MS, &answer, error);
    if (status != LH_OK) {
        return status;
    }
    const Wire__Pong *pong = answer->pong;
    if (pong->host != NULL && pong->host->token.len == LH_BLOBS_TOKEN_SIZE &&
        lh_blobs_visit(pong->host->folder, pong->host->token.data, NULL) == LH_OK) {
        made.folder = pong->host->folder; /* lives in the arena, as the answer does */
    }
    if (pong->bulk_endpoint != NULL) {
        status = wire_endpoint_meant(pong->bulk_endpoint, place->endpoint, made.bulk_endpoint, error);
    }
    if (status == LH_OK) {
        *media = made;
        cli_farm_bulk_options(farm, media->bulk_endpoint, &media->bulk_options);
    }
    return status;
}

void cli_media_close(struct cli_media *media)
{
    wire_bulk_free(media->bulk);
    media->bulk = NULL;
}

static enum lh_status connect_bulk(struct cli_media *media, struct lh_error *error)
{
    if (media->bulk != NULL) {
        return LH_OK;
    }
    if (media->bulk_endpoint[0] == '\0') {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, NULL, "the farm says nothing of where files are brought");
    }
    return wire_bulk_new(&media->bulk_options, &media->bulk) == LH_OK ? LH_OK : lh_error_no_memory(error);
}

/* ---- bringing ---- */

/* A copy is handed over: it shares its blocks with the file where the file system can. The farm hashes it, for the file
   may have changed since we did. */
static enum lh_status hand_over(struct lh_arena *arena, struct cli_media *media, const struct cli_source *file,
                                uint64_t size, struct lh_error *error)
{
    char name[LH_BLOBS_NAME_SIZE];
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__MediaAdopt adopt = WIRE__MEDIA_ADOPT__INIT;
    const Wire__Envelope *answer;
    int fd;
    enum lh_status status = lh_blobs_hand_over(media->folder, name, &fd, error);
    if (status != LH_OK) {
        return status;
    }
    status = cli_copy(file->fd, fd, file->path, error);
    close(fd);
    if (status == LH_OK) {
        adopt.digest = wire_bytes(file->digest.bytes, sizeof file->digest.bytes);
        adopt.size = size;
        adopt.name = wire_text(name);
        WIRE_BODY(&question, MEDIA_ADOPT, media_adopt, &adopt);
        status = cli_farm_ask(media->farm, arena, &question, WIRE__ENVELOPE__BODY_STORED, ADOPT_MS, &answer, error);
    }
    if (status != LH_OK) {
        lh_blobs_hand_back(media->folder, name);
    }
    media->shared_bytes += status == LH_OK ? size : 0;
    return status;
}

static enum lh_status send_file(struct cli_media *media, const struct cli_source *file, uint64_t size,
                                struct lh_error *error)
{
    struct wire_transfer transfer = {.digest = file->digest, .size = size, .token = media->token, .go_on = go_on};
    enum lh_status status = connect_bulk(media, error);
    status = status == LH_OK ? wire_bulk_put(media->bulk, &transfer, file->fd, error) : status;
    media->sent_bytes += status == LH_OK ? size : 0;
    return status;
}

static enum lh_status bring_one(struct lh_arena *arena, struct cli_media *media, const struct cli_source *file,
                                uint64_t size, struct lh_error *error)
{
    if (cli_interrupted()) {
        return LH_ERR_CANCELLED;
    }
    enum lh_status status = LH_ERR_UNSUPPORTED;
    if (media->folder != NULL) {
        int tries = 0;
        do { /* a farm that ends between taking a file and noting it finds nothing when it is asked again */
            status = hand_over(arena, media, file, size, error);
        } while (status == LH_ERR_MISSING && ++tries < HAND_OVERS);
    }
    if (status == LH_ERR_IO || status == LH_ERR_UNSUPPORTED) { /* the folder cannot be written to, say */
        status = send_file(media, file, size, error);
    }
    if (status == LH_ERR_FORMAT) {
        return lh_error_set(error, LH_ERR_IO, file->path, "changed while it was brought to the farm: try again");
    }
    return status;
}

static bool is_lacked(const Wire__MediaLacking *lacking, const struct lh_digest *digest)
{
    for (size_t i = 0; i < lacking->n_digests; i++) {
        if (lacking->digests[i].len == sizeof digest->bytes &&
            memcmp(lacking->digests[i].data, digest->bytes, sizeof digest->bytes) == 0) {
            return true;
        }
    }
    return false;
}

static bool came_before(const struct cli_gathered *files, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (lh_digest_equal(&files->files.items[i].digest, &files->files.items[index].digest)) {
            return true;
        }
    }
    return false;
}

static enum lh_status bring_some(struct lh_arena *arena, struct cli_media *media, const struct cli_gathered *files,
                                 size_t first, size_t count, struct lh_error *error)
{
    ProtobufCBinaryData *digests = lh_arena_array(arena, count, sizeof *digests);
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__MediaQuery query = WIRE__MEDIA_QUERY__INIT;
    const Wire__Envelope *answer;
    if (digests == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        const struct lh_digest *digest = &files->files.items[first + i].digest;
        digests[i] = wire_bytes(digest->bytes, sizeof digest->bytes);
    }
    query.digests = digests;
    query.n_digests = count;
    WIRE_BODY(&question, MEDIA_QUERY, media_query, &query);
    enum lh_status status =
        cli_farm_ask(media->farm, arena, &question, WIRE__ENVELOPE__BODY_MEDIA_LACKING, ASK_MS, &answer, error);
    const Wire__MediaLacking *lacking = status == LH_OK ? answer->media_lacking : NULL;
    for (size_t i = first; status == LH_OK && i < first + count; i++) {
        const struct cli_source *file = &files->files.items[i];
        if (is_lacked(lacking, &file->digest) && !came_before(files, i)) {
            status = bring_one(arena, media, file, files->sizes[i], error);
        }
    }
    return status;
}

enum lh_status cli_media_bring(struct lh_arena *arena, struct cli_media *media, const struct cli_gathered *files,
                               struct lh_error *error)
{
    enum lh_status status = LH_OK;
    for (size_t first = 0; status == LH_OK && first < files->files.count; first += QUERY_MAX) {
        size_t left = files->files.count - first;
        status = bring_some(arena, media, files, first, left < QUERY_MAX ? left : QUERY_MAX, error);
    }
    return status;
}

/* ---- fetching ---- */

struct receiving {
    int fd;
    uint64_t offset;
    const char *where;
};

static enum lh_status take(void *context, const void *data, size_t size, struct lh_error *error)
{
    struct receiving *receiving = context;
    int code = lh_file_write_at(receiving->fd, data, size, receiving->offset);
    receiving->offset += size;
    return code == 0 ? LH_OK
                     : lh_error_set(error, LH_ERR_IO, receiving->where, "cannot be written: %s", strerror(code));
}

static enum lh_status fetch(struct cli_media *media, const struct lh_digest *digest, uint64_t size, int fd,
                            const char *where, struct lh_error *error)
{
    struct wire_transfer transfer = {.digest = *digest, .size = size, .token = media->token, .go_on = go_on};
    struct receiving receiving = {.fd = fd, .where = where};
    enum lh_status status = connect_bulk(media, error);
    for (int tries = 0; status == LH_OK || (status == LH_ERR_UNAVAILABLE && tries < 5); tries++) {
        status = wire_bulk_get(media->bulk, &transfer, receiving.offset, take, &receiving, error);
        if (status != LH_ERR_UNAVAILABLE) {
            break;
        }
    }
    media->sent_bytes += status == LH_OK ? size : 0;
    return status;
}

enum lh_status cli_media_get(struct cli_media *media, const struct lh_digest *digest, uint64_t size, int fd,
                             const char *where, struct lh_error *error)
{
    int blob;
    struct lh_digest found;
    enum lh_status status = LH_ERR_MISSING;
    if (media->folder != NULL && lh_blobs_visit_read(media->folder, digest, size, &blob, NULL) == LH_OK) {
        status = cli_copy(blob, fd, where, error);
        close(blob);
        media->shared_bytes += status == LH_OK ? size : 0;
    }
    if (status == LH_ERR_MISSING) {
        status = fetch(media, digest, size, fd, where, error);
    }
    status = status == LH_OK ? lh_digest_file(fd, &found, error) : status;
    if (status == LH_OK && !lh_digest_equal(&found, digest)) {
        return lh_error_set(error, LH_ERR_IO, where, "came with other bytes than the farm says that it has");
    }
    return status;
}
