/* SPDX-License-Identifier: MIT */
/* Asking Pulse. */
#include "cli/farm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "common/base/clock.h"
#include "common/base/file.h"

#define MS_NS (LH_CLOCK_SECOND_NS / 1000)
#define RETRY_MS 100
#define CONNECT_MS 1000
#define FIRST_MS 3000 /* where nobody ever was, nobody is waited for any longer */
#define TELL_MS 2000  /* a farm that is gone for so long is told of */
#define GONE_MS 60000 /* and after so long it is given up, whatever time there was */
#define WAIT_MS 200   /* a signal ends a wait; that one that comes just before it has to be noticed, too */

struct cli_farm {
    struct cli_farm_place place;
    struct wire_keys keys;
    char server_key[WIRE_KEY_SIZE];
    struct wire_caller *caller; /* NULL: not connected */
    bool was_there;             /* it has answered before */
    uint64_t gone_ns;           /* when the connection broke; 0: it has not */
    bool told_gone;
    uint64_t last_id;
    const Wire__Error *refusal;
};

enum lh_status cli_farm_find(struct lh_arena *arena, const struct lh_options *options, struct cli_farm_place *place,
                             struct lh_error *error)
{
    struct cli_farm_place found = {
        .endpoint = lh_options_text(options, "server"),
        .token = lh_options_text(options, "token"),
        .keys = lh_options_text(options, "keys"),
    };
    bool local = found.endpoint == NULL || strncmp(found.endpoint, "ipc:", 4) == 0;
    if (!local && (found.token == NULL || found.keys == NULL)) {
        return lh_error_set(error, LH_ERR_USAGE, "--server", "a farm elsewhere takes --token and --keys, too");
    }
    struct cli_home home;
    enum lh_status status = local ? cli_home_find(arena, options, &home, error) : LH_OK;
    if (status == LH_OK && found.endpoint == NULL) {
        found.endpoint = cli_home_endpoint(arena, &home, "clients");
        status = found.endpoint != NULL ? LH_OK : lh_error_no_memory(error);
    }
    if (status == LH_OK && found.token == NULL) {
        char *token = lh_arena_alloc(arena, CLI_TOKEN_SIZE);
        found.token = token;
        status = token != NULL ? cli_home_token(&home, token, error) : lh_error_no_memory(error);
    }
    if (status == LH_OK) {
        *place = found;
    }
    return status;
}

/* Our pair, and whom we expect at the other end. */
static enum lh_status load_keys(struct cli_farm *farm, struct lh_error *error)
{
    char path[PATH_MAX];
    enum lh_status status = wire_keys_load(farm->place.keys, &farm->keys, error);
    if (status != LH_OK) {
        return status;
    }
    if (snprintf(path, sizeof path, "%s" CLI_FARM_SERVER_SUFFIX, farm->place.keys) >= (int)sizeof path) {
        return lh_error_set(error, LH_ERR_LIMIT, "--keys", "the path is too long");
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    int code = fd < 0 ? errno : lh_file_read_some_at(fd, farm->server_key, WIRE_KEY_SIZE - 1, 0, &length);
    if (fd >= 0) {
        close(fd);
    }
    if (code != 0) {
        return lh_error_set(error, LH_ERR_MISSING, path, "the farm's key cannot be read: %s", strerror(code));
    }
    return wire_key_valid(farm->server_key) ? LH_OK
                                            : lh_error_set(error, LH_ERR_INVALID, path, "this is no public key");
}

enum lh_status cli_farm_open(const struct cli_farm_place *place, struct cli_farm **farm, struct lh_error *error)
{
    struct cli_farm *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->place = *place;
    enum lh_status status = place->keys != NULL ? load_keys(made, error) : LH_OK;
    if (status != LH_OK) {
        cli_farm_close(made);
        return status;
    }
    *farm = made;
    return LH_OK;
}

void cli_farm_close(struct cli_farm *farm)
{
    if (farm != NULL) {
        wire_caller_free(farm->caller);
        free(farm);
    }
}

void cli_farm_bulk_options(const struct cli_farm *farm, const char *endpoint, struct wire_caller_options *options)
{
    *options = (struct wire_caller_options){.endpoint = endpoint};
    if (farm->place.keys != NULL) {
        options->keys = &farm->keys;
        options->server_key = farm->server_key;
    }
}

const char *cli_farm_server_key(const struct cli_farm *farm)
{
    return farm->server_key;
}

const Wire__Error *cli_farm_refusal(const struct cli_farm *farm)
{
    return farm->refusal;
}

/* ---- time and signals ---- */

static int left_ms(uint64_t deadline_ns)
{
    uint64_t now_ns = lh_clock_monotonic_ns();
    return now_ns < deadline_ns ? (int)((deadline_ns - now_ns + MS_NS - 1) / MS_NS) : 0;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static enum lh_status wait_ms(uint32_t milliseconds, uint64_t deadline_ns)
{
    int span_ms = least((int)milliseconds, left_ms(deadline_ns));
    struct timespec span = {.tv_sec = span_ms / 1000, .tv_nsec = span_ms % 1000 * 1000000L};
    (void)nanosleep(&span, NULL); /* a signal ends it early */
    return cli_interrupted() ? LH_ERR_CANCELLED : LH_OK;
}

/* ---- one try ---- */

static enum lh_status connect_now(struct cli_farm *farm, uint64_t deadline_ns, struct lh_error *error)
{
    if (farm->caller != NULL) {
        return LH_OK;
    }
    struct wire_caller_options options = {.endpoint = farm->place.endpoint, .message_max = WIRE_MESSAGE_MAX};
    if (farm->place.keys != NULL) {
        options.keys = &farm->keys;
        options.server_key = farm->server_key;
    }
    enum lh_status status = wire_caller_new(&options, least(CONNECT_MS, left_ms(deadline_ns)), &farm->caller, error);
    if (status == LH_ERR_UNAVAILABLE && !farm->was_there && farm->place.keys == NULL) {
        return lh_error_set(error, status, farm->place.endpoint, "nobody is there: start a farm with 'loophole up'");
    }
    return status == LH_ERR_MISSING || status == LH_ERR_CANCELLED ? LH_ERR_UNAVAILABLE : status;
}

/* A connection whose other side is gone never works again: the next question makes its own. */
static enum lh_status broken(struct cli_farm *farm, enum lh_status status)
{
    if (status == LH_ERR_UNAVAILABLE) {
        wire_caller_free(farm->caller);
        farm->caller = NULL;
    }
    return status;
}

static enum lh_status send_question(struct cli_farm *farm, const Wire__Envelope *question, uint64_t deadline_ns,
                                    struct lh_error *error)
{
    Wire__Envelope envelope = *question;
    envelope.id = ++farm->last_id;
    envelope.has_remaining_ms = true;
    envelope.remaining_ms = (uint32_t)left_ms(deadline_ns);
    envelope.token = (char *)(uintptr_t)farm->place.token;
    uint8_t *data;
    size_t size;
    enum lh_status status = wire_envelope_pack(&envelope, &data, &size, error);
    if (status != LH_OK) {
        return status;
    }
    struct wire_buffer buffer = {.data = data, .size = size};
    return broken(farm, wire_caller_send(farm->caller, &buffer, NULL, error));
}

/* The next message of any kind; NULL in *envelope when none comes in time. */
static enum lh_status receive(struct cli_farm *farm, struct lh_arena *arena, uint64_t deadline_ns,
                              const Wire__Envelope **envelope, struct lh_error *error)
{
    *envelope = NULL;
    for (;;) {
        struct wire_answer came;
        enum lh_status status = wire_caller_receive(farm->caller, least(WAIT_MS, left_ms(deadline_ns)), &came, error);
        if (cli_interrupted()) {
            return LH_ERR_CANCELLED;
        }
        if (status == LH_OK) {
            return wire_envelope_unpack(came.envelope, came.envelope_size, arena, envelope, error);
        }
        if (status != LH_ERR_CANCELLED || left_ms(deadline_ns) == 0) {
            return status == LH_ERR_CANCELLED ? LH_OK : broken(farm, status);
        }
    }
}

/* The answer to the latest question. */
static enum lh_status await(struct cli_farm *farm, struct lh_arena *arena, uint64_t deadline_ns,
                            const Wire__Envelope **answer, struct lh_error *error)
{
    for (;;) {
        const Wire__Envelope *came;
        enum lh_status status = receive(farm, arena, deadline_ns, &came, error);
        if (status != LH_OK) {
            return status;
        }
        if (came == NULL) {
            return lh_error_set(error, LH_ERR_UNAVAILABLE, farm->place.endpoint, "no answer in time");
        }
        if (came->has_correlation && came->correlation == farm->last_id) {
            *answer = came;
            return LH_OK;
        }
    }
}

/* ---- asking ---- */

static void is_there(struct cli_farm *farm)
{
    if (farm->told_gone) {
        fputs("loophole: the farm is back\n", stderr);
    }
    farm->was_there = true;
    farm->told_gone = false;
    farm->gone_ns = 0;
}

/* True: it is given up. */
static bool is_gone(struct cli_farm *farm)
{
    uint64_t now_ns = lh_clock_monotonic_ns();
    if (!farm->was_there) {
        return false;
    }
    if (farm->gone_ns == 0) {
        farm->gone_ns = now_ns;
    }
    uint64_t gone_ms = (now_ns - farm->gone_ns) / MS_NS;
    if (gone_ms >= TELL_MS && !farm->told_gone && !farm->place.silent) {
        fprintf(stderr, "%sloophole: the farm is gone; waiting until it is back, for a minute at most\n",
                isatty(STDERR_FILENO) ? "\r\033[K" : "");
        farm->told_gone = true;
    }
    return gone_ms >= GONE_MS;
}

/* An Error in the place of an answer. True: ask again after *retry_ms. */
static bool is_for_later(const Wire__Error *refusal, uint32_t *retry_ms)
{
    *retry_ms = refusal->has_retry_after_ms ? refusal->retry_after_ms : RETRY_MS;
    return refusal->code == WIRE__ERROR_CODE__ERROR_BUSY || refusal->code == WIRE__ERROR_CODE__ERROR_UNAVAILABLE;
}

static enum lh_status take(struct cli_farm *farm, const Wire__Envelope *came, Wire__Envelope__BodyCase expected,
                           struct lh_error *error)
{
    if (came->body_case == expected) {
        return LH_OK;
    }
    if (came->body_case != WIRE__ENVELOPE__BODY_ERROR) {
        return lh_error_set(error, LH_ERR_FORMAT, farm->place.endpoint, "answered %s instead of %s",
                            wire_body_name(came->body_case), wire_body_name(expected));
    }
    farm->refusal = came->error;
    enum lh_status status = wire_error_status(came->error->code);
    return lh_error_set(error, status != LH_OK ? status : LH_ERR_INTERNAL, came->error->where, "%s",
                        came->error->message);
}

enum lh_status cli_farm_ask(struct cli_farm *farm, struct lh_arena *arena, const Wire__Envelope *question,
                            Wire__Envelope__BodyCase expected, uint32_t timeout_ms, const Wire__Envelope **answer,
                            struct lh_error *error)
{
    uint64_t begun_ns = lh_clock_monotonic_ns(), deadline_ns = begun_ns + timeout_ms * MS_NS;
    uint64_t first_ns = begun_ns + FIRST_MS * MS_NS;
    farm->refusal = NULL;
    for (;;) {
        const Wire__Envelope *came = NULL;
        uint32_t retry_ms = RETRY_MS;
        enum lh_status status =
            connect_now(farm, farm->was_there || deadline_ns < first_ns ? deadline_ns : first_ns, error);
        if (status == LH_OK) {
            is_there(farm);
        }
        status = status == LH_OK ? send_question(farm, question, deadline_ns, error) : status;
        status = status == LH_OK ? await(farm, arena, deadline_ns, &came, error) : status;
        if (status == LH_OK) {
            status = take(farm, came, expected, error);
            if (status == LH_OK) {
                *answer = came;
                return LH_OK;
            }
            if (farm->refusal == NULL || !is_for_later(farm->refusal, &retry_ms)) {
                return status;
            }
        } else if (status != LH_ERR_UNAVAILABLE || is_gone(farm)) {
            return status;
        }
        if (left_ms(farm->was_there || deadline_ns < first_ns ? deadline_ns : first_ns) <= (int)retry_ms) {
            return status;
        }
        if (wait_ms(retry_ms, deadline_ns) != LH_OK) {
            return LH_ERR_CANCELLED;
        }
    }
}

enum lh_status cli_farm_next(struct cli_farm *farm, struct lh_arena *arena, uint32_t timeout_ms,
                             const Wire__Envelope **event, struct lh_error *error)
{
    if (farm->caller == NULL) {
        return lh_error_set(error, LH_ERR_UNAVAILABLE, farm->place.endpoint, "the connection broke");
    }
    return receive(farm, arena, lh_clock_monotonic_ns() + timeout_ms * MS_NS, event, error);
}
