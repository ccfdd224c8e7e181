/* SPDX-License-Identifier: MIT */
/* Plugins in reports and summaries. */
#include "cli/used.h"

#include <stdio.h>
#include <string.h>

#include "cli/talk.h"

#define NAMES_TOLD 3
#define TEXT_SIZE 512
#define LINE_SIZE 4096

static const struct pulse_plugin_facts *facts_of(const struct cli_session *session, size_t used)
{
    return &session->facts.plugins[session->compiled->plugins[used].facts];
}

static const struct inventory_evidence *evidence_of(const struct cli_session *session, size_t used)
{
    return session->evidence[session->compiled->plugins[used].facts];
}

static bool is_bypassed(const struct cli_session *session, size_t used)
{
    return session->compiled->plugins[used].graph_node == GRAPH_NONE;
}

static const char *name_of(const struct cli_session *session, size_t used)
{
    const struct graph_plugin_facts *installed = facts_of(session, used)->installed;
    return installed != NULL && installed->name[0] != '\0' ? installed->name : session->compiled->plugins[used].plugin;
}

static bool is_unproven(const struct cli_session *session, size_t used)
{
    return !is_bypassed(session, used) && !facts_of(session, used)->repeatable;
}

static bool changed_latency(const struct cli_session *session, size_t used)
{
    return session->used != NULL && session->used[used].rendered && session->used[used].inserted.latency_changed;
}

/* A plugin that several nodes use is told once. */
static bool is_first(const struct cli_session *session, size_t used)
{
    for (size_t i = 0; i < used; i++) {
        if (session->compiled->plugins[i].facts == session->compiled->plugins[used].facts && !is_bypassed(session, i)) {
            return false;
        }
    }
    return true;
}

/* ---- warnings ---- */

struct warning {
    const char *kind;
    char where[TEXT_SIZE], message[TEXT_SIZE];
};

/* What there is to warn of about one of them; false: nothing. */
static bool warn_of(const struct cli_session *session, size_t used, struct warning *warning)
{
    const struct pulse_used_plugin *plugin = &session->compiled->plugins[used];
    const char *track = session->project->tracks[plugin->track].id;
    if (changed_latency(session, used)) {
        warning->kind = "latencyChanged";
        snprintf(warning->message, sizeof warning->message,
                 "%s told of another latency while it ran than before; its sound may be shifted from there on",
                 name_of(session, used));
    } else if (is_bypassed(session, used)) {
        warning->kind = "bypassed";
        snprintf(warning->message, sizeof warning->message, "%s is not installed and was bypassed", plugin->plugin);
    } else if (plugin->stands_in) {
        warning->kind = "standsIn";
        snprintf(warning->message, sizeof warning->message, "%s stands in for a plugin that is not installed",
                 name_of(session, used));
    } else {
        return false;
    }
    snprintf(warning->where, sizeof warning->where, "track %s, node %s", track, plugin->node);
    return true;
}

static void say(const char *text)
{
    char clean[LINE_SIZE];
    cli_talk_clean(text, clean, sizeof clean);
    fprintf(stderr, "%s\n", clean);
}

/* "2 plugins are not proven repeatable: A, B; ..." */
static void print_unproven(const struct cli_session *session)
{
    char names[LINE_SIZE / 2] = "", line[LINE_SIZE];
    size_t count = 0, length = 0;
    for (size_t i = 0; i < session->compiled->plugin_count; i++) {
        if (!is_unproven(session, i) || !is_first(session, i)) {
            continue;
        }
        if (count < NAMES_TOLD && length < sizeof names) {
            int added =
                snprintf(names + length, sizeof names - length, "%s%s", count > 0 ? ", " : "", name_of(session, i));
            length += added > 0 ? (size_t)added : 0;
        }
        count++;
    }
    if (count > 0) {
        snprintf(line, sizeof line, "%zu plugin%s not proven repeatable: %s%s; 'loophole plugins probe' tells", count,
                 count == 1 ? " is" : "s are", names, count > NAMES_TOLD ? ", ..." : "");
        say(line);
    }
}

void cli_used_print(const struct cli_session *session)
{
    print_unproven(session);
    for (size_t i = 0; i < session->compiled->plugin_count; i++) {
        struct warning warning;
        char line[LINE_SIZE];
        if (warn_of(session, i, &warning)) {
            snprintf(line, sizeof line, "warning: %s: %s", warning.where, warning.message);
            say(line);
        }
    }
}

/* ---- the report ---- */

static void emit_evidence(struct lh_json_emitter *emitter, const struct inventory_evidence *evidence)
{
    lh_json_emit_name(emitter, "evidence");
    if (evidence == NULL) {
        lh_json_emit_null(emitter);
        return;
    }
    lh_json_emit_object(emitter);
    lh_json_put_text(emitter, "status", inventory_evidence_status_text(evidence->status));
    inventory_verdict_emit(emitter, "acrossRuns", evidence->across_runs);
    inventory_verdict_emit(emitter, "beside", evidence->beside);
    inventory_verdict_emit(emitter, "blockInvariant", inventory_evidence_block_invariant(evidence));
    inventory_verdict_emit(emitter, "sameWithoutAvx", evidence->without_avx);
    lh_json_put_text(emitter, "failed", evidence->failed);
    lh_json_put_text(emitter, "message", evidence->message);
    lh_json_emit_object_end(emitter);
}

static void emit_rendered(struct lh_json_emitter *emitter, const struct cli_session *session, size_t used)
{
    const struct cli_used *outcome = session->used != NULL ? &session->used[used] : NULL;
    if (outcome == NULL || !outcome->rendered) {
        return; /* bypassed, or all that it takes part in came from the cache */
    }
    lh_json_put_integer(emitter, "latencyFrames", outcome->inserted.latency);
    lh_json_put_bool(emitter, "latencyChanged", outcome->inserted.latency_changed);
    lh_json_put_integer(emitter, "copies", outcome->inserted.copies);
}

static void emit_plugin(struct lh_json_emitter *emitter, const struct cli_session *session, size_t used)
{
    const struct pulse_used_plugin *plugin = &session->compiled->plugins[used];
    const struct pulse_plugin_facts *facts = facts_of(session, used);
    lh_json_emit_object(emitter);
    lh_json_put_text(emitter, "track", session->project->tracks[plugin->track].id);
    lh_json_put_text(emitter, "node", plugin->node);
    lh_json_put_text(emitter, "uri", plugin->plugin);
    if (facts->installed != NULL) {
        char digest[LH_DIGEST_TEXT_SIZE];
        lh_digest_text(&facts->installed->digest, digest);
        lh_json_put_text(emitter, "name", facts->installed->name);
        lh_json_put_text(emitter, "version", facts->installed->version);
        lh_json_put_text(emitter, "digest", digest);
    }
    lh_json_put_bool(emitter, "standsIn", plugin->stands_in);
    lh_json_put_bool(emitter, "bypassed", is_bypassed(session, used));
    lh_json_put_bool(emitter, "repeatable", facts->repeatable);
    emit_evidence(emitter, evidence_of(session, used));
    emit_rendered(emitter, session, used);
    lh_json_emit_object_end(emitter);
}

void cli_used_emit(struct lh_json_emitter *emitter, const struct cli_session *session)
{
    lh_json_emit_name(emitter, "plugins");
    lh_json_emit_array(emitter);
    for (size_t i = 0; i < session->compiled->plugin_count; i++) {
        emit_plugin(emitter, session, i);
    }
    lh_json_emit_array_end(emitter);
    lh_json_emit_name(emitter, "warnings");
    lh_json_emit_array(emitter);
    for (size_t i = 0; i < session->compiled->plugin_count; i++) {
        struct warning warning;
        if (warn_of(session, i, &warning)) {
            lh_json_emit_object(emitter);
            lh_json_put_text(emitter, "warning", warning.kind);
            lh_json_put_text(emitter, "where", warning.where);
            lh_json_put_text(emitter, "message", warning.message);
            lh_json_emit_object_end(emitter);
        }
    }
    lh_json_emit_array_end(emitter);
}
