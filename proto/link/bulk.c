/* SPDX-License-Identifier: MIT */
/* Bringing and fetching blobs. A transfer is tried over one connection after the other, as long as there was a sign of
   life within the caller's patience; what arrived before a connection broke is not sent again. */
#include "proto/link/bulk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "proto/envelope.h"

#define PATIENCE_MS 10000
#define TICK_MS 50     /* between two questions whether to go on */
#define CONNECT_MS 250 /* of the first try; each further one may take twice as long, up to CONNECT_MAX_MS */
#define CONNECT_MAX_MS 4000
#define RETRY_MS 100 /* between two tries */
#define MILLISECOND_NS UINT64_C(1000000)

struct wire_bulk {
    struct wire_caller_options options;
    struct wire_caller *caller; /* NULL: not connected */
    uint64_t sent;              /* messages of this connection: their ids */
    uint64_t transfers;         /* names given */
};

/* One transfer, over as many connections as it takes. */
struct run {
    struct wire_bulk *bulk;
    const struct wire_transfer *transfer;
    struct lh_error *error; /* never NULL */
    uint64_t name;
    uint64_t begin_id, end_id; /* what its errors and answers refer to; 0: not sent */
    uint64_t life_ns;          /* the last sign of life */
    uint64_t best, tried_ns;   /* how far attempts got, and when the furthest of them ended */
    uint32_t pause_ms;         /* what the other side asks to be left alone for */
    struct lh_arena arena;     /* of the message that came last */
};

enum lh_status wire_bulk_new(const struct wire_caller_options *options, struct wire_bulk **bulk)
{
    struct wire_bulk *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    made->options = *options;
    *bulk = made;
    return LH_OK;
}

static void disconnect(struct wire_bulk *bulk)
{
    wire_caller_free(bulk->caller);
    bulk->caller = NULL;
    bulk->sent = 0;
}

void wire_bulk_free(struct wire_bulk *bulk)
{
    if (bulk != NULL) {
        disconnect(bulk);
        free(bulk);
    }
}

/* ---- Patience -------------------------------------------------------------------------------------------------------
 */

static enum lh_status go_on(const struct run *run)
{
    const struct wire_transfer *transfer = run->transfer;
    bool wanted = transfer->go_on == NULL || transfer->go_on(transfer->context);
    return wanted ? LH_OK : lh_error_set(run->error, LH_ERR_CANCELLED, NULL, "the transfer was given up");
}

static void tell_moved(const struct run *run, size_t size)
{
    if (run->transfer->moved != NULL) {
        run->transfer->moved(run->transfer->context, size);
    }
}

static bool is_patient(const struct run *run, uint64_t since_ns)
{
    uint64_t patience_ms = run->transfer->patience_ms != 0 ? run->transfer->patience_ms : PATIENCE_MS;
    return lh_clock_monotonic_ns() - since_ns < patience_ms * MILLISECOND_NS;
}

/* Whether to try once more after an attempt that got as far as `reached`: one that got further than all before it is as
   good as the first. */
static bool may_retry(struct run *run, uint64_t reached)
{
    if (reached > run->best) {
        run->best = reached;
        run->tried_ns = lh_clock_monotonic_ns();
    }
    return is_patient(run, run->tried_ns);
}

static enum lh_status pause_for(const struct run *run, uint32_t milliseconds)
{
    enum lh_status status = go_on(run);
    for (uint32_t done = 0; done < milliseconds && status == LH_OK; done += TICK_MS) {
        nanosleep(&(struct timespec){.tv_nsec = (long)(TICK_MS * MILLISECOND_NS)}, NULL);
        status = go_on(run);
    }
    return status;
}

static enum lh_status connect_caller(const struct run *run)
{
    enum lh_status status = run->bulk->caller != NULL ? LH_OK : LH_ERR_UNAVAILABLE;
    for (int span = CONNECT_MS; status == LH_ERR_UNAVAILABLE; span = span < CONNECT_MAX_MS ? 2 * span : span) {
        status = wire_caller_new(&run->bulk->options, span, &run->bulk->caller, run->error);
        enum lh_status wanted = go_on(run);
        if (wanted != LH_OK || (status == LH_ERR_UNAVAILABLE && !is_patient(run, run->tried_ns))) {
            return wanted != LH_OK ? wanted : status;
        }
    }
    return status;
}

/* ---- Messages -------------------------------------------------------------------------------------------------------
 */

/* With the next id, which *id gets (may be NULL); takes the payload (may be NULL). */
static enum lh_status say(const struct run *run, Wire__Envelope *envelope, struct wire_buffer *payload, uint64_t *id)
{
    struct wire_buffer packed = {0};
    uint8_t *data = NULL;
    envelope->id = ++run->bulk->sent;
    enum lh_status status = wire_envelope_pack(envelope, &data, &packed.size, run->error);
    if (status != LH_OK) {
        if (payload != NULL) {
            free(payload->data);
        }
        return status;
    }
    packed.data = data;
    if (id != NULL) {
        *id = envelope->id;
    }
    status = wire_caller_send(run->bulk->caller, &packed, payload, run->error);
    if (status == LH_ERR_UNAVAILABLE) {
        disconnect(run->bulk);
    }
    return status;
}

static enum lh_status read_error(struct run *run, const Wire__Error *message)
{
    run->pause_ms = message->has_retry_after_ms ? message->retry_after_ms : RETRY_MS;
    return wire_error_read(message, run->error);
}

/* Waits for the next bytes, with its patience. With `poll` it does not wait: *came may be false. */
static enum lh_status await_bytes(struct run *run, bool poll, struct wire_answer *answer, bool *came)
{
    for (;;) {
        enum lh_status status = wire_caller_receive(run->bulk->caller, poll ? 0 : TICK_MS, answer, run->error);
        *came = status == LH_OK;
        if (status != LH_ERR_CANCELLED) {
            return status;
        }
        status = go_on(run);
        if (status != LH_OK || poll) {
            return status;
        }
        if (!is_patient(run, run->life_ns)) {
            return lh_error_set(run->error, LH_ERR_UNAVAILABLE, NULL, "there is no answer any more");
        }
    }
}

/* The next message; *envelope NULL when there is none yet (`poll`). What it points to is good until the next call. */
static enum lh_status receive(struct run *run, bool poll, const Wire__Envelope **envelope, struct wire_answer *answer)
{
    bool came = false;
    *envelope = NULL;
    enum lh_status status = await_bytes(run, poll, answer, &came);
    if (came) {
        lh_arena_fini(&run->arena);
        status = wire_envelope_unpack(answer->envelope, answer->envelope_size, &run->arena, envelope, run->error);
    }
    if (status != LH_OK && status != LH_ERR_CANCELLED) {
        disconnect(run->bulk); /* silent, gone or not to be understood */
    }
    if (!came || status != LH_OK) {
        return status;
    }
    uint64_t about = (*envelope)->has_correlation ? (*envelope)->correlation : 0;
    bool ours = about != 0 && (about == run->begin_id || about == run->end_id);
    run->life_ns = lh_clock_monotonic_ns();
    return ours && (*envelope)->body_case == WIRE__ENVELOPE__BODY_ERROR ? read_error(run, (*envelope)->error) : LH_OK;
}

/* So that the other side need not wait for more. The connection is as good as before. */
static void abort_transfer(struct run *run)
{
    if (run->bulk->caller != NULL && run->begin_id != 0) {
        struct lh_error ignored = LH_ERROR_INIT;
        struct run quiet = *run;
        quiet.error = &ignored;
        Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
        Wire__BulkAbort body = WIRE__BULK_ABORT__INIT;
        body.transfer = run->name;
        WIRE_BODY(&envelope, BULK_ABORT, bulk_abort, &body);
        enum lh_status status = say(&quiet, &envelope, NULL, NULL);
        (void)status; /* else the connection is gone, which says the same */
    }
}

/* ---- Putting --------------------------------------------------------------------------------------------------------
 */

struct upload {
    int fd;
    uint64_t offset; /* sent so far */
    uint64_t credits;
    uint32_t chunk_size;
    bool ready, stored;
};

static enum lh_status begin_put(struct run *run)
{
    const struct wire_transfer *transfer = run->transfer;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__PutBegin body = WIRE__PUT_BEGIN__INIT;
    body.transfer = run->name;
    body.digest = wire_bytes(transfer->digest.bytes, LH_DIGEST_SIZE);
    body.size = transfer->size;
    body.has_shard = body.has_attempt = transfer->shard != 0;
    body.shard = transfer->shard;
    body.attempt = transfer->attempt;
    envelope.token = transfer->token != NULL ? wire_text(transfer->token) : NULL;
    envelope.trace = transfer->trace != NULL ? wire_text(transfer->trace) : NULL;
    WIRE_BODY(&envelope, PUT_BEGIN, put_begin, &body);
    return say(run, &envelope, NULL, &run->begin_id);
}

static enum lh_status hear_put(struct run *run, struct upload *upload, const Wire__Envelope *envelope)
{
    switch ((int)envelope->body_case) {
    case WIRE__ENVELOPE__BODY_PUT_READY: {
        const Wire__PutReady *ready = envelope->put_ready;
        if (ready->transfer != run->name || upload->ready) {
            return LH_OK;
        }
        if (ready->offset > run->transfer->size) {
            return lh_error_set(run->error, LH_ERR_FORMAT, NULL, "the other side has more of the blob than there is");
        }
        upload->ready = true;
        upload->offset = ready->offset;
        upload->credits = ready->credits;
        upload->chunk_size = ready->chunk_size;
        return LH_OK;
    }
    case WIRE__ENVELOPE__BODY_BULK_CREDIT:
        upload->credits += envelope->bulk_credit->transfer == run->name ? envelope->bulk_credit->credits : 0;
        return LH_OK;
    case WIRE__ENVELOPE__BODY_STORED:
        upload->stored = envelope->stored->has_transfer && envelope->stored->transfer == run->name;
        return LH_OK;
    default:
        return LH_OK; /* of an earlier transfer, or of a newer version */
    }
}

static enum lh_status send_piece(struct run *run, struct upload *upload)
{
    uint64_t left = run->transfer->size - upload->offset;
    size_t size = left < upload->chunk_size ? (size_t)left : upload->chunk_size;
    struct wire_buffer payload = {.data = malloc(size), .size = size};
    if (payload.data == NULL) {
        return lh_error_no_memory(run->error);
    }
    int code = lh_file_read_at(upload->fd, payload.data, size, upload->offset);
    if (code != 0) {
        free(payload.data);
        return lh_error_set(run->error, LH_ERR_IO, NULL, "the file cannot be read at byte %" PRIu64 ": %s",
                            upload->offset, strerror(code));
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__PutChunk body = WIRE__PUT_CHUNK__INIT;
    body.transfer = run->name;
    body.offset = upload->offset;
    WIRE_BODY(&envelope, PUT_CHUNK, put_chunk, &body);
    enum lh_status status = say(run, &envelope, &payload, NULL);
    upload->offset += size;
    tell_moved(run, size);
    upload->credits--;
    return status;
}

static enum lh_status end_put(struct run *run)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__PutEnd body = WIRE__PUT_END__INIT;
    body.transfer = run->name;
    WIRE_BODY(&envelope, PUT_END, put_end, &body);
    return say(run, &envelope, NULL, &run->end_id);
}

/* Over the connection that there is. */
static enum lh_status put_once(struct run *run, struct upload *upload)
{
    enum lh_status status = begin_put(run);
    while (status == LH_OK && !upload->stored) {
        bool may_send = upload->ready && upload->credits > 0 && upload->offset < run->transfer->size;
        if (upload->ready && upload->offset == run->transfer->size && run->end_id == 0) {
            status = end_put(run);
            continue;
        }
        const Wire__Envelope *envelope = NULL;
        struct wire_answer answer;
        status = receive(run, may_send, &envelope, &answer);
        if (status == LH_OK) {
            status = envelope != NULL ? hear_put(run, upload, envelope) : send_piece(run, upload);
        }
    }
    return status;
}

/* ---- Getting --------------------------------------------------------------------------------------------------------
 */

struct download {
    uint64_t offset; /* taken so far */
    uint64_t size;   /* of the whole, as told */
    bool ready, done;
    enum lh_status (*take)(void *context, const void *data, size_t size, struct lh_error *error);
    void *context;
};

static enum lh_status begin_get(struct run *run, const struct download *download)
{
    const struct wire_transfer *transfer = run->transfer;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__GetBegin body = WIRE__GET_BEGIN__INIT;
    body.transfer = run->name;
    body.digest = wire_bytes(transfer->digest.bytes, LH_DIGEST_SIZE);
    body.offset = download->offset;
    body.credits = WIRE_BULK_CREDITS;
    body.has_shard = body.has_attempt = transfer->shard != 0;
    body.shard = transfer->shard;
    body.attempt = transfer->attempt;
    envelope.token = transfer->token != NULL ? wire_text(transfer->token) : NULL;
    envelope.trace = transfer->trace != NULL ? wire_text(transfer->trace) : NULL;
    WIRE_BODY(&envelope, GET_BEGIN, get_begin, &body);
    return say(run, &envelope, NULL, &run->begin_id);
}

/* One for each chunk: the other side may allow fewer under way than we do. */
static enum lh_status give_credit(struct run *run)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__BulkCredit body = WIRE__BULK_CREDIT__INIT;
    body.transfer = run->name;
    body.credits = 1;
    WIRE_BODY(&envelope, BULK_CREDIT, bulk_credit, &body);
    return say(run, &envelope, NULL, NULL);
}

static enum lh_status take_chunk(struct run *run, struct download *download, const Wire__GetChunk *chunk,
                                 const struct wire_answer *answer)
{
    bool fits = download->ready && chunk->offset == download->offset &&
                answer->payload_size <= download->size - download->offset;
    bool last = chunk->has_last && chunk->last;
    if (!fits || (answer->payload_size == 0 && !last) ||
        (last && download->offset + answer->payload_size != download->size)) {
        return lh_error_set(run->error, LH_ERR_FORMAT, NULL, "a piece of the blob is not the one that comes next");
    }
    enum lh_status status = LH_OK;
    if (answer->payload_size > 0) {
        status = download->take(download->context, answer->payload, answer->payload_size, run->error);
    }
    if (status != LH_OK) {
        return status;
    }
    download->offset += answer->payload_size;
    tell_moved(run, answer->payload_size);
    download->done = last;
    status = go_on(run);
    return status == LH_OK && !last ? give_credit(run) : status;
}

static enum lh_status hear_get(struct run *run, struct download *download, const Wire__Envelope *envelope,
                               const struct wire_answer *answer)
{
    if (envelope->body_case == WIRE__ENVELOPE__BODY_GET_READY && envelope->get_ready->transfer == run->name) {
        download->size = envelope->get_ready->size;
        bool other = run->transfer->size != 0 && run->transfer->size != download->size;
        if (other || download->offset > download->size) {
            return lh_error_set(run->error, LH_ERR_FORMAT, NULL, "the blob has another size over there");
        }
        download->ready = true;
    }
    if (envelope->body_case == WIRE__ENVELOPE__BODY_GET_CHUNK && envelope->get_chunk->transfer == run->name) {
        return take_chunk(run, download, envelope->get_chunk, answer);
    }
    return LH_OK;
}

static enum lh_status get_once(struct run *run, struct download *download)
{
    download->ready = false;
    enum lh_status status = begin_get(run, download);
    while (status == LH_OK && !download->done) {
        const Wire__Envelope *envelope = NULL;
        struct wire_answer answer;
        status = receive(run, false, &envelope, &answer);
        status = status == LH_OK ? hear_get(run, download, envelope, &answer) : status;
    }
    return status;
}

/* ---- Both -----------------------------------------------------------------------------------------------------------
 */

/* Again and again until it is done, refused, or there is no sign of life. Exactly one of the two is given. */
static enum lh_status run_transfer(struct wire_bulk *bulk, const struct wire_transfer *transfer, struct upload *upload,
                                   struct download *download, struct lh_error *error)
{
    struct lh_error own = LH_ERROR_INIT;
    struct run run = {
        .bulk = bulk, .transfer = transfer, .error = error != NULL ? error : &own, .tried_ns = lh_clock_monotonic_ns()};
    lh_arena_init(&run.arena);
    enum lh_status status = LH_ERR_UNAVAILABLE;
    while (status == LH_ERR_UNAVAILABLE) {
        run.name = ++bulk->transfers;
        run.begin_id = run.end_id = 0;
        run.pause_ms = RETRY_MS;
        status = connect_caller(&run);
        if (status != LH_OK) {
            break;
        }
        run.life_ns = lh_clock_monotonic_ns();
        if (upload != NULL) {
            *upload = (struct upload){.fd = upload->fd};
            status = put_once(&run, upload);
        } else {
            status = get_once(&run, download);
        }
        if (status != LH_OK) {
            abort_transfer(&run);
        }
        if (status != LH_ERR_UNAVAILABLE || !may_retry(&run, upload != NULL ? upload->offset : download->offset)) {
            break;
        }
        enum lh_status wanted = pause_for(&run, run.pause_ms);
        status = wanted != LH_OK ? wanted : status;
    }
    lh_arena_fini(&run.arena);
    return status;
}

enum lh_status wire_bulk_put(struct wire_bulk *bulk, const struct wire_transfer *transfer, int fd,
                             struct lh_error *error)
{
    struct upload upload = {.fd = fd};
    return run_transfer(bulk, transfer, &upload, NULL, error);
}

enum lh_status wire_bulk_get(struct wire_bulk *bulk, const struct wire_transfer *transfer, uint64_t offset,
                             enum lh_status (*take)(void *context, const void *data, size_t size,
                                                    struct lh_error *error),
                             void *context, struct lh_error *error)
{
    struct download download = {.offset = offset, .take = take, .context = context};
    return run_transfer(bulk, transfer, NULL, &download, error);
}
