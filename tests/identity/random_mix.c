/* SPDX-License-Identifier: MIT */
/* Makes random mixes through the graph builder, and the media and host that they need. */
#include "tests/identity/random_mix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "graph/builder.h"
#include "tests/identity/random_project.h"

#define RATE 48000
#define MEDIUM_FRAMES 60000
#define TRACKS_MAX 5
#define CHAIN_MAX 3
#define NOTES_MAX 6
#define WAV_HEADER 44

static const char *const bundles[] = {
    TEST_PLUGINS "/friendly.lv2/",      "/usr/lib/lv2/calf.lv2/",
    "/usr/lib/lv2/lsp-plugins.lv2/",    "/usr/lib/lv2/lookahead_limiter-swh.lv2/",
    "/usr/lib/lv2/gverb-swh.lv2/",      "/usr/lib/lv2/sc4-swh.lv2/",
    "/usr/lib/lv2/tape_delay-swh.lv2/", "/usr/lib/lv2/am_pitchshift-swh.lv2/",
    "/usr/lib/lv2/dj_eq-swh.lv2/",      "/usr/lib/lv2/phasers-swh.lv2/",
};
#define BUNDLE_COUNT (sizeof bundles / sizeof *bundles)

#define OWN "lv2:urn:loophole:test:"
#define CALF "lv2:http://calf.sourceforge.net/plugins/"
#define SWH "lv2:http://plugin.org.uk/swh-plugins/"
#define LSP "lv2:http://lsp-plug.in/plugins/lv2/"

static const struct {
    const char *uri;
    bool keyed; /* has a side chain */
} pool[] = {
    {OWN "latent2", false},
    {OWN "latent", false},
    {OWN "late", false},
    {OWN "stepped", false},
    {OWN "offset-teller", false},
    {OWN "sidechain-stereo", true},
    {CALF "Equalizer8Band", false},
    {CALF "Compressor", false},
    {CALF "Reverb", false},
    {CALF "Flanger", false},
    {CALF "Phaser", false},
    {CALF "Filter", false},
    {CALF "VintageDelay", false},
    {CALF "SidechainCompressor", true},
    {CALF "Limiter", false},
    {CALF "Saturator", false},
    {SWH "lookaheadLimiter", false},
    {SWH "gverb", false},
    {SWH "sc4", false},
    {SWH "tapeDelay", false},
    {SWH "amPitchshift", false},
    {SWH "dj_eq", false},
    {SWH "lfoPhaser", false},
    {LSP "compressor_stereo", false},
    {LSP "limiter_stereo", false},
    {LSP "para_equalizer_x16_stereo", false},
    {LSP "sc_compressor_stereo", true},
    {LSP "slap_delay_stereo", false},
};
#define POOL_COUNT (sizeof pool / sizeof *pool)

struct engine_host *random_mix_host;
int random_mix_media[2];

static struct lh_arena arena;
static struct graph_plugin_facts facts[POOL_COUNT];
static const char *const instruments[] = {OWN "click-synth", OWN "event-teller"};
#define INSTRUMENT_COUNT (sizeof instruments / sizeof *instruments)
static struct graph_plugin_facts instrument_facts[INSTRUMENT_COUNT];

static void die(const char *what, const struct lh_error *error)
{
    printf("Bail out! %s: %s %s\n", what, error != NULL ? error->where : "", error != NULL ? error->message : "");
    exit(1);
}

static void need(enum lh_status status, const char *what)
{
    if (status != LH_OK) {
        die(what, NULL);
    }
}

/* ---- what is played ---- */

static void put32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

/* Bursts of noise between silences, 16 bits. */
static int make_medium(uint32_t channels)
{
    uint32_t bytes = MEDIUM_FRAMES * channels * 2;
    uint8_t *file = calloc(WAV_HEADER + bytes, 1);
    int fd = memfd_create("medium", MFD_CLOEXEC);
    if (file == NULL || fd < 0) {
        die("cannot make a medium", NULL);
    }
    memcpy(file, "RIFF....WAVEfmt ", 16);
    put32(file + 4, WAV_HEADER - 8 + bytes);
    put32(file + 16, 16);
    put32(file + 20, channels << 16 | 1);
    put32(file + 24, RATE);
    put32(file + 28, RATE * channels * 2);
    put32(file + 32, 16u << 16 | channels * 2);
    memcpy(file + 36, "data", 4);
    put32(file + 40, bytes);
    uint64_t state = channels;
    for (uint32_t i = 0; i < MEDIUM_FRAMES * channels; i++) {
        uint64_t drawn = random_next(&state);
        bool loud = i / channels % 9000 < 5000;
        file[WAV_HEADER + 2 * i] = loud ? (uint8_t)drawn : 0;
        file[WAV_HEADER + 2 * i + 1] = loud ? (uint8_t)((int8_t)(drawn >> 8) / 4) : 0;
    }
    if (pwrite(fd, file, WAV_HEADER + bytes, 0) != (ssize_t)(WAV_HEADER + bytes)) {
        die("cannot write a medium", NULL);
    }
    free(file);
    return fd;
}

/* ---- random mixes ---- */

struct mix {
    struct graph_builder *builder;
    uint64_t *state;
    uint32_t only; /* the file that is delivered; GRAPH_NONE: all */
    uint32_t files;
    uint32_t plugin_of[POOL_COUNT];
    uint32_t instrument_of[INSTRUMENT_COUNT];
};

static uint32_t below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(random_next(state) % limit);
}

static uint32_t add_gain(const struct mix *mix, uint32_t input, uint32_t channels)
{
    uint32_t curves[2];
    uint32_t node;
    for (uint32_t c = 0; c < channels; c++) {
        struct graph_point point = {.value = (float)(1 + below(mix->state, 60)) / 100};
        need(graph_builder_add_curve(mix->builder, &point, 1, &curves[c]), "curve");
    }
    need(graph_builder_add_gain(mix->builder, input, channels, curves, "fader", &node), "gain");
    return node;
}

static uint32_t add_bus(const struct mix *mix, const uint32_t *inputs, size_t count)
{
    uint32_t node;
    need(graph_builder_add_sum(mix->builder, GRAPH_NODE_BUS, 2, false, inputs, count, "bus", &node), "bus");
    return node;
}

/* A parameter of the plugin that moves: steps off every grid, and ramps. False: it has none that may. */
static bool move_parameter(const struct mix *mix, const struct graph_plugin_facts *plugin,
                           struct graph_parameter *parameter)
{
    const struct graph_port *ports[64];
    uint32_t count = 0;
    for (uint32_t p = 0; p < plugin->port_count && count < 64; p++) {
        const struct graph_port *port = &plugin->ports[p];
        bool number = port->kind == GRAPH_PORT_CONTROL && port->input && !port->integer && !port->toggled &&
                      !port->enumerated && !port->scaled && port->role[0] == '\0';
        if (number && port->minimum < port->maximum) {
            ports[count++] = port;
        }
    }
    if (count == 0) {
        return false;
    }
    const struct graph_port *port = ports[below(mix->state, count)];
    struct graph_point points[8];
    uint32_t point_count = 0;
    int64_t frame = below(mix->state, 3000);
    while (point_count < 7) {
        float part = (float)below(mix->state, 1000) / 3000;
        float value =
            port->standard + part * ((below(mix->state, 2) != 0 ? port->maximum : port->minimum) - port->standard);
        points[point_count++] = (struct graph_point){.frame = frame, .value = value};
        if (below(mix->state, 3) == 0) {
            points[point_count++] = (struct graph_point){.frame = frame, .value = port->standard};
        }
        frame += 1 + below(mix->state, 20000);
    }
    parameter->symbol = port->symbol;
    need(graph_builder_add_curve(mix->builder, points, point_count, &parameter->curve), "curve");
    return true;
}

static uint32_t add_plugin(const struct mix *mix, uint32_t input, uint32_t key)
{
    uint32_t choice = below(mix->state, POOL_COUNT);
    struct graph_parameter parameter;
    struct graph_plugin_node description = {.plugin = mix->plugin_of[choice],
                                            .channels = 2,
                                            .input = input,
                                            .sidechain = pool[choice].keyed ? key : GRAPH_NONE,
                                            .parameters = &parameter};
    if (below(mix->state, 2) == 0 && move_parameter(mix, &facts[choice], &parameter)) {
        description.parameter_count = 1;
    }
    uint32_t node;
    need(graph_builder_add_plugin_node(mix->builder, &description, facts[choice].name, &node), "plugin");
    return node;
}

/* Notes that may sound before, at and behind the range. */
static uint32_t add_instrument(const struct mix *mix)
{
    struct graph_event events[2 * NOTES_MAX];
    uint32_t notes = 1 + below(mix->state, NOTES_MAX);
    int64_t frame = below(mix->state, 9000);
    for (uint32_t i = 0; i < notes; i++) {
        uint8_t key = (uint8_t)(40 + below(mix->state, 40));
        events[2 * i] = (struct graph_event){
            .frame = frame, .size = 3, .bytes = {0x90, key, (uint8_t)(1 + below(mix->state, 127))}};
        frame += below(mix->state, 12000);
        events[2 * i + 1] = (struct graph_event){.frame = frame, .size = 3, .bytes = {0x80, key, 64}};
        frame += below(mix->state, 4000);
    }
    uint32_t choice = below(mix->state, INSTRUMENT_COUNT);
    struct graph_plugin_node description = {.plugin = mix->instrument_of[choice],
                                            .channels = 2,
                                            .input = GRAPH_NONE,
                                            .sidechain = GRAPH_NONE,
                                            .events = events,
                                            .event_count = (size_t)notes * 2};
    uint32_t node;
    need(graph_builder_add_plugin_node(mix->builder, &description, "instrument", &node), "instrument");
    return node;
}

static uint32_t add_source(const struct mix *mix, const uint32_t *medium)
{
    if (below(mix->state, 4) == 0) {
        return add_instrument(mix);
    }
    uint32_t channels = 1 + below(mix->state, 2);
    struct graph_region region = {.media = medium[channels - 1],
                                  .start = below(mix->state, 20000),
                                  .length = 1 + below(mix->state, MEDIUM_FRAMES),
                                  .gain = 1,
                                  .fade_in = GRAPH_NONE,
                                  .fade_out = GRAPH_NONE};
    uint32_t node;
    need(graph_builder_add_clips(mix->builder, channels, false, &region, 1, "clips", &node), "clips");
    return channels == 1 ? add_gain(mix, node, 2) : node;
}

static uint32_t add_track(const struct mix *mix, const uint32_t *medium, const uint32_t *others, uint32_t other_count)
{
    uint32_t node = add_source(mix, medium);
    for (uint32_t i = below(mix->state, CHAIN_MAX + 1); i-- > 0;) {
        uint32_t key = other_count > 0 ? others[below(mix->state, other_count)] : node;
        node = add_plugin(mix, node, key);
    }
    return node;
}

static void deliver(struct mix *mix, const char *name, uint32_t node, const struct graph_deliverable *range)
{
    struct graph_deliverable file = *range;
    file.name = name;
    file.node = node;
    file.preroll = below(mix->state, 2) == 0 ? 0 : below(mix->state, (uint32_t)file.start + 1);
    if (below(mix->state, 2) == 0) {
        file.tail = below(mix->state, 2) == 0 ? GRAPH_TAIL_FRAMES : GRAPH_TAIL_UNTIL;
        file.tail_frames = 1 + below(mix->state, 9000);
        file.tail_hold = file.tail == GRAPH_TAIL_UNTIL ? 2000 : 0;
        file.tail_level = file.tail == GRAPH_TAIL_UNTIL ? 1e-4f : 0;
    }
    uint32_t index;
    if (mix->only == GRAPH_NONE || mix->only == mix->files) {
        need(graph_builder_add_deliverable(mix->builder, &file, NULL, 0, &index), "deliverable");
    }
    mix->files++;
}

static uint32_t use_plugin(const struct mix *mix, const struct graph_plugin_facts *found)
{
    struct graph_plugin plugin = {
        .uri = found->uri, .bundle = found->bundle, .version = found->version, .digest = found->digest};
    uint32_t index;
    need(graph_builder_add_plugin(mix->builder, &plugin, &index), "plugin");
    return index;
}

const struct graph *random_mix_make(uint64_t seed, uint32_t quantum, uint32_t only)
{
    uint64_t state = seed;
    struct mix mix = {.state = &state, .only = only};
    need(graph_builder_new(RATE, quantum, &mix.builder), "builder");
    uint32_t medium[2];
    for (uint32_t m = 0; m < 2; m++) {
        struct graph_media facts_of = {
            .channels = m + 1, .rate = RATE, .frames = MEDIUM_FRAMES, .length = MEDIUM_FRAMES, .name = "noise"};
        need(graph_builder_add_media(mix.builder, &facts_of, &medium[m]), "medium");
    }
    for (uint32_t p = 0; p < POOL_COUNT; p++) {
        mix.plugin_of[p] = use_plugin(&mix, &facts[p]);
    }
    for (uint32_t i = 0; i < INSTRUMENT_COUNT; i++) {
        mix.instrument_of[i] = use_plugin(&mix, &instrument_facts[i]);
    }
    uint32_t tracks[TRACKS_MAX], faders[TRACKS_MAX + 2], sends[TRACKS_MAX];
    uint32_t count = 2 + below(&state, TRACKS_MAX - 1);
    for (uint32_t t = 0; t < count; t++) {
        tracks[t] = add_track(&mix, medium, tracks, t);
        faders[t] = add_gain(&mix, tracks[t], 2);
        sends[t] = add_gain(&mix, tracks[t], 2);
    }
    uint32_t group = add_plugin(&mix, add_bus(&mix, faders, 1 + count / 2), tracks[0]);
    uint32_t returned = add_plugin(&mix, add_bus(&mix, sends, count), tracks[count - 1]);
    faders[count] = add_gain(&mix, group, 2);
    faders[count + 1] = add_gain(&mix, returned, 2);
    uint32_t master = add_bus(&mix, faders + count / 2, count + 2 - count / 2);
    int64_t start = below(&state, 3) == 0 ? 0 : below(&state, 15000);
    struct graph_deliverable range = {.start = start,
                                      .end = start + 1 + below(&state, 45000),
                                      .format = GRAPH_FORMAT_WAV,
                                      .bit_depth = 32,
                                      .rate = RATE,
                                      .gain_from = GRAPH_NONE};
    deliver(&mix, "master", master, &range);
    deliver(&mix, "again", add_plugin(&mix, master, tracks[0]), &range);
    deliver(&mix, "track", tracks[count / 2], &range);
    deliver(&mix, "return", returned, &range);
    const struct graph *graph;
    struct lh_error error = LH_ERROR_INIT;
    if (graph_builder_finish(mix.builder, &graph, &error) != LH_OK) {
        die("the random mix is no graph", &error);
    }
    graph_builder_free(mix.builder);
    return graph;
}

/* Without Debian's plugins there is nothing to show. */
void random_mix_open(void)
{
    for (size_t b = 0; b < BUNDLE_COUNT; b++) {
        if (access(bundles[b], R_OK) != 0) {
            printf("1..0 # SKIP there is no %s\n", bundles[b]);
            exit(0);
        }
    }
    struct lh_error error = LH_ERROR_INIT;
    if (engine_host_new(bundles, BUNDLE_COUNT, NULL, &random_mix_host, &error) != LH_OK) {
        die("host", &error);
    }
    lh_arena_init(&arena);
    for (size_t p = 0; p < POOL_COUNT; p++) {
        if (engine_host_describe(random_mix_host, pool[p].uri, &arena, &facts[p], &error) != LH_OK) {
            die(pool[p].uri, &error);
        }
    }
    for (size_t i = 0; i < INSTRUMENT_COUNT; i++) {
        if (engine_host_describe(random_mix_host, instruments[i], &arena, &instrument_facts[i], &error) != LH_OK) {
            die(instruments[i], &error);
        }
    }
    random_mix_media[0] = make_medium(1);
    random_mix_media[1] = make_medium(2);
}

void random_mix_close(void)
{
    engine_host_free(random_mix_host);
    lh_arena_fini(&arena);
}
