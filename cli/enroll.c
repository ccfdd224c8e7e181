/* SPDX-License-Identifier: MIT */
/* loophole enroll NAME: makes keys for another machine and tells the farm of them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/farm.h"
#include "cli/interrupt.h"
#include "cli/talk.h"
#include "proto/link/keys.h"

#define ASK_MS 10000

static const char *const role_names[] = {"worker", "client", NULL};

static const struct lh_option rows[] = {
    CLI_ROWS_FARM,
    {.name = "role",
     .type = LH_OPTION_TEXT,
     .placeholder = "ROLE",
     .choices = role_names,
     .standard = "worker",
     .help = "What it may connect as: worker or client"},
    {.name = "tag",
     .type = LH_OPTION_TEXT,
     .placeholder = "TAG",
     .repeatable = true,
     .help = "A tag that the worker may claim; none: any"},
    {.name = "output",
     .letter = 'o',
     .type = LH_OPTION_TEXT,
     .placeholder = "FILE",
     .help = "File for its keys; the farm's public key goes to FILE.server"},
};

static const struct lh_option_table table = {
    .usage = "enroll NAME -o FILE [options]",
    .summary =
        "Lets a machine connect over a network: makes its keys and tells the farm of them. Both files go to that\n"
        "machine, where only its own user may read the first.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "NAME",
};

/* The farm's public key, from its data folder: who enrols is where Pulse is. */
static enum lh_status save_server_key(struct lh_arena *arena, const struct lh_options *options, const char *file,
                                      struct lh_error *error)
{
    char path[PATH_MAX];
    struct cli_home home;
    struct wire_keys pulse;
    enum lh_status status = cli_home_find(arena, options, &home, error);
    const char *keys = status == LH_OK ? cli_home_path(arena, &home, "keys/pulse.curve") : NULL;
    if (status == LH_OK && keys == NULL) {
        status = lh_error_no_memory(error);
    }
    status = status == LH_OK ? wire_keys_ensure(keys, &pulse, error) : status;
    if (status != LH_OK) {
        return status;
    }
    explicit_bzero(pulse.secret_key, sizeof pulse.secret_key);
    if (snprintf(path, sizeof path, "%s" CLI_FARM_SERVER_SUFFIX, file) >= (int)sizeof path) {
        return lh_error_set(error, LH_ERR_LIMIT, "--output", "the path is too long");
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool written = fd >= 0 && dprintf(fd, "%s\n", pulse.public_key) > 0;
    int code = errno;
    if (fd >= 0) {
        close(fd);
    }
    return written ? LH_OK : lh_error_set(error, LH_ERR_IO, path, "cannot be written: %s", strerror(code));
}

static enum lh_status tell_farm(struct lh_arena *arena, const struct lh_options *options, const struct wire_keys *keys,
                                struct lh_error *error)
{
    struct cli_farm_place place;
    struct cli_farm *farm = NULL;
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__PeerEnroll body = WIRE__PEER_ENROLL__INIT;
    const Wire__Envelope *answer;
    size_t count = lh_options_count(options, "tag");
    char **tags = lh_arena_array(arena, count, sizeof *tags);
    if (tags == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        tags[i] = wire_text(lh_options_at(options, "tag", i)->text);
    }
    body.public_key = wire_text(keys->public_key);
    body.name = wire_text(options->operands[0]);
    body.role = wire_text(lh_options_text(options, "role"));
    body.tags = tags;
    body.n_tags = count;
    WIRE_BODY(&question, PEER_ENROLL, peer_enroll, &body);
    enum lh_status status = cli_farm_find(arena, options, &place, error);
    status = status == LH_OK ? cli_farm_open(&place, &farm, error) : status;
    status = status == LH_OK ? cli_farm_ask(farm, arena, &question, WIRE__ENVELOPE__BODY_DONE, ASK_MS, &answer, error)
                             : status;
    cli_farm_close(farm);
    return status;
}

static int run(const struct lh_options *options)
{
    struct lh_arena arena;
    struct lh_error error = LH_ERROR_INIT;
    struct wire_keys keys;
    const char *file = lh_options_text(options, "output");
    lh_arena_init(&arena);
    cli_interrupt_install(NULL);
    enum lh_status status = file != NULL ? wire_keys_generate(&keys, &error)
                                         : lh_error_set(&error, LH_ERR_USAGE, "--output", "name a file for the keys");
    status = status == LH_OK ? wire_keys_save(&keys, file, &error) : status;
    bool saved = status == LH_OK;
    status = status == LH_OK ? save_server_key(&arena, options, file, &error) : status;
    status = status == LH_OK ? tell_farm(&arena, options, &keys, &error) : status;
    if (status != LH_OK && saved) {
        unlink(file); /* keys that nobody knows of are of no use */
    }
    explicit_bzero(&keys, sizeof keys);
    if (status != LH_OK && status != LH_ERR_CANCELLED) {
        cli_talk_error("enroll", &error);
    }
    lh_arena_fini(&arena);
    return status == LH_ERR_CANCELLED ? cli_interrupt_exit() : (int)cli_exit_of(status);
}

const struct cli_command cli_command_enroll = {
    .name = "enroll",
    .summary = "Let another machine connect to a farm",
    .options = &table,
    .run = run,
};
