/* SPDX-License-Identifier: MIT */
/* Either side of the bulk conversation as a process of its own, so that it can be killed.

   usage: bulk_tool serve FOLDER             serves FOLDER/bulk.ipc from FOLDER/media until it is killed
          bulk_tool put ENDPOINT SEED SIZE TOKEN
          bulk_tool get ENDPOINT SEED SIZE TOKEN
   exit status: the transfer's status */
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>

#include "tests/pulse-daemon/service/bulk_stage.h"

static noreturn void serve(const char *folder)
{
    struct bulk_stage *stage = bulk_stage_new(false);
    rmdir(stage->path);
    snprintf(stage->path, sizeof stage->path, "%s", folder);
    stage->trusting = true;
    bulk_stage_start(stage, &(struct pulse_bulk_options){.chunk_size = 1u << 16}, NULL);
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        pause();
    }
}

static int carry(bool put, const char *endpoint, uint64_t seed, size_t size, const char *token)
{
    struct wire_caller_options options = {.endpoint = endpoint};
    struct wire_bulk *client = NULL;
    struct lh_error error = LH_ERROR_INIT;
    uint8_t *bytes = bulk_stage_bytes(seed, size);
    struct bulk_taken taken = {.data = malloc(size + 1), .capacity = size};
    struct wire_transfer transfer = bulk_stage_transfer(bytes, size, token);
    if (wire_bulk_new(&options, &client) != LH_OK || taken.data == NULL) {
        abort();
    }
    enum lh_status status = LH_OK;
    if (put) {
        int fd = bulk_stage_file(bytes, size);
        status = wire_bulk_put(client, &transfer, fd, &error);
        close(fd);
    } else {
        status = wire_bulk_get(client, &transfer, 0, bulk_stage_take, &taken, &error);
        bool same = taken.size == size && memcmp(taken.data, bytes, size) == 0;
        status = status == LH_OK && !same ? LH_ERR_INTERNAL : status;
    }
    if (status != LH_OK) {
        fprintf(stderr, "%s\n", error.message);
    }
    wire_bulk_free(client);
    free(taken.data);
    free(bytes);
    return (int)status;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "serve") == 0) {
        serve(arguments[2]);
    }
    if (count != 6) {
        fprintf(stderr, "usage: bulk_tool serve FOLDER | put|get ENDPOINT SEED SIZE TOKEN\n");
        return 99;
    }
    return carry(strcmp(arguments[1], "put") == 0, arguments[2], strtoull(arguments[3], NULL, 10),
                 (size_t)strtoull(arguments[4], NULL, 10), arguments[5]);
}
