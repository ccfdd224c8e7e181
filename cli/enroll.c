/* SPDX-License-Identifier: MIT */
/* loophole enroll NAME: makes keys for another machine and tells the farm of them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/farm_list.h"
#include "proto/link/keys.h"

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

/* The farm's public key: of one elsewhere we have it, of one here it is in the data folder. */
static enum lh_status find_server_key(struct lh_arena *arena, const struct lh_options *options,
                                      const struct cli_farm *farm, char key[WIRE_KEY_SIZE], struct lh_error *error)
{
    struct cli_home home;
    struct wire_keys pulse;
    const char *known = cli_farm_server_key(farm);
    if (known[0] != '\0') {
        memcpy(key, known, WIRE_KEY_SIZE);
        return LH_OK;
    }
    enum lh_status status = cli_home_find(arena, options, &home, error);
    const char *keys = status == LH_OK ? cli_home_path(arena, &home, "keys/pulse.curve") : NULL;
    if (status == LH_OK && keys == NULL) {
        status = lh_error_no_memory(error);
    }
    status = status == LH_OK ? wire_keys_ensure(keys, &pulse, error) : status;
    if (status == LH_OK) {
        memcpy(key, pulse.public_key, WIRE_KEY_SIZE);
        explicit_bzero(pulse.secret_key, sizeof pulse.secret_key);
    }
    return status;
}

static enum lh_status save_server_key(const char *path, const char *key, struct lh_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool written = fd >= 0 && dprintf(fd, "%s\n", key) > 0;
    int code = errno;
    if (fd >= 0) {
        close(fd);
    }
    return written ? LH_OK : lh_error_set(error, LH_ERR_IO, path, "cannot be written: %s", strerror(code));
}

static enum lh_status tell_farm(struct lh_arena *arena, const struct lh_options *options, struct cli_farm *farm,
                                const struct wire_keys *keys, struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__PeerEnroll body = WIRE__PEER_ENROLL__INIT;
    const Wire__Envelope *answer;
    body.tags = cli_farm_tags(arena, options, &body.n_tags);
    if (body.tags == NULL) {
        return lh_error_no_memory(error);
    }
    body.public_key = wire_text(keys->public_key);
    body.name = wire_text(options->operands[0]);
    body.role = wire_text(lh_options_text(options, "role"));
    WIRE_BODY(&question, PEER_ENROLL, peer_enroll, &body);
    return cli_farm_ask(farm, arena, &question, WIRE__ENVELOPE__BODY_DONE, CLI_FARM_ASK_MS, &answer, error);
}

/* Both files are there before the farm knows the key, and gone again if it does not take it. */
static enum lh_status enroll(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                             struct lh_error *error)
{
    struct wire_keys keys;
    char server_key[WIRE_KEY_SIZE], server_file[PATH_MAX];
    const char *file = lh_options_text(options, "output");
    if (file == NULL) {
        return lh_error_set(error, LH_ERR_USAGE, "--output", "name a file for the keys");
    }
    if (snprintf(server_file, sizeof server_file, "%s" CLI_FARM_SERVER_SUFFIX, file) >= (int)sizeof server_file) {
        return lh_error_set(error, LH_ERR_LIMIT, "--output", "the path is too long");
    }
    enum lh_status status = find_server_key(arena, options, farm, server_key, error);
    status = status == LH_OK ? wire_keys_generate(&keys, error) : status;
    status = status == LH_OK ? wire_keys_save(&keys, file, error) : status;
    if (status != LH_OK) {
        return status;
    }
    status = save_server_key(server_file, server_key, error);
    status = status == LH_OK ? tell_farm(arena, options, farm, &keys, error) : status;
    if (status != LH_OK) {
        unlink(file);
        unlink(server_file);
    }
    explicit_bzero(&keys, sizeof keys);
    return status;
}

static int run(const struct lh_options *options)
{
    return cli_farm_run("enroll", options, enroll);
}

const struct cli_command cli_command_enroll = {
    .name = "enroll",
    .summary = "Let another machine connect to a farm",
    .options = &table,
    .run = run,
};
