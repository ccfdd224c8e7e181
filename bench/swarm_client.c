/* SPDX-License-Identifier: MIT */
/* A client that costs next to nothing: submits projects over one connection, as fast as Pulse takes them.
   bench/swarm.py gives it projects that differ and have one medium, which Pulse has already.

   swarm_client ENDPOINT TOKEN MEDIUM PROJECT...        TOKEN and the others are files; MEDIUM lies beside the projects
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/digest/digest.h"
#include "proto/envelope.h"
#include "proto/link/caller.h"

#define CONNECT_MS 10000
#define ANSWER_MS 60000
#define RETRY_NS 20000000

static struct wire_caller *caller;
static char token[256];
static uint64_t last_id;

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "swarm_client: %s\n", what);
        exit(1);
    }
}

static void *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    need(file != NULL && fseek(file, 0, SEEK_END) == 0, path);
    long length = ftell(file);
    need(length >= 0 && fseek(file, 0, SEEK_SET) == 0, path);
    *size = (size_t)length;
    char *data = malloc(*size + 1);
    need(data != NULL && fread(data, 1, *size, file) == *size, path);
    data[*size] = '\0';
    fclose(file);
    return data;
}

/* The answer to this question; it is asked again while Pulse is too busy. */
static const Wire__Envelope *ask(struct lh_arena *arena, Wire__Envelope *question, Wire__Envelope__BodyCase expected)
{
    struct lh_error error = LH_ERROR_INIT;
    for (;;) {
        struct wire_buffer buffer = {.data = NULL};
        struct wire_answer came;
        const Wire__Envelope *answer;
        uint8_t *data;
        question->id = ++last_id;
        question->token = token;
        need(wire_envelope_pack(question, &data, &buffer.size, &error) == LH_OK, error.message);
        buffer.data = data;
        need(wire_caller_send(caller, &buffer, NULL, &error) == LH_OK, error.message);
        need(wire_caller_receive(caller, ANSWER_MS, &came, &error) == LH_OK, "no answer");
        need(wire_envelope_unpack(came.envelope, came.envelope_size, arena, &answer, &error) == LH_OK, error.message);
        if (answer->body_case == expected) {
            return answer;
        }
        need(answer->body_case == WIRE__ENVELOPE__BODY_ERROR, "an odd answer");
        need(answer->error->code == WIRE__ERROR_CODE__ERROR_BUSY ||
                 answer->error->code == WIRE__ERROR_CODE__ERROR_UNAVAILABLE,
             answer->error->message);
        nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
    }
}

static void submit(const char *path, Wire__ManifestEntry *medium)
{
    struct lh_arena arena;
    size_t size;
    void *document = read_file(path, &size);
    Wire__ProjectCreate create = WIRE__PROJECT_CREATE__INIT;
    Wire__JobSubmit job = WIRE__JOB_SUBMIT__INIT;
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0), second = WIRE_ENVELOPE_INIT(0);
    lh_arena_init(&arena);
    create.document = wire_bytes(document, size);
    create.manifest = &medium;
    create.n_manifest = 1;
    WIRE_BODY(&question, PROJECT_CREATE, project_create, &create);
    const Wire__Envelope *made = ask(&arena, &question, WIRE__ENVELOPE__BODY_REVISION);
    job.idempotency_key = wire_text(path);
    job.project = made->revision->project;
    job.has_revision = true;
    job.revision = made->revision->revision;
    WIRE_BODY(&second, JOB_SUBMIT, job_submit, &job);
    (void)ask(&arena, &second, WIRE__ENVELOPE__BODY_JOB);
    lh_arena_fini(&arena);
    free(document);
}

int main(int argc, char **argv)
{
    need(argc >= 4, "usage: swarm_client ENDPOINT TOKEN MEDIUM PROJECT...");
    const struct wire_caller_options options = {.endpoint = argv[1], .message_max = WIRE_MESSAGE_MAX};
    struct lh_error error = LH_ERROR_INIT;
    struct lh_digest digest;
    size_t size;
    char *text = read_file(argv[2], &size);
    snprintf(token, sizeof token, "%.*s", (int)strcspn(text, "\r\n"), text);
    free(text);
    void *data = read_file(argv[3], &size);
    need(lh_digest_bytes(data, size, &digest) == LH_OK, "no digest");
    free(data);
    const char *name = strrchr(argv[3], '/');
    Wire__ManifestEntry medium = WIRE__MANIFEST_ENTRY__INIT;
    medium.path = wire_text(name != NULL ? name + 1 : argv[3]);
    medium.digest = wire_bytes(digest.bytes, sizeof digest.bytes);
    medium.size = size;
    need(wire_caller_new(&options, CONNECT_MS, &caller, &error) == LH_OK, error.message);
    for (int i = 4; i < argc; i++) {
        submit(argv[i], &medium);
    }
    wire_caller_free(caller);
    return 0;
}
