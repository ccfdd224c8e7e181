/* SPDX-License-Identifier: MIT */
/* What the commands below `plugins` share. */
#ifndef CLI_PLUGINS_H
#define CLI_PLUGINS_H

#include "cli/catalogue.h"
#include "common/json/json.h"

/* A plugin with what probes have shown of it. */
struct cli_plugin {
    struct graph_plugin_facts facts;
    const struct inventory_evidence *evidence; /* NULL: never tried */
};

/* Reads one of the index. */
LH_NODISCARD enum lh_status cli_plugin_read(struct engine_catalogue *catalogue, size_t entry, struct cli_plugin *plugin,
                                            struct lh_error *error);
/* "repeatable", ..., "refused" when this host cannot run it, "untried". */
const char *cli_plugin_status(const struct cli_plugin *plugin);

/* Members that every array of plugins has, into an object that is open: uri, name, version, digest, status, repeatable,
   blockInvariant, latencyFrames, ... */
void cli_plugin_emit(struct lh_json_emitter *emitter, const struct cli_plugin *plugin);

/* A command that fails: says so. Gives the exit status. */
int cli_plugins_failed(const char *command, enum lh_status status, const struct lh_error *error);
/* Lines on plugins whose data make no sense, as warnings. */
void cli_plugins_warn(const struct engine_catalogue *catalogue);

#endif
