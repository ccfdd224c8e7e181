/* SPDX-License-Identifier: MIT */
/* Facts of a plugin as a whole, and whether this host can run it. */
#include "engine/host/lv2_describe.h"

#include <fcntl.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/core/lv2.h>
#include <lv2/parameters/parameters.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/host/lv2_features.h"
#include "engine/host/lv2_ports.h"

#define NAME_BYTES 1024u
#define PLACE_BYTES 4096u /* of a URI or path */
#define REASON_BYTES 1024u

LH_PRINTF(3, 4)
static bool refuse(struct graph_plugin_facts *facts, struct lh_arena *arena, const char *format, ...)
{
    if (*facts->refused != '\0') {
        return true; /* one reason is enough */
    }
    char text[REASON_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    facts->refused = lh_arena_strdup(arena, text);
    return facts->refused != NULL;
}

static bool judge_features(struct engine_lv2_facts *facts, struct lh_arena *arena)
{
    LilvNodes *required = lilv_plugin_get_required_features(facts->plugin);
    bool kept = true;
    if (required != NULL) {
        LILV_FOREACH(nodes, i, required)
        {
            const char *uri = lilv_node_as_string(lilv_nodes_get(required, i));
            facts->live = facts->live || strcmp(uri, LV2_CORE__isLive) == 0;
            if (strcmp(uri, LV2_BUF_SIZE__fixedBlockLength) == 0 ||
                strcmp(uri, LV2_BUF_SIZE__powerOf2BlockLength) == 0) {
                kept = kept && refuse(&facts->facts, arena, "needs blocks of a fixed length (%s), and renders cut them",
                                      engine_lv2_local_name(uri));
            } else if (!engine_lv2_features_known(uri)) {
                kept = kept && refuse(&facts->facts, arena, "needs the feature %s", uri);
            }
        }
        lilv_nodes_free(required);
    }
    return kept;
}

static bool judge_options(struct engine_provider_world *world, struct engine_lv2_facts *facts, struct lh_arena *arena)
{
    static const char *const known[] = {LV2_PARAMETERS__sampleRate, LV2_BUF_SIZE__minBlockLength,
                                        LV2_BUF_SIZE__maxBlockLength, LV2_BUF_SIZE__nominalBlockLength,
                                        LV2_BUF_SIZE__sequenceSize};
    LilvNodes *required = lilv_plugin_get_value(facts->plugin, world->names[ENGINE_LV2_NAME_REQUIRED_OPTION]);
    bool kept = true;
    if (required != NULL) {
        LILV_FOREACH(nodes, i, required)
        {
            const char *uri = lilv_node_as_string(lilv_nodes_get(required, i));
            bool found = false;
            for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
                found = found || strcmp(uri, known[k]) == 0;
            }
            kept = kept && (found || refuse(&facts->facts, arena, "needs the option %s", uri));
        }
        lilv_nodes_free(required);
    }
    return kept;
}

static bool judge_ports(struct engine_lv2_facts *facts, struct lh_arena *arena)
{
    for (uint32_t i = 0; i < facts->facts.port_count; i++) {
        const struct graph_port *port = &facts->facts.ports[i];
        if (port->kind == GRAPH_PORT_OTHER && !port->optional) {
            return refuse(&facts->facts, arena, "its port %s is of a kind that this host has not", port->symbol);
        }
    }
    return true;
}

static bool has_value(const LilvPlugin *plugin, const LilvNode *predicate)
{
    LilvNodes *values = lilv_plugin_get_value(plugin, predicate);
    bool found = values != NULL && lilv_nodes_size(values) > 0;
    lilv_nodes_free(values);
    return found;
}

/* Paths, and what the plugin says that it can do: all that an instance needs. */
static enum lh_status read_core(struct engine_provider_world *world, const struct engine_lv2_entry *entry,
                                struct lh_arena *arena, bool labels, struct engine_lv2_facts *facts,
                                struct lh_error *error)
{
    const LilvPlugin *plugin = entry->plugin;
    const LilvNode *library = lilv_plugin_get_library_uri(plugin);
    char *bundle = lilv_node_get_path(lilv_plugin_get_bundle_uri(plugin), NULL);
    char *binary = library != NULL ? lilv_node_get_path(library, NULL) : NULL;
    *facts = (struct engine_lv2_facts){.plugin = plugin};
    facts->facts = (struct graph_plugin_facts){.uri = lh_arena_strdup(arena, entry->uri),
                                               .name = "",
                                               .author = "",
                                               .licence = "",
                                               .category = "",
                                               .version = "",
                                               .bundle = lh_arena_strdup(arena, bundle != NULL ? bundle : ""),
                                               .binary = lh_arena_strdup(arena, binary != NULL ? binary : ""),
                                               .refused = ""};
    lilv_free(bundle);
    lilv_free(binary);
    struct graph_plugin_facts *plain = &facts->facts;
    if (plain->uri == NULL || plain->bundle == NULL || plain->binary == NULL) {
        return lh_error_no_memory(error);
    }
    if (strlen(plain->uri) > PLACE_BYTES || strlen(plain->bundle) > PLACE_BYTES ||
        strlen(plain->binary) > PLACE_BYTES) {
        return lh_error_set(error, LH_ERR_FORMAT, plain->bundle, "its data have a URI or path of more than %u bytes",
                            PLACE_BYTES);
    }
    if (*plain->binary == '\0') {
        return lh_error_set(error, LH_ERR_FORMAT, plain->uri, "its data name no binary");
    }
    enum lh_status status = engine_lv2_read_ports(world, arena, labels, facts, error);
    if (status != LH_OK) {
        return status;
    }
    plain->reports_latency = facts->latency_port != GRAPH_NONE;
    plain->has_state = lilv_plugin_has_extension_data(plugin, world->names[ENGINE_LV2_NAME_STATE_INTERFACE]) ||
                       has_value(plugin, world->names[ENGINE_LV2_NAME_STATE]);
    plain->has_worker = lilv_plugin_has_extension_data(plugin, world->names[ENGINE_LV2_NAME_WORKER_INTERFACE]) ||
                        lilv_plugin_has_feature(plugin, world->names[ENGINE_LV2_NAME_WORKER_SCHEDULE]);
    bool judged = judge_features(facts, arena) && judge_options(world, facts, arena) && judge_ports(facts, arena);
    return judged ? LH_OK : lh_error_no_memory(error);
}

static int version_number(const LilvPlugin *plugin, const LilvNode *predicate)
{
    LilvNodes *values = lilv_plugin_get_value(plugin, predicate);
    const LilvNode *first = values != NULL ? lilv_nodes_get_first(values) : NULL;
    int number = first != NULL && lilv_node_is_int(first) ? lilv_node_as_int(first) : -1;
    lilv_nodes_free(values);
    return number;
}

static const char *first_text(struct lh_arena *arena, const LilvPlugin *plugin, const LilvNode *predicate)
{
    LilvNodes *values = lilv_plugin_get_value(plugin, predicate);
    const char *text = engine_lv2_text(arena, values != NULL ? lilv_nodes_get_first(values) : NULL, NAME_BYTES);
    lilv_nodes_free(values);
    return text;
}

/* The licence, which projects may state for their plugins. */
static const char *read_licence(struct engine_provider_world *world, struct lh_arena *arena, const LilvPlugin *plugin)
{
    const char *text = first_text(arena, plugin, world->names[ENGINE_LV2_NAME_LICENCE]);
    if (text != NULL && *text == '\0') {
        LilvNode *project = lilv_plugin_get_project(plugin);
        LilvNode *licence =
            project != NULL ? lilv_world_get(world->lilv, project, world->names[ENGINE_LV2_NAME_LICENCE], NULL) : NULL;
        text = engine_lv2_text(arena, licence, NAME_BYTES);
        lilv_node_free(licence);
        lilv_node_free(project);
    }
    return text;
}

static const char *read_category(struct lh_arena *arena, const LilvPlugin *plugin)
{
    const LilvPluginClass *class = lilv_plugin_get_class(plugin);
    const LilvNode *uri = class != NULL ? lilv_plugin_class_get_uri(class) : NULL;
    if (uri == NULL || strcmp(lilv_node_as_string(uri), LV2_CORE__Plugin) == 0) {
        return "";
    }
    static const char tail[] = " Plugin"; /* what else */
    const char *label = engine_lv2_text(arena, lilv_plugin_class_get_label(class), NAME_BYTES);
    size_t length = label != NULL ? strlen(label) : 0;
    bool said = length > sizeof tail - 1 && strcmp(label + length - (sizeof tail - 1), tail) == 0;
    return said ? lh_arena_strndup(arena, label, length - (sizeof tail - 1)) : label;
}

static enum lh_status read_labels(struct engine_provider_world *world, const LilvPlugin *plugin, struct lh_arena *arena,
                                  struct graph_plugin_facts *facts, struct lh_error *error)
{
    LilvNode *name = lilv_plugin_get_name(plugin);
    LilvNode *author = lilv_plugin_get_author_name(plugin);
    facts->name = engine_lv2_text(arena, name, NAME_BYTES);
    facts->author = engine_lv2_text(arena, author, NAME_BYTES);
    lilv_node_free(name);
    lilv_node_free(author);
    facts->licence = read_licence(world, arena, plugin);
    facts->category = read_category(arena, plugin);
    int minor = version_number(plugin, world->names[ENGINE_LV2_NAME_MINOR_VERSION]);
    int micro = version_number(plugin, world->names[ENGINE_LV2_NAME_MICRO_VERSION]);
    if (minor >= 0 || micro >= 0) {
        char text[32];
        snprintf(text, sizeof text, "%d.%d", minor > 0 ? minor : 0, micro > 0 ? micro : 0);
        facts->version = lh_arena_strdup(arena, text);
    }
    bool kept = facts->name != NULL && facts->author != NULL && facts->licence != NULL && facts->category != NULL &&
                facts->version != NULL;
    return kept ? LH_OK : lh_error_no_memory(error);
}

static int compare_presets(const void *a, const void *b)
{
    const struct graph_preset *left = a;
    const struct graph_preset *right = b;
    int order = strcmp(left->label, right->label);
    return order != 0 ? order : strcmp(left->uri, right->uri);
}

/* A preset's label stands in the manifest, or else in the file that it refers to. */
static const char *preset_label(struct engine_provider_world *world, struct lh_arena *arena, const LilvNode *preset)
{
    LilvNode *label = lilv_world_get(world->lilv, preset, world->names[ENGINE_LV2_NAME_LABEL], NULL);
    if (label == NULL && lilv_world_load_resource(world->lilv, preset) > 0) {
        label = lilv_world_get(world->lilv, preset, world->names[ENGINE_LV2_NAME_LABEL], NULL);
    }
    const char *text = engine_lv2_text(arena, label, NAME_BYTES);
    lilv_node_free(label);
    return text;
}

/* The longest of the world's bundles that a file lies in: presets often have folders of their own there. */
static const char *bundle_of(const struct engine_provider_world *world, const LilvNode *file)
{
    char *path = lilv_node_is_uri(file) ? lilv_file_uri_parse(lilv_node_as_uri(file), NULL) : NULL;
    const char *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; path != NULL && i < world->bundle_count; i++) {
        size_t length = strlen(world->bundles[i]);
        if (length > longest && world->bundles[i][length - 1] == '/' && strncmp(path, world->bundles[i], length) == 0) {
            found = world->bundles[i];
            longest = length;
        }
    }
    lilv_free(path);
    return found;
}

/* lilv does not tell which manifest speaks of a preset, but the files that it refers to, or is, lie beside it. The
   plugin's own bundle goes first: it is loaded anyway. */
static const char *preset_bundle(struct engine_provider_world *world, const LilvNode *preset, const char *own)
{
    const char *found = bundle_of(world, preset);
    LilvNodes *files = lilv_world_find_nodes(world->lilv, preset, world->names[ENGINE_LV2_NAME_SEE_ALSO], NULL);
    if (files != NULL) {
        LILV_FOREACH(nodes, i, files)
        {
            const char *bundle = bundle_of(world, lilv_nodes_get(files, i));
            if (bundle != NULL && (found == NULL || strcmp(bundle, own) == 0)) {
                found = bundle;
            }
        }
        lilv_nodes_free(files);
    }
    return found != NULL ? found : own;
}

static enum lh_status read_presets(struct engine_provider_world *world, const LilvPlugin *plugin,
                                   struct lh_arena *arena, struct graph_plugin_facts *facts, struct lh_error *error)
{
    LilvNodes *presets = lilv_plugin_get_related(plugin, world->names[ENGINE_LV2_NAME_PRESET]);
    size_t size = presets != NULL ? lilv_nodes_size(presets) : 0;
    struct graph_preset *made = lh_arena_array(arena, size, sizeof *made);
    uint32_t count = 0;
    bool kept = made != NULL;
    if (presets != NULL) {
        LILV_FOREACH(nodes, i, presets)
        {
            const LilvNode *preset = lilv_nodes_get(presets, i);
            if (kept && lilv_node_is_uri(preset) && count < GRAPH_PLUGIN_PRESETS_MAX &&
                strlen(lilv_node_as_uri(preset)) <= PLACE_BYTES) {
                made[count].uri = lh_arena_strdup(arena, lilv_node_as_uri(preset));
                made[count].label = preset_label(world, arena, preset);
                made[count].bundle = lh_arena_strdup(arena, preset_bundle(world, preset, facts->bundle));
                kept = made[count].uri != NULL && made[count].label != NULL && made[count].bundle != NULL;
                count++;
            }
        }
        lilv_nodes_free(presets);
    }
    if (!kept) {
        return lh_error_no_memory(error);
    }
    qsort(made, count, sizeof *made, compare_presets);
    facts->presets = made;
    facts->preset_count = count;
    return LH_OK;
}

static enum lh_status read_digest(struct lh_arena *arena, struct graph_plugin_facts *facts, struct lh_error *error)
{
    int fd = open(facts->binary, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        if (fd >= 0) {
            close(fd);
        }
        return refuse(facts, arena, "its binary %s cannot be read", facts->binary) ? LH_OK : lh_error_no_memory(error);
    }
    enum lh_status status = lh_digest_file(fd, &facts->digest, error);
    close(fd);
    return status;
}

static enum lh_status missing(const char *uri, struct lh_error *error)
{
    return lh_error_set(error, LH_ERR_MISSING, uri, "no bundle that was named holds this plugin");
}

enum lh_status engine_lv2_describe(struct engine_provider_world *world, const char *uri, struct lh_arena *arena,
                                   struct graph_plugin_facts *facts, struct lh_error *error)
{
    const struct engine_lv2_entry *entry = engine_lv2_world_find(world, uri);
    if (entry == NULL) {
        return missing(uri, error);
    }
    engine_lv2_world_load_specs(world);
    struct engine_lv2_facts whole;
    enum lh_status status = read_core(world, entry, arena, true, &whole, error);
    if (status == LH_OK) {
        status = read_labels(world, entry->plugin, arena, &whole.facts, error);
    }
    if (status == LH_OK) {
        status = read_presets(world, entry->plugin, arena, &whole.facts, error);
    }
    if (status == LH_OK) {
        status = read_digest(arena, &whole.facts, error);
    }
    if (status == LH_OK) {
        *facts = whole.facts;
    }
    return status;
}

enum lh_status engine_lv2_facts(struct engine_provider_world *world, const char *uri,
                                const struct graph_plugin_facts **facts, struct lh_error *error)
{
    struct engine_lv2_entry *entry = engine_lv2_world_find(world, uri);
    if (entry == NULL) {
        return missing(uri, error);
    }
    enum lh_status status = LH_OK;
    if (entry->facts == NULL) {
        struct engine_lv2_facts *made = lh_arena_alloc(&world->arena, sizeof *made);
        status = made != NULL ? read_core(world, entry, &world->arena, false, made, error) : lh_error_no_memory(error);
        entry->facts = status == LH_OK ? made : NULL;
    }
    if (status == LH_OK) {
        *facts = &entry->facts->facts;
    }
    return status;
}
