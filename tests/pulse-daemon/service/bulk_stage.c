/* SPDX-License-Identifier: MIT */
/* A bulk service over a folder of blobs, for tests and benches. */
#include "tests/pulse-daemon/service/bulk_stage.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/folders.h"

#define PATIENCE_MS 60000 /* the machine may be busy with other tests */

static void need(bool good, const char *what, const struct lh_error *error)
{
    if (!good) {
        fprintf(stderr, "%s: %s\n", what, error != NULL ? error->message : "");
        abort();
    }
}

static uint64_t tenant_of(const char *token)
{
    const char *letter = strrchr(token, 't');
    return letter != NULL ? strtoull(letter + 1, NULL, 10) : 0;
}

bool bulk_stage_knows(struct bulk_stage *stage, uint64_t owner, const struct lh_digest *digest)
{
    bool found = false;
    pthread_mutex_lock(&stage->lock);
    for (size_t i = 0; i < stage->known_count; i++) {
        found = found || (stage->known[i].owner == owner && lh_digest_equal(&stage->known[i].digest, digest));
    }
    pthread_mutex_unlock(&stage->lock);
    return found;
}

static struct pulse_bulk_answer decide(struct bulk_stage *stage, const struct pulse_bulk_ask *ask)
{
    struct pulse_bulk_answer answer = {.status = LH_OK, .kind = stage->kind};
    uint64_t tenant = ask->question == PULSE_BULK_PUT_DONE ? ask->owner : tenant_of(ask->token);
    bool known = stage->trusting ? lh_blobs_has(stage->blobs, &ask->digest, NULL)
                                 : bulk_stage_knows(stage, tenant, &ask->digest);
    answer.owner = tenant;
    answer.present = known;
    if (tenant == 0) {
        answer.status = LH_ERR_USAGE;
        answer.message = "no token of ours";
    } else if (ask->question == PULSE_BULK_MAY_GET && !known) {
        answer.status = LH_ERR_MISSING;
    } else if (ask->question == PULSE_BULK_PUT_DONE) {
        answer.status = stage->commit;
        pthread_mutex_lock(&stage->lock);
        if (answer.status == LH_OK && !stage->trusting) {
            assert(stage->known_count < sizeof stage->known / sizeof stage->known[0]);
            stage->known[stage->known_count++] = (struct bulk_known){.owner = tenant, .digest = ask->digest};
        }
        pthread_mutex_unlock(&stage->lock);
    }
    return answer;
}

struct late {
    struct bulk_stage *stage;
    uint64_t ticket;
    struct pulse_bulk_answer answer;
};

static void *answer_late(void *context)
{
    struct late *late = context;
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    (void)pulse_bulk_answer(late->stage->bulk, late->ticket, &late->answer);
    free(late);
    return NULL;
}

static void ask(void *user, const struct pulse_bulk_ask *ask)
{
    struct bulk_stage *stage = user;
    struct pulse_bulk_answer answer = decide(stage, ask);
    pthread_mutex_lock(&stage->lock);
    stage->asked[ask->question]++;
    struct pulse_bulk *bulk = stage->bulk;
    pthread_mutex_unlock(&stage->lock);
    if (strncmp(ask->token, "slow-", 5) != 0) {
        need(pulse_bulk_answer(bulk, ask->ticket, &answer), "an answer is not taken", NULL);
        return;
    }
    struct late *late = malloc(sizeof *late);
    pthread_t thread;
    need(late != NULL, "no memory", NULL);
    *late = (struct late){.stage = stage, .ticket = ask->ticket, .answer = answer};
    need(pthread_create(&thread, NULL, answer_late, late) == 0, "no thread", NULL);
    pthread_detach(thread);
}

struct bulk_stage *bulk_stage_new(bool tcp)
{
    struct lh_error error = LH_ERROR_INIT;
    struct bulk_stage *stage = calloc(1, sizeof *stage);
    need(stage != NULL, "no memory", NULL);
    pthread_mutex_init(&stage->lock, NULL);
    stage->tcp = tcp;
    stage->kind = LH_BLOBS_KEPT;
    folders_make(stage->path, sizeof stage->path);
    if (tcp) {
        need(wire_keys_generate(&stage->server, &error) == LH_OK, "keys", &error);
        need(wire_keys_generate(&stage->client, &error) == LH_OK, "keys", &error);
    }
    return stage;
}

void bulk_stage_start(struct bulk_stage *stage, const struct pulse_bulk_options *bulk,
                      const struct lh_blobs_options *folder)
{
    struct lh_error error = LH_ERROR_INIT;
    struct pulse_bulk_options options = bulk != NULL ? *bulk : (struct pulse_bulk_options){0};
    struct lh_blobs_options standard = {0};
    char blobs[300], endpoint[WIRE_ENDPOINT_SIZE];
    snprintf(blobs, sizeof blobs, "%s/media", stage->path);
    need(lh_blobs_open(blobs, folder != NULL ? folder : &standard, &stage->blobs, &error) == LH_OK, blobs, &error);
    options.blobs = stage->blobs;
    options.user = stage;
    options.ask = ask;
    pthread_mutex_lock(&stage->lock);
    need(pulse_bulk_new(&options, &stage->bulk, &error) == LH_OK, "bulk", &error);
    pthread_mutex_unlock(&stage->lock);
    struct wire_link *link = pulse_bulk_link(stage->bulk);
    const char *key = stage->client.public_key;
    if (stage->tcp) {
        snprintf(endpoint, sizeof endpoint, "%s", *stage->endpoint != '\0' ? stage->endpoint : "tcp://127.0.0.1:*");
        need(wire_link_allow(link, &key, 1) == LH_OK, "allow", NULL);
    } else {
        snprintf(endpoint, sizeof endpoint, "ipc://%.200s/bulk.ipc", stage->path);
    }
    struct wire_socket_options socket = {
        .kind = WIRE_ROUTER, .endpoint = endpoint, .keys = stage->tcp ? &stage->server : NULL};
    uint32_t number = 0;
    need(wire_link_open(link, &socket, &number, &error) == LH_OK, endpoint, &error);
    wire_link_endpoint(link, number, stage->endpoint);
}

void bulk_stage_stop(struct bulk_stage *stage)
{
    pulse_bulk_free(stage->bulk);
    lh_blobs_close(stage->blobs);
    stage->bulk = NULL;
    stage->blobs = NULL;
}

void bulk_stage_free(struct bulk_stage *stage)
{
    bulk_stage_stop(stage);
    folders_remove(stage->path);
    pthread_mutex_destroy(&stage->lock);
    free(stage);
}

static struct wire_caller_options caller_options(const struct bulk_stage *stage)
{
    return (struct wire_caller_options){.endpoint = stage->endpoint,
                                        .keys = stage->tcp ? &stage->client : NULL,
                                        .server_key = stage->tcp ? stage->server.public_key : NULL};
}

struct wire_bulk *bulk_stage_client(const struct bulk_stage *stage)
{
    struct wire_bulk *client = NULL;
    struct wire_caller_options options = caller_options(stage);
    need(wire_bulk_new(&options, &client) == LH_OK, "client", NULL);
    return client;
}

struct wire_caller *bulk_stage_caller(const struct bulk_stage *stage)
{
    struct wire_caller *caller = NULL;
    struct lh_error error = LH_ERROR_INIT;
    struct wire_caller_options options = caller_options(stage);
    need(wire_caller_new(&options, 10000, &caller, &error) == LH_OK, "caller", &error);
    return caller;
}

uint8_t *bulk_stage_bytes(uint64_t seed, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    need(bytes != NULL, "no memory", NULL);
    uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (uint8_t)(state >> 24);
    }
    return bytes;
}

struct wire_transfer bulk_stage_transfer(const void *data, size_t size, const char *token)
{
    struct wire_transfer transfer = {.size = size, .token = token, .patience_ms = PATIENCE_MS};
    need(lh_digest_bytes(data, size, &transfer.digest) == LH_OK, "digest", NULL);
    return transfer;
}

int bulk_stage_file(const void *data, size_t size)
{
    int fd = memfd_create("upload", MFD_CLOEXEC);
    need(fd >= 0, "memory file", NULL);
    for (size_t done = 0; done < size;) {
        ssize_t put = write(fd, (const uint8_t *)data + done, size - done);
        need(put > 0, "write", NULL);
        done += (size_t)put;
    }
    return fd;
}

enum lh_status bulk_stage_take(void *context, const void *data, size_t size, struct lh_error *error)
{
    struct bulk_taken *taken = context;
    (void)error;
    need(size <= taken->capacity - taken->size, "more came than there is", NULL);
    memcpy(taken->data + taken->size, data, size);
    taken->size += size;
    return LH_OK;
}
