/* SPDX-License-Identifier: MIT */
/* Blobs between two processes of one host: the bulk conversation over ipc and over tcp with CURVE, each verified and
   stored; bare ZeroMQ frames of 1 MiB over the same transports, thrown away; and what neighbours do instead, handing a
   file over by its name. MiB/s, one blob at a time, medians of the rounds.

   usage: bulk [MIB] [ROUNDS] */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "tests/pulse-daemon/service/bulk_stage.h"

#define MIB ((size_t)1 << 20)
#define ROUNDS_MAX 50u

static size_t mebibytes = 256;
static unsigned rounds = 5;

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "bulk: %s fails\n", what);
        exit(EXIT_FAILURE);
    }
}

static double seconds_since(uint64_t began)
{
    return (double)(lh_clock_monotonic_ns() - began) / 1e9;
}

static int compare(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static void report(const char *what, double *seconds, unsigned count)
{
    qsort(seconds, count, sizeof *seconds, compare);
    printf("%-58s %9.0f MiB/s\n", what, (double)mebibytes / seconds[count / 2]);
    fflush(stdout);
}

static enum lh_status drop(void *context, const void *data, size_t size, struct lh_error *error)
{
    (void)data;
    (void)error;
    *(size_t *)context += size;
    return LH_OK;
}

/* ---- The bulk conversation */

static noreturn void serve(struct bulk_stage *stage, int told)
{
    stage->trusting = true;
    bulk_stage_start(stage, NULL, NULL);
    need(write(told, stage->endpoint, sizeof stage->endpoint) == (ssize_t)sizeof stage->endpoint, "the pipe");
    for (;;) {
        pause();
    }
}

static void measure_bulk(bool tcp)
{
    double put[ROUNDS_MAX], get[ROUNDS_MAX];
    struct bulk_stage *stage = bulk_stage_new(tcp);
    int ends[2];
    need(pipe(ends) == 0, "a pipe");
    pid_t child = fork(); /* before either side has a context of ZeroMQ */
    if (child == 0) {
        serve(stage, ends[1]);
    }
    need(read(ends[0], stage->endpoint, sizeof stage->endpoint) == (ssize_t)sizeof stage->endpoint, "the server");
    struct wire_bulk *client = bulk_stage_client(stage);
    for (unsigned i = 0; i < rounds; i++) {
        uint8_t *bytes = bulk_stage_bytes(i + 1, mebibytes * MIB);
        struct wire_transfer transfer = bulk_stage_transfer(bytes, mebibytes * MIB, "t1");
        int fd = bulk_stage_file(bytes, mebibytes * MIB);
        free(bytes);
        uint64_t began = lh_clock_monotonic_ns();
        need(wire_bulk_put(client, &transfer, fd, NULL) == LH_OK, "a put");
        put[i] = seconds_since(began);
        size_t taken = 0;
        began = lh_clock_monotonic_ns();
        need(wire_bulk_get(client, &transfer, 0, drop, &taken, NULL) == LH_OK, "a get");
        get[i] = seconds_since(began);
        need(taken == mebibytes * MIB, "a get");
        close(fd);
    }
    wire_bulk_free(client);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    bulk_stage_free(stage);
    report(tcp ? "upload, tcp with CURVE (hashed, stored, on the disk)" : "upload, ipc (hashed, stored, on the disk)",
           put, rounds);
    report(tcp ? "download, tcp with CURVE" : "download, ipc", get, rounds);
}

/* ---- Bare frames */

static void set_curve(void *socket, const struct wire_keys *own, const char *server)
{
    int one = 1;
    if (server == NULL) {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &one, sizeof one);
    } else {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server, strlen(server) + 1);
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own->public_key, sizeof own->public_key);
    }
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own->secret_key, sizeof own->secret_key);
}

static noreturn void swallow(const char *endpoint, const struct wire_keys *keys, int told)
{
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_PAIR);
    char bound[WIRE_ENDPOINT_SIZE];
    size_t size = sizeof bound;
    if (keys != NULL) {
        set_curve(socket, keys, NULL);
    }
    need(zmq_bind(socket, endpoint) == 0, "a bare bind");
    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size);
    need(write(told, bound, sizeof bound) == (ssize_t)sizeof bound, "the pipe");
    for (size_t i = 1;; i++) {
        zmq_msg_t message;
        zmq_msg_init(&message);
        need(zmq_msg_recv(&message, socket, 0) == (int)MIB, "a frame");
        zmq_msg_close(&message);
        if (i % mebibytes == 0) {
            zmq_send(socket, "", 1, 0);
        }
    }
}

static void measure_bare(bool tcp)
{
    double seconds[ROUNDS_MAX];
    struct bulk_stage *stage = bulk_stage_new(tcp);
    char endpoint[WIRE_ENDPOINT_SIZE], bound[WIRE_ENDPOINT_SIZE];
    int ends[2];
    snprintf(endpoint, sizeof endpoint, tcp ? "tcp://127.0.0.1:*" : "ipc://%.200s/bare", stage->path);
    need(pipe(ends) == 0, "a pipe");
    pid_t child = fork();
    if (child == 0) {
        swallow(endpoint, tcp ? &stage->server : NULL, ends[1]);
    }
    need(read(ends[0], bound, sizeof bound) == (ssize_t)sizeof bound, "the other side");
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_PAIR);
    if (tcp) {
        set_curve(socket, &stage->client, stage->server.public_key);
    }
    need(zmq_connect(socket, bound) == 0, "a bare connect");
    uint8_t *bytes = bulk_stage_bytes(1, MIB);
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t began = lh_clock_monotonic_ns();
        char answer;
        for (size_t m = 0; m < mebibytes; m++) {
            zmq_send(socket, bytes, MIB, 0);
        }
        need(zmq_recv(socket, &answer, 1, 0) == 1, "a bare answer");
        seconds[i] = seconds_since(began);
    }
    free(bytes);
    zmq_close(socket);
    zmq_ctx_term(context);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    bulk_stage_free(stage);
    report(tcp ? "bare ZeroMQ frames, tcp with CURVE (thrown away)" : "bare ZeroMQ frames, ipc (thrown away)", seconds,
           rounds);
}

/* ---- Neighbours */

/* The bytes exist in a file, as a render leaves them; what is measured is how they come to be the other's. */
static void measure_neighbours(void)
{
    double over[ROUNDS_MAX], read_back[ROUNDS_MAX], kept[ROUNDS_MAX];
    struct bulk_stage *stage = bulk_stage_new(false);
    struct lh_blobs *blobs = NULL;
    char folder[300];
    snprintf(folder, sizeof folder, "%s/media", stage->path);
    need(lh_blobs_open(folder, &(struct lh_blobs_options){0}, &blobs, NULL) == LH_OK, "the folder");
    for (unsigned i = 0; i < 2 * rounds; i++) {
        char name[LH_BLOBS_NAME_SIZE];
        int fd = -1;
        uint8_t *bytes = bulk_stage_bytes(i + 1, mebibytes * MIB);
        struct lh_blob blob = {.size = mebibytes * MIB, .kind = i < rounds ? LH_BLOBS_CACHED : LH_BLOBS_KEPT};
        need(lh_digest_bytes(bytes, blob.size, &blob.digest) == LH_OK, "a digest");
        need(lh_blobs_hand_over(folder, name, &fd, NULL) == LH_OK, "handing over");
        need(lh_file_write_at(fd, bytes, blob.size, 0) == 0, "writing");
        close(fd);
        free(bytes);
        uint64_t began = lh_clock_monotonic_ns();
        need(lh_blobs_adopt(blobs, name, &blob, false, &blob, NULL) == LH_OK, "adopting");
        *(i < rounds ? &over[i] : &kept[i - rounds]) = seconds_since(began);
        began = lh_clock_monotonic_ns();
        need(lh_blobs_visit_read(folder, &blob.digest, blob.size, &fd, NULL) == LH_OK, "reading");
        read_back[i % rounds] = seconds_since(began);
        close(fd);
        lh_blobs_release(blobs, &blob.digest);
        if (lh_blobs_mark(blobs, &blob.digest, 0)) {
            need(lh_blobs_remove(blobs, &blob.digest, NULL, NULL) == LH_OK, "removing");
        }
        lh_blobs_empty_trash(blobs);
    }
    lh_blobs_close(blobs);
    bulk_stage_free(stage);
    report("result handed over on the same host, can be made again", over, rounds);
    report("result handed over on the same host, on the disk", kept, rounds);
    report("blob opened by its name on the same host", read_back, rounds);
}

static void measure_digest(void)
{
    double seconds[ROUNDS_MAX];
    uint8_t *bytes = bulk_stage_bytes(1, mebibytes * MIB);
    for (unsigned i = 0; i < rounds; i++) {
        struct lh_digest digest;
        uint64_t began = lh_clock_monotonic_ns();
        need(lh_digest_bytes(bytes, mebibytes * MIB, &digest) == LH_OK, "a digest");
        seconds[i] = seconds_since(began);
    }
    free(bytes);
    report("SHA-256 alone, one thread", seconds, rounds);
}

int main(int count, char **arguments)
{
    mebibytes = count > 1 ? (size_t)strtoull(arguments[1], NULL, 10) : mebibytes;
    rounds = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : rounds;
    need(mebibytes > 0 && rounds > 0 && rounds <= ROUNDS_MAX, "reading the arguments: bulk [MIB] [ROUNDS]");
    measure_digest();
    for (unsigned tcp = 0; tcp < 2; tcp++) {
        measure_bare(tcp != 0);
        measure_bulk(tcp != 0);
    }
    measure_neighbours();
    return EXIT_SUCCESS;
}
