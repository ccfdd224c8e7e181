/* SPDX-License-Identifier: MIT */
/* loophole plugins show ID */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/plugins.h"
#include "cli/report.h"
#include "cli/talk.h"
#include "graph/fit.h"

#define TEXT_SIZE 512
#define STEREO 2

static const struct lh_option rows[] = {
    {.name = "json", .type = LH_OPTION_FLAG, .help = "Print an array with one object on standard output"},
};

static const struct lh_option_table table = {
    .usage = "plugins show ID [options]",
    .summary = "Shows all that is known of a plugin: parameters, other ports, presets, how it fits tracks, evidence.\n"
               "ID is its URI, its name, or a piece of either that no other plugin has.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "ID",
};

static const char *const port_kinds[] = {"audio", "control", "cv", "events", "property", "other"};

/* ---- how it fits a track (graph/fit.h) ---- */

static const char *into(enum graph_fit_in in)
{
    switch (in) {
    case GRAPH_FIT_IN_NONE:
        return "makes sound by itself";
    case GRAPH_FIT_IN_STRAIGHT:
        return "channels to inputs one by one";
    case GRAPH_FIT_IN_SPREAD:
        return "the channel feeds every input";
    case GRAPH_FIT_IN_MEAN:
        return "the mean of the channels is its input";
    }
    return "";
}

static const char *out_of(enum graph_fit_out out)
{
    switch (out) {
    case GRAPH_FIT_OUT_PASS:
        return "the input passes through";
    case GRAPH_FIT_OUT_STRAIGHT:
        return "outputs to channels one by one";
    case GRAPH_FIT_OUT_SPREAD:
        return "its output feeds every channel";
    case GRAPH_FIT_OUT_MEAN:
        return "the mean of its outputs is the channel";
    }
    return "";
}

static void tell_fit(const struct graph_plugin_facts *facts, uint32_t channels, char *text, size_t size)
{
    struct graph_fit fit;
    if (!graph_fit_plugin(channels, graph_plugin_audio_inputs(facts), graph_plugin_audio_outputs(facts), &fit)) {
        snprintf(text, size, "refused: it has too few inputs or outputs");
    } else if (fit.copies > 1) {
        snprintf(text, size, "a copy for each channel");
    } else {
        snprintf(text, size, "%s; %s", into(fit.in), out_of(fit.out));
    }
}

/* ---- as text ---- */

/* "  label: text" unless there is nothing to say. */
static void print_line(const char *label, const char *text)
{
    char clean[TEXT_SIZE];
    if (text != NULL && text[0] != '\0') {
        cli_talk_clean(text, clean, sizeof clean);
        printf("  %-10s %s\n", label, clean);
    }
}

static const char *verdict_text(enum inventory_verdict verdict)
{
    return verdict == INVENTORY_YES ? "yes" : verdict == INVENTORY_NO ? "no" : "unknown";
}

static void print_evidence(const struct cli_plugin *plugin)
{
    const struct inventory_evidence *evidence = plugin->evidence;
    print_line("Evidence", cli_plugin_status(plugin));
    if (evidence == NULL) {
        return;
    }
    if (evidence->failed != NULL) {
        print_line("", evidence->failed);
    }
    print_line("", evidence->message);
    printf("             the same in every process: %s; with another instance beside it: %s\n",
           verdict_text(evidence->across_runs), verdict_text(evidence->beside));
    printf("             the same without AVX and FMA: %s; draws random numbers: %s\n",
           verdict_text(evidence->without_avx), verdict_text(evidence->draws_random));
    printf("             the same as with runs of 1024 frames:");
    for (int i = 0; i < INVENTORY_BLOCK_COUNT; i++) {
        if (i != INVENTORY_BLOCK_1024) {
            printf("%s %s %s", i > 0 ? "," : "", inventory_block_names[i], verdict_text(evidence->blocks[i]));
        }
    }
    putchar('\n');
    if (evidence->has_latency) {
        printf("             latency: %u frames%s\n", evidence->latency_frames,
               evidence->latency_changes ? ", which change while it runs" : "");
    }
    if (evidence->has_tail) {
        printf("             tail: %.3f s\n", evidence->tail_seconds);
    }
    if (evidence->ns_per_frame > 0) {
        printf("             speed: %.1f ns a frame\n", evidence->ns_per_frame);
    }
}

static bool is_parameter(const struct graph_port *port)
{
    return port->kind == GRAPH_PORT_PROPERTY || (port->kind == GRAPH_PORT_CONTROL && port->input);
}

static void print_parameter(const struct graph_port *port)
{
    char symbol[TEXT_SIZE], name[TEXT_SIZE], unit[TEXT_SIZE], role[TEXT_SIZE];
    cli_talk_clean(port->symbol, symbol, sizeof symbol);
    cli_talk_clean(port->name, name, sizeof name);
    cli_talk_clean(port->unit, unit, sizeof unit);
    cli_talk_clean(port->role, role, sizeof role);
    printf("  %-20s %g to %g%s%s, standard %g: %s%s%s%s%s%s%s\n", symbol, (double)port->minimum, (double)port->maximum,
           unit[0] != '\0' ? " " : "", unit, (double)port->standard, name, port->toggled ? ", on or off" : "",
           port->integer ? ", whole numbers" : "", port->logarithmic ? ", logarithmic" : "",
           port->scaled ? ", grows with the sample rate" : "", role[0] != '\0' ? ", for " : "", role);
    for (uint32_t i = 0; i < port->point_count; i++) {
        cli_talk_clean(port->points[i].label, name, sizeof name);
        printf("  %-20s   %g %s\n", "", (double)port->points[i].value, name);
    }
}

static void print_ports(const struct graph_plugin_facts *facts)
{
    bool any = false;
    for (uint32_t i = 0; i < facts->port_count; i++) {
        if (is_parameter(&facts->ports[i])) {
            fputs(any ? "" : "\nParameters:\n", stdout);
            any = true;
            print_parameter(&facts->ports[i]);
        }
    }
    any = false;
    for (uint32_t i = 0; i < facts->port_count; i++) {
        const struct graph_port *port = &facts->ports[i];
        char symbol[TEXT_SIZE], name[TEXT_SIZE];
        if (is_parameter(port)) {
            continue;
        }
        fputs(any ? "" : "\nOther ports:\n", stdout);
        any = true;
        cli_talk_clean(port->symbol, symbol, sizeof symbol);
        cli_talk_clean(port->name, name, sizeof name);
        printf("  %-20s %s %s%s%s%s: %s\n", symbol, port_kinds[port->kind], port->input ? "input" : "output",
               port->sidechain ? ", side chain" : "", port->notes ? ", notes" : "", port->optional ? ", optional" : "",
               name);
    }
    fputs(facts->preset_count > 0 ? "\nPresets:\n" : "", stdout);
    for (uint32_t i = 0; i < facts->preset_count; i++) {
        char label[TEXT_SIZE], uri[TEXT_SIZE];
        cli_talk_clean(facts->presets[i].label, label, sizeof label);
        cli_talk_clean(facts->presets[i].uri, uri, sizeof uri);
        printf("  %-30s %s\n", label, uri);
    }
}

static enum lh_status print_text(const struct cli_plugin *plugin, struct lh_error *error)
{
    const struct graph_plugin_facts *facts = &plugin->facts;
    char name[TEXT_SIZE], mono[TEXT_SIZE], stereo[TEXT_SIZE];
    cli_talk_clean(facts->name, name, sizeof name);
    puts(name);
    print_line("URI", facts->uri);
    print_line("Version", facts->version);
    print_line("Category", facts->category);
    print_line("Author", facts->author);
    print_line("Licence", facts->licence);
    print_line("Bundle", facts->bundle);
    print_line("Refused", facts->refused);
    tell_fit(facts, 1, mono, sizeof mono);
    tell_fit(facts, STEREO, stereo, sizeof stereo);
    print_line("On mono", mono);
    print_line("On stereo", stereo);
    print_evidence(plugin);
    print_ports(facts);
    return fflush(stdout) == 0 ? LH_OK : lh_error_set(error, LH_ERR_IO, "standard output", "cannot be written");
}

/* ---- as JSON ---- */

static void flag(struct lh_json_emitter *emitter, const char *name, bool value)
{
    if (value) { /* most of them are false for most of the ports */
        lh_json_put_bool(emitter, name, true);
    }
}

static void emit_port(struct lh_json_emitter *emitter, const struct graph_port *port)
{
    lh_json_emit_object(emitter);
    lh_json_put_text(emitter, "symbol", port->symbol);
    lh_json_put_text(emitter, "name", port->name);
    lh_json_put_text(emitter, "kind", port_kinds[port->kind]);
    lh_json_put_text(emitter, "direction", port->input || port->kind == GRAPH_PORT_PROPERTY ? "input" : "output");
    flag(emitter, "optional", port->optional);
    flag(emitter, "sidechain", port->sidechain);
    flag(emitter, "notes", port->notes);
    if (port->role[0] != '\0') {
        lh_json_put_text(emitter, "role", port->role);
    }
    if (port->kind == GRAPH_PORT_CONTROL || port->kind == GRAPH_PORT_PROPERTY) {
        lh_json_put_real(emitter, "minimum", port->minimum);
        lh_json_put_real(emitter, "maximum", port->maximum);
        lh_json_put_real(emitter, "default", port->standard);
        lh_json_put_text(emitter, "unit", port->unit[0] != '\0' ? port->unit : NULL);
        flag(emitter, "integer", port->integer);
        flag(emitter, "toggled", port->toggled);
        flag(emitter, "enumerated", port->enumerated);
        flag(emitter, "logarithmic", port->logarithmic);
        flag(emitter, "scalesWithRate", port->scaled);
    }
    if (port->point_count > 0) {
        lh_json_emit_name(emitter, "scalePoints");
        lh_json_emit_array(emitter);
        for (uint32_t i = 0; i < port->point_count; i++) {
            lh_json_emit_object(emitter);
            lh_json_put_text(emitter, "label", port->points[i].label);
            lh_json_put_real(emitter, "value", port->points[i].value);
            lh_json_emit_object_end(emitter);
        }
        lh_json_emit_array_end(emitter);
    }
    lh_json_emit_object_end(emitter);
}

static void emit_plugin(struct lh_json_emitter *emitter, const struct cli_plugin *plugin)
{
    const struct graph_plugin_facts *facts = &plugin->facts;
    char fit[TEXT_SIZE];
    cli_plugin_emit(emitter, plugin);
    tell_fit(facts, 1, fit, sizeof fit);
    lh_json_put_text(emitter, "onMono", fit);
    tell_fit(facts, STEREO, fit, sizeof fit);
    lh_json_put_text(emitter, "onStereo", fit);
    lh_json_emit_name(emitter, "ports");
    lh_json_emit_array(emitter);
    for (uint32_t i = 0; i < facts->port_count; i++) {
        emit_port(emitter, &facts->ports[i]);
    }
    lh_json_emit_array_end(emitter);
    lh_json_emit_name(emitter, "presets");
    lh_json_emit_array(emitter);
    for (uint32_t i = 0; i < facts->preset_count; i++) {
        lh_json_emit_object(emitter);
        lh_json_put_text(emitter, "uri", facts->presets[i].uri);
        lh_json_put_text(emitter, "label", facts->presets[i].label);
        lh_json_emit_object_end(emitter);
    }
    lh_json_emit_array_end(emitter);
}

static enum lh_status print_json(const struct cli_plugin *plugin, struct lh_error *error)
{
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    lh_writer_init(&writer);
    lh_json_emit_init(&emitter, &writer, false);
    lh_json_emit_array(&emitter);
    lh_json_emit_object(&emitter);
    emit_plugin(&emitter, plugin);
    lh_json_emit_object_end(&emitter);
    lh_json_emit_array_end(&emitter);
    enum lh_status status =
        lh_writer_status(&writer) == LH_OK ? cli_report_print(&writer, error) : lh_error_no_memory(error);
    lh_writer_fini(&writer);
    return status;
}

static int run(const struct lh_options *options)
{
    struct lh_arena arena;
    struct engine_catalogue catalogue;
    struct cli_plugin plugin;
    struct lh_error error = LH_ERROR_INIT;
    size_t entry = 0;
    lh_arena_init(&arena);
    cli_interrupt_install(NULL);
    enum lh_status status = cli_catalogue_init(&arena, NULL, &catalogue, &error);
    status = status == LH_OK ? engine_catalogue_open(&catalogue, NULL, &error) : status;
    status = status == LH_OK ? engine_catalogue_complete(&catalogue, &error) : status;
    status = status == LH_OK ? cli_catalogue_choose(&catalogue, options->operands[0], &entry, &error) : status;
    status = status == LH_OK ? cli_plugin_read(&catalogue, entry, &plugin, &error) : status;
    if (status == LH_OK) {
        status = lh_options_flag(options, "json") ? print_json(&plugin, &error) : print_text(&plugin, &error);
    }
    int exit_status = status == LH_OK ? CLI_EXIT_DONE : cli_plugins_failed("plugins show", status, &error);
    engine_catalogue_close(&catalogue);
    lh_arena_fini(&arena);
    return exit_status;
}

const struct cli_command cli_command_plugins_show = {
    .name = "show",
    .summary = "Show all that is known of a plugin",
    .options = &table,
    .run = run,
};
