/* SPDX-License-Identifier: MIT */
/* The table of transfers, and what is asked of the service for them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "pulse-daemon/service/bulk_impl.h"

#define MILLISECOND_NS UINT64_C(1000000)

static struct pulse_bulk_transfer *find_free(struct pulse_bulk *bulk)
{
    struct pulse_bulk_transfer *oldest = NULL;
    for (uint32_t i = 0; i < bulk->options.transfers; i++) {
        struct pulse_bulk_transfer *transfer = &bulk->transfers[i];
        if (transfer->state == PULSE_BULK_FREE) {
            return transfer;
        }
        if (transfer->state == PULSE_BULK_PARKED && (oldest == NULL || transfer->parked_ns < oldest->parked_ns)) {
            oldest = transfer;
        }
    }
    if (oldest != NULL) {
        pulse_bulk_transfer_end(bulk, oldest);
    }
    return oldest;
}

struct pulse_bulk_transfer *pulse_bulk_transfer_new(struct pulse_bulk *bulk, const struct wire_event *event,
                                                    uint64_t name, uint64_t question)
{
    struct pulse_bulk_transfer *transfer = find_free(bulk);
    if (transfer == NULL) {
        return NULL;
    }
    *transfer = (struct pulse_bulk_transfer){.state = PULSE_BULK_ASKED,
                                             .socket = event->socket,
                                             .peer = event->peer,
                                             .name = name,
                                             .question = question,
                                             .fd = -1};
    snprintf(transfer->key, sizeof transfer->key, "%s", event->key);
    atomic_fetch_add(&bulk->active, 1);
    return transfer;
}

void pulse_bulk_transfer_end(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer)
{
    lh_blobs_put_free(transfer->put);
    if (transfer->held) {
        lh_blobs_release(bulk->options.blobs, &transfer->blob.digest);
    }
    if (transfer->fd >= 0) {
        close(transfer->fd);
    }
    atomic_fetch_sub(transfer->state == PULSE_BULK_PARKED ? &bulk->parked : &bulk->active, 1);
    *transfer = (struct pulse_bulk_transfer){.state = PULSE_BULK_FREE, .fd = -1};
}

struct pulse_bulk_transfer *pulse_bulk_transfer_find(struct pulse_bulk *bulk, uint64_t peer, uint64_t name)
{
    for (uint32_t i = 0; i < bulk->options.transfers; i++) {
        struct pulse_bulk_transfer *transfer = &bulk->transfers[i];
        bool lives = transfer->state != PULSE_BULK_FREE && transfer->state != PULSE_BULK_PARKED && !transfer->gone;
        if (lives && transfer->peer == peer && transfer->name == name) {
            return transfer;
        }
    }
    return NULL;
}

uint32_t pulse_bulk_transfers_of(const struct pulse_bulk *bulk, uint64_t peer)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < bulk->options.transfers; i++) {
        const struct pulse_bulk_transfer *transfer = &bulk->transfers[i];
        bool lives = transfer->state != PULSE_BULK_FREE && transfer->state != PULSE_BULK_PARKED && !transfer->gone;
        count += lives && transfer->peer == peer ? 1 : 0;
    }
    return count;
}

void pulse_bulk_transfer_leave(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer)
{
    switch (transfer->state) {
    case PULSE_BULK_RECEIVING:
        transfer->state = PULSE_BULK_PARKED;
        transfer->parked_ns = lh_clock_monotonic_ns();
        atomic_fetch_sub(&bulk->active, 1);
        atomic_fetch_add(&bulk->parked, 1);
        break;
    case PULSE_BULK_SENDING:
        pulse_bulk_transfer_end(bulk, transfer);
        break;
    case PULSE_BULK_ASKED:
    case PULSE_BULK_FINISHING:
    case PULSE_BULK_COMMITTING:
    case PULSE_BULK_OPENING:
        transfer->gone = true;
        break;
    case PULSE_BULK_FREE:
    case PULSE_BULK_PARKED:
        return;
    }
    atomic_fetch_add(&bulk->failed, 1);
}

bool pulse_bulk_transfer_resume(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer)
{
    for (uint32_t i = 0; i < bulk->options.transfers; i++) {
        struct pulse_bulk_transfer *parked = &bulk->transfers[i];
        if (parked->state == PULSE_BULK_PARKED && parked->owner == transfer->owner && parked->size == transfer->size &&
            parked->kind == transfer->kind && lh_digest_equal(&parked->digest, &transfer->digest)) {
            transfer->put = parked->put;
            parked->put = NULL;
            pulse_bulk_transfer_end(bulk, parked);
            return true;
        }
    }
    return false;
}

int pulse_bulk_transfers_expire(struct pulse_bulk *bulk)
{
    if (atomic_load(&bulk->parked) == 0) {
        return -1;
    }
    uint64_t now = lh_clock_monotonic_ns();
    uint64_t span = bulk->options.resumable_ms * MILLISECOND_NS;
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; i < bulk->options.transfers; i++) {
        struct pulse_bulk_transfer *transfer = &bulk->transfers[i];
        if (transfer->state != PULSE_BULK_PARKED) {
            continue;
        }
        uint64_t due = transfer->parked_ns + span;
        if (due <= now) {
            pulse_bulk_transfer_end(bulk, transfer);
        } else {
            next = due - now < next ? due - now : next;
        }
    }
    return next == UINT64_MAX ? -1 : (int)(next / MILLISECOND_NS) + 1;
}

void pulse_bulk_ask(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer, enum pulse_bulk_question question,
                    const char *token)
{
    struct pulse_bulk_ask ask = {.question = question,
                                 .ticket = ++bulk->tickets,
                                 .token = token,
                                 .owner = transfer->owner,
                                 .shard = transfer->shard,
                                 .attempt = transfer->attempt,
                                 .digest = transfer->digest,
                                 .size = transfer->size,
                                 .kind = transfer->blob.kind};
    char key[WIRE_KEY_SIZE];
    memcpy(key, transfer->key, sizeof key);
    ask.key = key; /* the transfer is the answer's from here on */
    pthread_mutex_lock(&bulk->lock);
    bulk->asked[transfer - bulk->transfers] = ask.ticket;
    pthread_mutex_unlock(&bulk->lock);
    bulk->options.ask(bulk->options.user, &ask);
}

bool pulse_bulk_answer(struct pulse_bulk *bulk, uint64_t ticket, const struct pulse_bulk_answer *answer)
{
    pthread_mutex_lock(&bulk->lock);
    struct pulse_bulk_transfer *found = NULL;
    for (uint32_t i = 0; i < bulk->options.transfers && found == NULL && ticket != 0; i++) {
        found = bulk->asked[i] == ticket ? &bulk->transfers[i] : NULL;
    }
    if (found != NULL) {
        bulk->asked[found - bulk->transfers] = 0;
        found->answer = *answer;
        found->answer.message = NULL; /* the error has it */
        found->error = LH_ERROR_INIT;
        if (answer->status != LH_OK) {
            const char *message = answer->message != NULL ? answer->message : lh_status_text(answer->status);
            lh_error_set(&found->error, answer->status, NULL, "%s", message);
        }
    }
    pthread_mutex_unlock(&bulk->lock);
    return found != NULL && pulse_mailbox_put(&bulk->mails, &found->mail, true);
}
