/* SPDX-License-Identifier: MIT */
/* Asking a Pulse. */
#include "tests/pulse-daemon/service/asking.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/blobs/blobs.h"
#include "pulse-daemon/service/service.h"
#include "tests/support/folders.h"

char asking_folder[200], asking_token[100];
struct lh_arena asking_arena;
struct lh_error asking_error;
static struct pulse_service *service;
static struct wire_caller *caller;
static uint64_t asked;

static void on_end(void *context)
{
    (void)context;
}

static void read_token(void)
{
    char path[300];
    snprintf(path, sizeof path, "%s/token", asking_folder);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(asking_token, sizeof asking_token, file));
    asking_token[strcspn(asking_token, "\n")] = '\0';
    fclose(file);
}

struct wire_caller *asking_connect(void)
{
    char endpoint[300];
    struct wire_caller *made;
    snprintf(endpoint, sizeof endpoint, "ipc://%s/run/clients.ipc", asking_folder);
    ck_assert_int_eq(
        wire_caller_new(&(struct wire_caller_options){.endpoint = endpoint}, ASKING_PATIENCE_MS, &made, &asking_error),
        LH_OK);
    return made;
}

void asking_start(const char *store)
{
    folders_make(asking_folder, sizeof asking_folder);
    struct pulse_service_options options = {
        .data = asking_folder, .store = store, .software = "test", .lease_ms = 3000, .beat_ms = 300, .on_end = on_end};
    ck_assert_msg(pulse_service_new(&options, &service, &asking_error) == LH_OK, "%s", asking_error.message);
    caller = asking_connect();
    lh_arena_init(&asking_arena);
    asked = 0;
    read_token();
}

void asking_stop(void)
{
    wire_caller_free(caller);
    pulse_service_free(service);
    caller = NULL;
    service = NULL;
}

void asking_clean(void)
{
    asking_stop();
    lh_arena_fini(&asking_arena);
    folders_remove(asking_folder);
}

uint64_t asking_send_by(struct wire_caller *by, const char *token, Wire__Envelope *envelope)
{
    struct wire_buffer buffer = {.data = NULL};
    uint8_t *data;
    envelope->id = ++asked;
    envelope->token = wire_text(token);
    ck_assert_int_eq(wire_envelope_pack(envelope, &data, &buffer.size, &asking_error), LH_OK);
    buffer.data = data;
    ck_assert_int_eq(wire_caller_send(by, &buffer, NULL, &asking_error), LH_OK);
    return asked;
}

uint64_t asking_send(Wire__Envelope *envelope, uint32_t remaining_ms, const char *trace)
{
    envelope->has_remaining_ms = remaining_ms != ASKING_FOR_EVER;
    envelope->remaining_ms = remaining_ms;
    envelope->trace = trace != NULL ? wire_text(trace) : NULL;
    return asking_send_by(caller, asking_token, envelope);
}

const Wire__Envelope *asking_hear_by(struct wire_caller *by)
{
    struct wire_answer answer;
    const Wire__Envelope *envelope;
    ck_assert_msg(wire_caller_receive(by, ASKING_PATIENCE_MS, &answer, &asking_error) == LH_OK, "%s",
                  asking_error.message);
    ck_assert_int_eq(
        wire_envelope_unpack(answer.envelope, answer.envelope_size, &asking_arena, &envelope, &asking_error), LH_OK);
    return envelope;
}

const Wire__Envelope *asking_hear_any(void)
{
    return asking_hear_by(caller);
}

const Wire__Envelope *asking_hear(uint64_t question)
{
    const Wire__Envelope *envelope = asking_hear_any();
    ck_assert_uint_eq(envelope->correlation, question);
    return envelope;
}

const Wire__Envelope *asking_ask(Wire__Envelope *envelope)
{
    return asking_hear(asking_send(envelope, ASKING_FOR_EVER, NULL));
}

const Wire__Error *asking_refused(const Wire__Envelope *answer)
{
    ck_assert_msg(answer->body_case == WIRE__ENVELOPE__BODY_ERROR, "%s", wire_body_name(answer->body_case));
    return answer->error;
}

struct lh_digest asking_upload(const char *text)
{
    char folder[300], name[LH_BLOBS_NAME_SIZE];
    struct lh_digest digest;
    int fd;
    snprintf(folder, sizeof folder, "%s/media", asking_folder);
    ck_assert_int_eq(lh_blobs_hand_over(folder, name, &fd, &asking_error), LH_OK);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    ck_assert_int_eq(lh_digest_bytes(text, strlen(text), &digest), LH_OK);
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__MediaAdopt message = WIRE__MEDIA_ADOPT__INIT;
    message.digest = wire_bytes(digest.bytes, sizeof digest.bytes);
    message.size = strlen(text);
    message.name = wire_text(name);
    WIRE_BODY(&envelope, MEDIA_ADOPT, media_adopt, &message);
    const Wire__Envelope *answer = asking_ask(&envelope);
    ck_assert_msg(answer->body_case == WIRE__ENVELOPE__BODY_STORED, "%s",
                  answer->body_case == WIRE__ENVELOPE__BODY_ERROR ? answer->error->message : "");
    return digest;
}

const Wire__Envelope *asking_create(const char *document)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__ProjectCreate message = WIRE__PROJECT_CREATE__INIT;
    message.document = wire_bytes(document, strlen(document));
    WIRE_BODY(&envelope, PROJECT_CREATE, project_create, &message);
    return asking_ask(&envelope);
}
