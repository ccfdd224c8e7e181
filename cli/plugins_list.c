/* SPDX-License-Identifier: MIT */
/* loophole plugins list [WORD...] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/plugins.h"
#include "cli/report.h"
#include "cli/talk.h"

#define WORDS_MAX 64
#define NAME_WIDTH 40 /* columns; longer names push the others aside */
#define CELL_SIZE 256

static const struct lh_option rows[] = {
    {.name = "json", .type = LH_OPTION_FLAG, .help = "Print an array of objects on standard output"},
};

static const struct lh_option_table table = {
    .usage = "plugins list [WORD...] [options]",
    .summary = "Lists the installed plugins by name: those with all WORDs in their URI, name, category or author.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_max = WORDS_MAX,
    .operand = "WORD",
};

static bool is_meant(const struct graph_plugin_facts *facts, const struct lh_options *options)
{
    for (size_t i = 0; i < options->operand_count; i++) {
        const char *word = options->operands[i];
        if (!inventory_text_holds(facts->uri, word) && !inventory_text_holds(facts->name, word) &&
            !inventory_text_holds(facts->category, word) && !inventory_text_holds(facts->author, word)) {
            return false;
        }
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct graph_plugin_facts *first = &((const struct cli_plugin *)a)->facts;
    const struct graph_plugin_facts *second = &((const struct cli_plugin *)b)->facts;
    int order = strcasecmp(first->name, second->name);
    return order != 0 ? order : strcmp(first->uri, second->uri);
}

/* Those that are meant, by name. */
static enum lh_status collect(struct engine_catalogue *catalogue, const struct lh_options *options,
                              struct cli_plugin **plugins, size_t *count, struct lh_error *error)
{
    size_t most = inventory_index_count(catalogue->index), used = 0;
    struct cli_plugin *found = lh_arena_array(catalogue->arena, most, sizeof *found);
    if (found == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < most; i++) {
        enum lh_status status = cli_plugin_read(catalogue, i, &found[used], error);
        if (status != LH_OK) {
            return status;
        }
        used += is_meant(&found[used].facts, options) ? 1 : 0;
    }
    if (used > 1) {
        qsort(found, used, sizeof *found, compare);
    }
    *plugins = found;
    *count = used;
    return LH_OK;
}

static void print_cell(const char *text, int width)
{
    char clean[CELL_SIZE];
    cli_talk_clean(text[0] != '\0' ? text : "-", clean, sizeof clean);
    printf("%-*s  ", width, clean);
}

static enum lh_status print_table(const struct cli_plugin *plugins, size_t count, struct lh_error *error)
{
    for (size_t i = 0; i < count; i++) {
        char uri[CELL_SIZE];
        print_cell(plugins[i].facts.name, NAME_WIDTH);
        print_cell(plugins[i].facts.category, 14);
        print_cell(plugins[i].facts.version, 7);
        print_cell(cli_plugin_status(&plugins[i]), 14);
        cli_talk_clean(plugins[i].facts.uri, uri, sizeof uri);
        puts(uri);
    }
    return fflush(stdout) == 0 ? LH_OK : lh_error_set(error, LH_ERR_IO, "standard output", "cannot be written");
}

static enum lh_status print_json(const struct cli_plugin *plugins, size_t count, struct lh_error *error)
{
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    lh_writer_init(&writer);
    lh_json_emit_init(&emitter, &writer, false);
    lh_json_emit_array(&emitter);
    for (size_t i = 0; i < count; i++) {
        lh_json_emit_object(&emitter);
        cli_plugin_emit(&emitter, &plugins[i]);
        lh_json_emit_object_end(&emitter);
    }
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
    struct lh_error error = LH_ERROR_INIT;
    struct cli_plugin *plugins = NULL;
    size_t count = 0;
    lh_arena_init(&arena);
    cli_interrupt_install(NULL);
    enum lh_status status = cli_catalogue_init(&arena, NULL, &catalogue, &error);
    status = status == LH_OK ? engine_catalogue_open(&catalogue, NULL, &error) : status;
    status = status == LH_OK ? engine_catalogue_complete(&catalogue, &error) : status;
    status = status == LH_OK ? collect(&catalogue, options, &plugins, &count, &error) : status;
    if (status == LH_OK) {
        cli_plugins_warn(&catalogue);
        status =
            lh_options_flag(options, "json") ? print_json(plugins, count, &error) : print_table(plugins, count, &error);
    }
    int exit_status = status == LH_OK ? CLI_EXIT_DONE : cli_plugins_failed("plugins list", status, &error);
    engine_catalogue_close(&catalogue);
    lh_arena_fini(&arena);
    return exit_status;
}

const struct cli_command cli_command_plugins_list = {
    .name = "list",
    .summary = "List the installed plugins",
    .options = &table,
    .run = run,
};
