/* SPDX-License-Identifier: MIT */
/* Asking a plugin's facts, and their bytes. */
#include "graph/plugin.h"

#include <math.h>
#include <string.h>

#define TEXT_MAX 65535u
#define POINTS_MAX 65536u
#define PORT_BYTES (11u + 4u * 4u + 3u * 4u + 4u) /* the least that a port takes */
#define POINT_BYTES 8u
#define PRESET_BYTES 12u
#define BOUNDS_RATE 48000.0f /* that scaled bounds are told at */

static bool is_audio(const struct graph_port *port, bool input)
{
    return port->kind == GRAPH_PORT_AUDIO && port->input == input;
}

uint32_t graph_plugin_audio_inputs(const struct graph_plugin_facts *facts)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < facts->port_count; i++) {
        count += is_audio(&facts->ports[i], true) && !facts->ports[i].sidechain ? 1 : 0;
    }
    return count;
}

uint32_t graph_plugin_audio_outputs(const struct graph_plugin_facts *facts)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < facts->port_count; i++) {
        count += is_audio(&facts->ports[i], false) ? 1 : 0;
    }
    return count;
}

uint32_t graph_plugin_sidechain_inputs(const struct graph_plugin_facts *facts)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < facts->port_count; i++) {
        count += is_audio(&facts->ports[i], true) && facts->ports[i].sidechain ? 1 : 0;
    }
    return count;
}

bool graph_plugin_takes_notes(const struct graph_plugin_facts *facts)
{
    for (uint32_t i = 0; i < facts->port_count; i++) {
        const struct graph_port *port = &facts->ports[i];
        if (port->kind == GRAPH_PORT_EVENTS && port->input && port->notes) {
            return true;
        }
    }
    return false;
}

const struct graph_port *graph_plugin_parameter(const struct graph_plugin_facts *facts, const char *symbol)
{
    for (uint32_t i = 0; i < facts->port_count; i++) {
        const struct graph_port *port = &facts->ports[i];
        bool settable = port->kind == GRAPH_PORT_PROPERTY || (port->kind == GRAPH_PORT_CONTROL && port->input);
        if (settable && strcmp(port->symbol, symbol) == 0) {
            return port;
        }
    }
    return NULL;
}

void graph_port_range(const struct graph_port *port, uint32_t sample_rate, float *minimum, float *maximum,
                      float *standard)
{
    float scale = port->scaled ? (float)sample_rate / BOUNDS_RATE : 1.0f;
    *minimum = port->minimum * scale;
    *maximum = port->maximum * scale;
    *standard = port->absolute ? port->standard : port->standard * scale;
}

static void write_flag(struct lh_writer *writer, bool flag)
{
    lh_writer_u8(writer, flag ? 1 : 0);
}

static void write_port(struct lh_writer *writer, const struct graph_port *port)
{
    lh_writer_u8(writer, (uint8_t)port->kind);
    write_flag(writer, port->input);
    write_flag(writer, port->optional);
    write_flag(writer, port->sidechain);
    write_flag(writer, port->notes);
    write_flag(writer, port->integer);
    write_flag(writer, port->toggled);
    write_flag(writer, port->enumerated);
    write_flag(writer, port->logarithmic);
    write_flag(writer, port->scaled);
    write_flag(writer, port->absolute);
    lh_writer_text(writer, port->symbol);
    lh_writer_text(writer, port->name);
    lh_writer_text(writer, port->unit);
    lh_writer_text(writer, port->role);
    lh_writer_f32(writer, port->minimum);
    lh_writer_f32(writer, port->maximum);
    lh_writer_f32(writer, port->standard);
    lh_writer_u32(writer, port->point_count);
    for (uint32_t i = 0; i < port->point_count; i++) {
        lh_writer_text(writer, port->points[i].label);
        lh_writer_f32(writer, port->points[i].value);
    }
}

static void write_facts(struct lh_writer *writer, const struct graph_plugin_facts *facts, bool places)
{
    const char *const texts[] = {facts->uri,
                                 facts->name,
                                 facts->author,
                                 facts->licence,
                                 facts->category,
                                 facts->version,
                                 places ? facts->bundle : "",
                                 places ? facts->binary : "",
                                 facts->refused};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        lh_writer_text(writer, texts[i]);
    }
    lh_writer_bytes(writer, facts->digest.bytes, sizeof facts->digest.bytes);
    write_flag(writer, facts->reports_latency);
    write_flag(writer, facts->has_state);
    write_flag(writer, facts->has_worker);
    lh_writer_u32(writer, facts->port_count);
    for (uint32_t i = 0; i < facts->port_count; i++) {
        write_port(writer, &facts->ports[i]);
    }
    lh_writer_u32(writer, facts->preset_count);
    for (uint32_t i = 0; i < facts->preset_count; i++) {
        lh_writer_text(writer, facts->presets[i].uri);
        lh_writer_text(writer, facts->presets[i].label);
        if (places) {
            lh_writer_text(writer, facts->presets[i].bundle);
        }
    }
}

void graph_plugin_facts_write(struct lh_writer *writer, const struct graph_plugin_facts *facts)
{
    write_facts(writer, facts, true);
}

enum lh_status graph_plugin_digest(const struct graph_plugin_facts *facts, struct lh_digest *digest)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    write_facts(&writer, facts, false);
    enum lh_status status = lh_writer_status(&writer);
    status = status != LH_OK ? status : lh_digest_bytes(writer.data, writer.size, digest);
    lh_writer_fini(&writer);
    return status;
}

/* A record while it is read. */
struct facts_reader {
    struct lh_reader *reader;
    struct lh_arena *arena;
    bool out_of_memory;
};

static bool healthy(const struct facts_reader *facts)
{
    return !facts->out_of_memory && lh_reader_ok(facts->reader);
}

static const char *read_text(struct facts_reader *facts)
{
    size_t length;
    const char *view = lh_reader_text(facts->reader, TEXT_MAX, &length);
    if (view == NULL || length == 0) {
        return "";
    }
    if (memchr(view, '\0', length) != NULL) {
        facts->reader->failed = true;
        return "";
    }
    char *copy = lh_arena_strndup(facts->arena, view, length);
    facts->out_of_memory = facts->out_of_memory || copy == NULL;
    for (size_t i = 0; copy != NULL && i < length; i++) {
        copy[i] = (unsigned char)copy[i] < ' ' || copy[i] == 0x7F ? ' ' : copy[i]; /* these end up on a terminal */
    }
    return copy != NULL ? copy : "";
}

static bool read_flag(struct facts_reader *facts)
{
    uint8_t value = lh_reader_u8(facts->reader);
    facts->reader->failed = facts->reader->failed || value > 1;
    return value == 1;
}

static float read_value(struct facts_reader *facts)
{
    float value = lh_reader_f32(facts->reader);
    if (!isfinite(value)) {
        facts->reader->failed = true;
        return 0.0f;
    }
    return value;
}

/* A count of entries that take at least `least` bytes each, and room for them in the arena. */
static void *read_table(struct facts_reader *facts, uint32_t limit, size_t size, size_t least, uint32_t *count)
{
    struct lh_reader *reader = facts->reader;
    uint32_t told = lh_reader_u32(reader);
    *count = 0;
    if (!healthy(facts) || told > limit || told > (reader->size - reader->offset) / least) {
        reader->failed = true;
        return NULL;
    }
    void *table = lh_arena_array(facts->arena, told, size);
    facts->out_of_memory = table == NULL;
    *count = table != NULL ? told : 0;
    return table;
}

static void read_port(struct facts_reader *facts, struct graph_port *port)
{
    uint8_t kind = lh_reader_u8(facts->reader);
    facts->reader->failed = facts->reader->failed || kind > GRAPH_PORT_OTHER;
    port->kind = kind <= GRAPH_PORT_OTHER ? (enum graph_port_kind)kind : GRAPH_PORT_OTHER;
    port->input = read_flag(facts);
    port->optional = read_flag(facts);
    port->sidechain = read_flag(facts);
    port->notes = read_flag(facts);
    port->integer = read_flag(facts);
    port->toggled = read_flag(facts);
    port->enumerated = read_flag(facts);
    port->logarithmic = read_flag(facts);
    port->scaled = read_flag(facts);
    port->absolute = read_flag(facts);
    port->symbol = read_text(facts);
    port->name = read_text(facts);
    port->unit = read_text(facts);
    port->role = read_text(facts);
    port->minimum = read_value(facts);
    port->maximum = read_value(facts);
    port->standard = read_value(facts);
    struct graph_scale_point *points = read_table(facts, POINTS_MAX, sizeof *points, POINT_BYTES, &port->point_count);
    for (uint32_t i = 0; healthy(facts) && i < port->point_count; i++) {
        points[i].label = read_text(facts);
        points[i].value = read_value(facts);
    }
    port->points = points;
}

static void read_tables(struct facts_reader *reader, struct graph_plugin_facts *facts)
{
    struct graph_port *ports =
        read_table(reader, GRAPH_PLUGIN_PORTS_MAX, sizeof *ports, PORT_BYTES, &facts->port_count);
    for (uint32_t i = 0; healthy(reader) && i < facts->port_count; i++) {
        read_port(reader, &ports[i]);
    }
    facts->ports = ports;
    struct graph_preset *presets =
        read_table(reader, GRAPH_PLUGIN_PRESETS_MAX, sizeof *presets, PRESET_BYTES, &facts->preset_count);
    for (uint32_t i = 0; healthy(reader) && i < facts->preset_count; i++) {
        presets[i].uri = read_text(reader);
        presets[i].label = read_text(reader);
        presets[i].bundle = read_text(reader);
    }
    facts->presets = presets;
}

enum lh_status graph_plugin_facts_read(struct lh_reader *reader, struct lh_arena *arena,
                                       struct graph_plugin_facts *facts)
{
    struct facts_reader reading = {.reader = reader, .arena = arena};
    struct graph_plugin_facts read = {.port_count = 0};
    const char **const texts[] = {&read.uri,     &read.name,   &read.author, &read.licence, &read.category,
                                  &read.version, &read.bundle, &read.binary, &read.refused};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = read_text(&reading);
    }
    const uint8_t *digest = lh_reader_view(reader, sizeof read.digest.bytes);
    if (digest != NULL) {
        memcpy(read.digest.bytes, digest, sizeof read.digest.bytes);
    }
    read.reports_latency = read_flag(&reading);
    read.has_state = read_flag(&reading);
    read.has_worker = read_flag(&reading);
    read_tables(&reading, &read);
    if (reading.out_of_memory) {
        return LH_ERR_NO_MEMORY;
    }
    if (!lh_reader_ok(reader)) {
        return LH_ERR_FORMAT;
    }
    *facts = read;
    return LH_OK;
}
