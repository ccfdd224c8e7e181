/* SPDX-License-Identifier: MIT */
/* Facts in tables. */
#include "tests/pulse-daemon/compile/plugins.h"

#include <string.h>

#define AUDIO(in, side, port_symbol)                                                                                   \
    {                                                                                                                  \
        .kind = GRAPH_PORT_AUDIO, .input = in, .sidechain = side, .symbol = port_symbol, .name = port_symbol,          \
        .unit = "", .role = ""                                                                                         \
    }
#define NOTES                                                                                                          \
    {                                                                                                                  \
        .kind = GRAPH_PORT_EVENTS, .input = true, .notes = true, .symbol = "midi", .name = "midi", .unit = "",         \
        .role = ""                                                                                                     \
    }
#define CONTROL(port_symbol, low, high, ...)                                                                           \
    {                                                                                                                  \
        .kind = GRAPH_PORT_CONTROL, .symbol = port_symbol, .name = port_symbol, .role = "", .minimum = low,            \
        .maximum = high, __VA_ARGS__                                                                                   \
    }
#define COUNT(array) (uint32_t)(sizeof(array) / sizeof *(array))

static const struct graph_scale_point modes[] = {{"low", 0.0f}, {"high", 1.0f}, {"notch", 4.0f}};

#define PARAMETERS                                                                                                     \
    CONTROL("gain", -60.0f, 24.0f, .input = true, .unit = "dB"),                                                       \
        CONTROL("freq", 0.0f, 24000.0f, .input = true, .unit = "Hz", .scaled = true),                                  \
        CONTROL("mode", 0.0f, 4.0f, .input = true, .unit = "", .enumerated = true, .points = modes, .point_count = 3), \
        CONTROL("on", 0.0f, 1.0f, .input = true, .unit = "", .toggled = true),                                         \
        CONTROL("steps", 1.0f, 16.0f, .input = true, .unit = "", .integer = true),                                     \
        CONTROL("level", 0.0f, 1.0f, .input = false, .unit = ""),                                                      \
    {                                                                                                                  \
        .kind = GRAPH_PORT_PROPERTY, .input = true, .symbol = "prop", .name = "prop", .unit = "", .role = "",          \
        .maximum = 1.0f                                                                                                \
    }

static const struct graph_port mono[] = {AUDIO(true, false, "in"), AUDIO(false, false, "out"), PARAMETERS};
static const struct graph_port stereo[] = {AUDIO(true, false, "in_l"), AUDIO(true, false, "in_r"),
                                           AUDIO(false, false, "out_l"), AUDIO(false, false, "out_r"), PARAMETERS};
static const struct graph_port keyed[] = {AUDIO(true, false, "in_l"),
                                          AUDIO(true, false, "in_r"),
                                          AUDIO(true, true, "key_l"),
                                          AUDIO(true, true, "key_r"),
                                          AUDIO(false, false, "out_l"),
                                          AUDIO(false, false, "out_r"),
                                          PARAMETERS};
static const struct graph_port synth[] = {NOTES, AUDIO(false, false, "out_l"), AUDIO(false, false, "out_r"),
                                          PARAMETERS};
static const struct graph_port drone[] = {AUDIO(false, false, "out_l"), AUDIO(false, false, "out_r"), PARAMETERS};
static const struct graph_port vocoder[] = {NOTES,
                                            AUDIO(true, false, "in_l"),
                                            AUDIO(true, false, "in_r"),
                                            AUDIO(false, false, "out_l"),
                                            AUDIO(false, false, "out_r"),
                                            PARAMETERS};
static const struct graph_port meter[] = {AUDIO(true, false, "in_l"), AUDIO(true, false, "in_r"), PARAMETERS};
static const struct graph_port arp[] = {NOTES, PARAMETERS};

static const struct graph_preset presets[] = {
    {"urn:warm", "Warm", "/lv2/warm/"}, {"urn:cold", "Twice", "/lv2/"}, {"urn:icy", "Twice", "/lv2/"}};

#define PLUGIN(plugin_uri, plugin_ports, why)                                                                          \
    {                                                                                                                  \
        .uri = plugin_uri, .name = "", .author = "", .licence = "", .category = "", .version = "1.2",                  \
        .bundle = "/lv2/b.lv2/", .binary = "/lv2/b.lv2/b.so", .refused = why, .ports = plugin_ports,                   \
        .port_count = COUNT(plugin_ports), .presets = presets, .preset_count = COUNT(presets)                          \
    }

static const struct graph_plugin_facts installed[] = {
    PLUGIN("lv2:urn:mono", mono, ""),       PLUGIN("lv2:urn:stereo", stereo, ""),
    PLUGIN("lv2:urn:comp", keyed, ""),      PLUGIN("lv2:urn:wild", stereo, ""),
    PLUGIN("lv2:urn:synth", synth, ""),     PLUGIN("lv2:urn:drone", drone, ""),
    PLUGIN("lv2:urn:vocoder", vocoder, ""), PLUGIN("lv2:urn:meter", meter, ""),
    PLUGIN("lv2:urn:arp", arp, ""),         PLUGIN("lv2:urn:refused", stereo, "needs the feature urn:window"),
};

void plugins_know(const char *plugin, struct pulse_plugin_facts *facts)
{
    *facts = (struct pulse_plugin_facts){.repeatable = strcmp(plugin, "lv2:urn:wild") != 0};
    for (size_t i = 0; i < COUNT(installed); i++) {
        if (strcmp(installed[i].uri, plugin) == 0) {
            facts->installed = &installed[i];
        }
    }
    if (strcmp(plugin, "lv2:urn:sterio") == 0) {
        facts->near[0] = "lv2:urn:stereo";
        facts->near[1] = "lv2:urn:mono";
    }
}

#define EVENT(when, number, ...)                                                                                       \
    {                                                                                                                  \
        .at = when, .track = number, .size = sizeof((uint8_t[]){__VA_ARGS__}), .bytes = { __VA_ARGS__ }                \
    }

/* Track 1 sets up and holds the pedal, track 2 plays: two notes, the first struck twice. */
static const struct pulse_midi_event beats[] = {
    EVENT(0.0, 1, 0xB0, 32, 2),  EVENT(0.0, 1, 0xB0, 0, 1),   EVENT(0.0, 1, 0xC0, 9),      EVENT(0.0, 2, 0x90, 60, 100),
    EVENT(0.5, 1, 0xE0, 0, 64),  EVENT(0.5, 2, 0x90, 60, 90), EVENT(1.0, 2, 0x80, 60, 10), EVENT(1.0, 1, 0xB0, 64, 127),
    EVENT(1.5, 2, 0x90, 60, 0),  EVENT(2.0, 2, 0x91, 64, 80), EVENT(2.0, 1, 0xB0, 7, 101), EVENT(3.0, 2, 0x81, 64, 0),
    EVENT(3.0, 2, 0x91, 65, 70),
};
static const struct pulse_midi_event code[] = {EVENT(0.25, 1, 0x90, 60, 100), EVENT(0.5, 1, 0x80, 60, 0)};

void plugins_know_midi(const char *file, struct pulse_midi_facts *facts)
{
    *facts = (struct pulse_midi_facts){.known = false};
    if (strcmp(file, "beats.mid") == 0) {
        *facts = (struct pulse_midi_facts){
            .known = true, .tracks = 2, .events = beats, .event_count = COUNT(beats), .length = 4.0};
    } else if (strcmp(file, "code.mid") == 0) {
        *facts = (struct pulse_midi_facts){
            .known = true, .seconds = true, .tracks = 1, .events = code, .event_count = COUNT(code), .length = 1.0};
    }
}

void plugins_know_state(const char *file, struct pulse_state_facts *facts)
{
    *facts = (struct pulse_state_facts){.folder = "/project/"};
    if (file != NULL && strcmp(file, "plain.ttl") == 0) {
        facts->text = "<> <urn:key> 1 .";
    } else if (file != NULL && strcmp(file, "path.ttl") == 0) {
        facts->text = "<> <urn:key> \"kick.wav\"^^atom:Path .";
    }
}
