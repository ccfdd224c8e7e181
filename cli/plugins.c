/* SPDX-License-Identifier: MIT */
/* loophole plugins: its parts, and what they share. */
#include "cli/plugins.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/talk.h"

enum lh_status cli_plugin_read(struct engine_catalogue *catalogue, size_t entry, struct cli_plugin *plugin,
                               struct lh_error *error)
{
    struct cli_plugin read = {.evidence = NULL};
    enum lh_status status = inventory_index_read(catalogue->index, entry, &read.facts, error);
    status = status == LH_OK ? engine_catalogue_evidence(catalogue, &read.facts, &read.evidence, error) : status;
    if (status == LH_OK) {
        *plugin = read;
    }
    return status;
}

const char *cli_plugin_status(const struct cli_plugin *plugin)
{
    if (plugin->evidence != NULL) {
        return inventory_evidence_status_text(plugin->evidence->status);
    }
    return plugin->facts.refused[0] != '\0' ? inventory_evidence_status_text(INVENTORY_EVIDENCE_REFUSED) : "untried";
}

/* The members of a record of which nothing is known yet. */
static void emit_untried(struct lh_json_emitter *emitter, const struct cli_plugin *plugin)
{
    static const char *const unknown[] = {"repeatable", "blockInvariant", "latencyFrames"};
    char digest[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(&plugin->facts.digest, digest);
    lh_json_put_text(emitter, "uri", plugin->facts.uri);
    lh_json_put_text(emitter, "version", plugin->facts.version);
    lh_json_put_text(emitter, "digest", digest);
    lh_json_put_text(emitter, "status", cli_plugin_status(plugin));
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        lh_json_emit_name(emitter, unknown[i]);
        lh_json_emit_null(emitter);
    }
    lh_json_put_text(emitter, "message", plugin->facts.refused[0] != '\0' ? plugin->facts.refused : NULL);
}

void cli_plugin_emit(struct lh_json_emitter *emitter, const struct cli_plugin *plugin)
{
    const struct graph_plugin_facts *facts = &plugin->facts;
    if (plugin->evidence != NULL) {
        inventory_evidence_emit(emitter, plugin->evidence);
    } else {
        emit_untried(emitter, plugin);
    }
    lh_json_put_text(emitter, "name", facts->name);
    lh_json_put_text(emitter, "author", facts->author);
    lh_json_put_text(emitter, "licence", facts->licence);
    lh_json_put_text(emitter, "category", facts->category);
    lh_json_put_text(emitter, "bundle", facts->bundle);
    lh_json_put_text(emitter, "binary", facts->binary);
    lh_json_put_integer(emitter, "audioInputs", graph_plugin_audio_inputs(facts));
    lh_json_put_integer(emitter, "audioOutputs", graph_plugin_audio_outputs(facts));
    lh_json_put_integer(emitter, "sidechainInputs", graph_plugin_sidechain_inputs(facts));
    lh_json_put_bool(emitter, "takesNotes", graph_plugin_takes_notes(facts));
    lh_json_put_bool(emitter, "reportsLatency", facts->reports_latency);
    lh_json_put_bool(emitter, "hasState", facts->has_state);
    lh_json_put_bool(emitter, "hasWorker", facts->has_worker);
}

int cli_plugins_failed(const char *command, enum lh_status status, const struct lh_error *error)
{
    if (status == LH_ERR_CANCELLED || cli_interrupted()) {
        return cli_interrupt_exit();
    }
    cli_talk_error(command, error);
    return (int)cli_exit_of(status);
}

void cli_plugins_warn(const struct engine_catalogue *catalogue)
{
    char clean[1024];
    for (const char *line = inventory_index_notes(catalogue->index); *line != '\0';) {
        char copy[1024];
        size_t length = strcspn(line, "\n");
        snprintf(copy, sizeof copy, "%.*s", (int)(length < sizeof copy ? length : sizeof copy - 1), line);
        cli_talk_clean(copy, clean, sizeof clean);
        fprintf(stderr, "loophole: warning: %s\n", clean);
        line += length;
        line += *line == '\n' ? 1 : 0;
    }
}

static const struct cli_command *const parts[] = {
    &cli_command_plugins_list,
    &cli_command_plugins_show,
    &cli_command_plugins_probe,
    NULL,
};

const struct cli_command cli_command_plugins = {
    .name = "plugins",
    .summary = "Tell what is known of the plugins of this machine",
    .parts = parts,
};
