/* SPDX-License-Identifier: MIT */
/* A bulk service over a folder of blobs, with a service behind it that plays by a few rules, and a client; for tests
   and benches. Every call aborts when it fails. */
#ifndef TESTS_PULSE_DAEMON_SERVICE_BULK_STAGE_H
#define TESTS_PULSE_DAEMON_SERVICE_BULK_STAGE_H

#include <pthread.h>

#include "proto/link/bulk.h"
#include "pulse-daemon/service/bulk.h"

/* The service: a client's token names its tenant ("t1"); "slow-" in front of it: the answer comes from another thread.
 */
struct bulk_stage {
    char path[256]; /* of the folder with everything in it */
    char endpoint[WIRE_ENDPOINT_SIZE];
    bool tcp;
    struct wire_keys server, client; /* tcp */
    struct lh_blobs *blobs;
    struct pulse_bulk *bulk;
    pthread_mutex_t lock;
    struct bulk_known {
        uint64_t owner;
        struct lh_digest digest;
    } known[4096];
    size_t known_count;
    bool trusting;           /* everybody has whatever is in the folder */
    enum lh_status commit;   /* what PUT_DONE is answered with */
    enum lh_blobs_kind kind; /* of uploads */
    uint64_t asked[3];       /* questions of each kind */
};

/* A fresh folder and keys. */
struct bulk_stage *bulk_stage_new(bool tcp);
/* Opens the folder and the service; `bulk` and `folder` may be NULL. */
void bulk_stage_start(struct bulk_stage *stage, const struct pulse_bulk_options *bulk,
                      const struct lh_blobs_options *folder);
void bulk_stage_stop(struct bulk_stage *stage);
/* Stops if need be, and removes the folder. */
void bulk_stage_free(struct bulk_stage *stage);

struct wire_bulk *bulk_stage_client(const struct bulk_stage *stage);
struct wire_caller *bulk_stage_caller(const struct bulk_stage *stage);
/* `size` bytes that follow from `seed`, to be freed. */
uint8_t *bulk_stage_bytes(uint64_t seed, size_t size);
/* A transfer of these bytes in the name of `token`. */
struct wire_transfer bulk_stage_transfer(const void *data, size_t size, const char *token);
/* A memory file with them. */
int bulk_stage_file(const void *data, size_t size);
bool bulk_stage_knows(struct bulk_stage *stage, uint64_t owner, const struct lh_digest *digest);

/* A `take` for wire_bulk_get() that fills a buffer. */
struct bulk_taken {
    uint8_t *data;
    size_t size, capacity;
};
enum lh_status bulk_stage_take(void *context, const void *data, size_t size, struct lh_error *error);

#endif
