/* SPDX-License-Identifier: MIT */
/* Index and evidence, with a signal instance behind them. */
#include "engine/catalogue/catalogue.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/instance/locate.h"

#define BROKEN ": its data crash whoever reads them; it is left out\n"

/* The folders of the search path, and one more. */
static enum lh_status list_readable(struct lh_arena *arena, const char *search_path, const char *project_folder,
                                    struct engine_instance_options *options)
{
    size_t most = 2;
    for (const char *at = search_path; *at != '\0'; at++) {
        most += *at == ':' ? 1 : 0;
    }
    const char **folders = lh_arena_array(arena, most, sizeof *folders);
    if (folders == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    options->readable = folders;
    for (const char *at = search_path; *at != '\0'; at += *at == ':' ? 1 : 0) {
        size_t length = strcspn(at, ":");
        if (length > 0 && (folders[options->readable_count++] = lh_arena_strndup(arena, at, length)) == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        at += length;
    }
    if (project_folder != NULL) {
        folders[options->readable_count++] = project_folder;
    }
    return LH_OK;
}

enum lh_status engine_catalogue_init(struct lh_arena *arena, const char *project_folder,
                                     struct engine_catalogue *catalogue, struct lh_error *error)
{
    *catalogue = (struct engine_catalogue){.arena = arena};
    enum lh_status status = inventory_places_find(arena, &catalogue->places, error);
    if (status != LH_OK) {
        return status;
    }
    /* The child sees the same path, whether it was set or not. */
    const char *path = catalogue->places.search_path;
    size_t size = strlen(path) + sizeof "LV2_PATH=";
    char *variable = lh_arena_alloc(arena, size);
    const char **variables = lh_arena_array(arena, 1, sizeof *variables);
    if (variable == NULL || variables == NULL ||
        list_readable(arena, path, project_folder, &catalogue->options) != LH_OK) {
        return lh_error_no_memory(error);
    }
    snprintf(variable, size, "LV2_PATH=%s", path);
    variables[0] = variable;
    catalogue->options.environment = variables;
    catalogue->options.environment_count = 1;
    return LH_OK;
}

/* An instance of the catalogue's own, fresh when the last one died. */
static enum lh_status start_own(struct engine_catalogue *catalogue, struct lh_error *error)
{
    if (catalogue->own != NULL) {
        return LH_OK;
    }
    enum lh_status status = engine_instance_spawn(&catalogue->options, &catalogue->own, error);
    if (status == LH_OK) {
        engine_instance_watch(catalogue->own, catalogue->go_on, catalogue->context);
    }
    return status;
}

/* What is asked of it, and what came of that. */
struct question {
    struct engine_catalogue *catalogue;
    struct lh_arena *arena;
    const char **bundles;
    const char *const *uris;
    size_t uri_count;
    bool *broken; /* by bundle: its data crash whoever reads them */
    struct graph_plugin_facts *facts;
    size_t fact_count;
    const char *notes;
};

static enum lh_status ask(struct question *question, size_t first, size_t count, struct lh_error *error)
{
    struct engine_catalogue *catalogue = question->catalogue;
    enum lh_status status = start_own(catalogue, error);
    if (status == LH_OK) {
        status = engine_instance_describe(catalogue->own, question->arena, question->bundles + first, count,
                                          question->uris, question->uri_count, &question->facts, &question->fact_count,
                                          &question->notes, error);
    }
    if (status == LH_ERR_CRASHED) {
        engine_instance_free(catalogue->own);
        catalogue->own = NULL;
    }
    return status;
}

/* Halves what crashes until the bundles that are to blame stand alone. */
static enum lh_status find_broken(struct question *question, size_t first, size_t count, struct lh_error *error)
{
    enum lh_status status = ask(question, first, count, error);
    if (status != LH_ERR_CRASHED) {
        return status;
    }
    if (count == 1) {
        question->broken[first] = true;
        return LH_OK;
    }
    status = find_broken(question, first, count / 2, error);
    return status == LH_OK ? find_broken(question, first + count / 2, count - count / 2, error) : status;
}

/* A line for each broken one before what was noted of the others. NULL when memory is out. */
static const char *note_broken(struct lh_arena *arena, const char *const *broken, size_t count, const char *notes)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    for (size_t i = 0; i < count; i++) {
        lh_writer_bytes(&writer, broken[i], strlen(broken[i]));
        lh_writer_bytes(&writer, BROKEN, strlen(BROKEN));
    }
    lh_writer_bytes(&writer, notes, strlen(notes));
    const char *text =
        lh_writer_status(&writer) == LH_OK ? lh_arena_strndup(arena, (const char *)writer.data, writer.size) : NULL;
    lh_writer_fini(&writer);
    return text;
}

/* All of the bundles but those whose data crash the reader: one of them must not hide all others. */
static enum lh_status ask_around_broken(struct question *question, size_t count, struct lh_error *error)
{
    question->broken = lh_arena_array(question->arena, count, sizeof *question->broken);
    const char **broken = lh_arena_array(question->arena, count, sizeof *broken);
    if (question->broken == NULL || broken == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = find_broken(question, 0, count, error);
    size_t kept = 0, taken_out = 0;
    for (size_t i = 0; i < count; i++) {
        if (question->broken[i]) {
            broken[taken_out++] = question->bundles[i];
        } else {
            question->bundles[kept++] = question->bundles[i];
        }
    }
    question->fact_count = 0;
    question->notes = "";
    status = status == LH_OK && kept > 0 ? ask(question, 0, kept, error) : status;
    if (status == LH_OK) {
        question->notes = note_broken(question->arena, broken, taken_out, question->notes);
    }
    return status == LH_OK && question->notes == NULL ? lh_error_no_memory(error) : status;
}

/* Single plugins are asked of the session's instance, which is there; all of a bundle's of one that may die of it. */
static enum lh_status describe(void *context, struct lh_arena *arena, const char *const *bundles, size_t bundle_count,
                               const char *const *uris, size_t uri_count, struct graph_plugin_facts **facts,
                               size_t *fact_count, const char **notes, struct lh_error *error)
{
    struct engine_catalogue *catalogue = context;
    if (uri_count > 0 && catalogue->instance != NULL) {
        return engine_instance_describe(catalogue->instance, arena, bundles, bundle_count, uris, uri_count, facts,
                                        fact_count, notes, error);
    }
    struct question question = {
        .catalogue = catalogue, .arena = arena, .uris = uris, .uri_count = uri_count, .notes = ""};
    question.bundles = lh_arena_array(arena, bundle_count, sizeof *question.bundles);
    if (question.bundles == NULL) {
        return lh_error_no_memory(error);
    }
    memcpy(question.bundles, bundles, bundle_count * sizeof *bundles);
    enum lh_status status = ask(&question, 0, bundle_count, error);
    if (status == LH_ERR_CRASHED && bundle_count > 0) {
        status = ask_around_broken(&question, bundle_count, error);
    }
    if (status == LH_OK) {
        *facts = question.facts;
        *fact_count = question.fact_count;
        *notes = question.notes;
    }
    return status;
}

/* What describes plugins: another build of the program may see more in the same bundles. */
static const char *describer_version(struct lh_arena *arena)
{
    char path[PATH_MAX], text[sizeof LOOPHOLE_VERSION + LH_DIGEST_TEXT_SIZE], digest[LH_DIGEST_TEXT_SIZE] = "";
    struct lh_digest identity;
    if (engine_instance_locate(path, sizeof path, NULL) == LH_OK && inventory_file_identity(path, &identity)) {
        lh_digest_text(&identity, digest);
    }
    snprintf(text, sizeof text, "%s %s", LOOPHOLE_VERSION, digest);
    return lh_arena_strdup(arena, text);
}

enum lh_status engine_catalogue_open(struct engine_catalogue *catalogue, struct engine_instance *instance,
                                     struct lh_error *error)
{
    catalogue->instance = instance;
    const char *version = describer_version(catalogue->arena);
    if (version == NULL) {
        return lh_error_no_memory(error);
    }
    catalogue->describer = (struct inventory_describer){.describe = describe, .context = catalogue, .version = version};
    enum lh_status status =
        inventory_bundles_find(catalogue->arena, catalogue->places.search_path, &catalogue->bundles, error);
    return status != LH_OK ? status
                           : inventory_index_open(catalogue->arena, catalogue->places.cache, &catalogue->bundles,
                                                  &catalogue->describer, &catalogue->index, error);
}

enum lh_status engine_catalogue_complete(struct engine_catalogue *catalogue, struct lh_error *error)
{
    enum lh_status status = inventory_index_complete(catalogue->index, error);
    if (status == LH_OK && inventory_index_save(catalogue->index, NULL) == LH_ERR_NO_MEMORY) {
        status = lh_error_no_memory(error); /* without a folder to keep it in all works, if slower */
    }
    return status;
}

void engine_catalogue_close(struct engine_catalogue *catalogue)
{
    engine_instance_free(catalogue->own);
    catalogue->own = NULL;
}

enum lh_status engine_catalogue_evidence(const struct engine_catalogue *catalogue,
                                         const struct graph_plugin_facts *facts,
                                         const struct inventory_evidence **evidence, struct lh_error *error)
{
    enum lh_status status = inventory_evidence_find(catalogue->arena, &catalogue->places, facts->uri, facts->version,
                                                    &facts->digest, evidence);
    return status == LH_OK ? LH_OK : lh_error_no_memory(error);
}
