/* SPDX-License-Identifier: MIT */
/* The tables of project format 1, from the smallest shapes to the project. */
#include "pulse-daemon/project/format.h"

#include <string.h>

#include "pulse-daemon/project/load.h"
#include "pulse-daemon/project/model.h"
#include "pulse-daemon/project/paths.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define ID_LETTERS LETTERS DIGITS "_.-"
#define NAME_LETTERS ID_LETTERS " "
#define SYMBOL_LETTERS LETTERS DIGITS "_"
#define SCHEME_LETTERS "abcdefghijklmnopqrstuvwxyz" DIGITS "+.-"

const char *const pulse_pan_law_names[3] = {"constantPower", "linear", "compromise"};
const char *const pulse_resampler_names[2] = {"soxr", "samplerate"};
const char *const pulse_tempo_curve_names[2] = {"step", "ramp"};
const char *const pulse_curve_names[2] = {"linear", "hold"};
const char *const pulse_fade_shape_names[4] = {"linear", "constantPower", "exponential", "sCurve"};
const char *const pulse_tap_names[3] = {"post", "pre", "contribution"};
const char *const pulse_cohort_names[3] = {"auto", "live", "anticipative"};
const char *const pulse_track_type_names[5] = {"audio", "instrument", "group", "return", "master"};
const char *const pulse_format_names[8] = {"wav", "bwf", "aiff", "flac", "vorbis", "opus", "mp3", "ogg"};
const char *const pulse_dither_names[2] = {"tpdf", "none"};
static const char *const if_missing_names[] = {"fail", "bypass"};
static const char *const silence_names[] = {"-inf"};

/* Texts. */

static const char *id_fault(const char *text)
{
    return text[strspn(text, ID_LETTERS)] == '\0' ? NULL : "may hold only letters, digits, \"_\", \".\" and \"-\"";
}

static const char *line_fault(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return "must not hold control characters";
        }
    }
    return NULL;
}

/* Names of files on every system: no separators, not hidden, no trailing dot or space. */
static const char *file_name_fault(const char *text)
{
    if (text[strspn(text, NAME_LETTERS)] != '\0') {
        return "may hold only letters, digits, \"_\", \".\", \"-\" and spaces, because it becomes a file's name";
    }
    char last = text[strlen(text) - 1];
    if (text[0] == '.' || text[0] == ' ' || text[0] == '-' || last == '.' || last == ' ') {
        return "must not begin with a dot, a space or \"-\", nor end with a dot or a space";
    }
    return NULL;
}

static const char *symbol_fault(const char *text)
{
    bool good = strchr(DIGITS, text[0]) == NULL && text[strspn(text, SYMBOL_LETTERS)] == '\0';
    return good ? NULL : "may hold only letters, digits and \"_\", and begins with no digit";
}

static const char *plugin_fault(const char *text)
{
    size_t scheme = strspn(text, SCHEME_LETTERS);
    bool good = text[0] >= 'a' && text[0] <= 'z' && text[scheme] == ':' && text[scheme + 1] != '\0' &&
                strchr(text, ' ') == NULL && line_fault(text) == NULL;
    return good ? NULL : "has to be a kind and an identifier, like \"lv2:http://example.org/reverb\"";
}

static const char *tag_fault(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < 0x20 || *text > 0x7d || *text == '=') {
            return "may hold only printable ASCII without \"=\" and \"~\"";
        }
    }
    return NULL;
}

static const char *digest_fault(const char *text)
{
    struct lh_digest digest;
    return lh_digest_parse(text, &digest) ? NULL : "has to be \"sha256:\" and 64 lower-case hexadecimal digits";
}

#define TEXT(words, least, most, check)                                                                                \
    {                                                                                                                  \
        .kind = PULSE_SHAPE_TEXT, .noun = words, .minimum = least, .maximum = most, .fault = check                     \
    }
#define NUMBER(words, least, most)                                                                                     \
    {                                                                                                                  \
        .kind = PULSE_SHAPE_NUMBER, .noun = words, .minimum = least, .maximum = most                                   \
    }
#define WHOLE(words, least, most)                                                                                      \
    {                                                                                                                  \
        .kind = PULSE_SHAPE_WHOLE, .noun = words, .minimum = least, .maximum = most                                    \
    }
#define CHOICE(words, list)                                                                                            \
    {                                                                                                                  \
        .kind = PULSE_SHAPE_CHOICE, .noun = words, .names = list, .name_count = COUNT(list)                            \
    }
#define OBJECT(words, list)                                                                                            \
    {                                                                                                                  \
        .kind = PULSE_SHAPE_OBJECT, .noun = words, .members = list, .member_count = COUNT(list)                        \
    }
/* An object that people write as a bare number: the message shows one. */
#define MEASURE(words, list, what)                                                                                     \
    {                                                                                                                  \
        .kind = PULSE_SHAPE_OBJECT, .noun = words, .members = list, .member_count = COUNT(list), .wanted = what        \
    }
#define LIST(words, shape, most)                                                                                       \
    {                                                                                                                  \
        .kind = PULSE_SHAPE_LIST, .noun = words, .item = &shape, .maximum = most                                       \
    }
#define EITHER(words, list, what)                                                                                      \
    {                                                                                                                  \
        .kind = PULSE_SHAPE_EITHER, .noun = words, .alternatives = list, .wanted = what                                \
    }
#define SHAPE static const struct pulse_shape
#define MEMBERS static const struct pulse_member

SHAPE track_id = TEXT("a track id", 1, PULSE_ID_MAX, id_fault);
SHAPE clip_id = TEXT("a clip id", 1, PULSE_ID_MAX, id_fault);
SHAPE node_id = TEXT("a node id", 1, PULSE_ID_MAX, id_fault);
SHAPE media_id = TEXT("a media id", 1, PULSE_ID_MAX, id_fault);
/* A reference is looked up; what it may hold is decided where the name that it means is given. */
SHAPE track_reference = TEXT("a track's id", 0, LH_JSON_TEXT_MAX, NULL);
SHAPE media_reference = TEXT("a medium's id", 0, LH_JSON_TEXT_MAX, NULL);
SHAPE deliverable_reference = TEXT("a deliverable's name", 0, LH_JSON_TEXT_MAX, NULL);
SHAPE name_text = TEXT("a name", 0, 256, line_fault);
SHAPE file_name = TEXT("a deliverable's name", 1, PULSE_ID_MAX, file_name_fault);
SHAPE file_path = TEXT("a file path", 1, PULSE_PATH_MAX, pulse_path_fault);
SHAPE digest_text = TEXT("a digest", 1, 128, digest_fault);
SHAPE plugin_text = TEXT("a plugin", 1, 1024, plugin_fault);
SHAPE preset_text = TEXT("a preset", 1, 1024, line_fault);
SHAPE symbol_text = TEXT("a parameter's symbol", 1, 256, symbol_fault);
SHAPE parameter_path = TEXT("an automated parameter", 0, 512, NULL);
SHAPE tag_name = TEXT("a tag's name", 1, PULSE_ID_MAX, tag_fault);
SHAPE tag_value = TEXT("a tag", 0, 4096, NULL);

/* Switches, numbers, levels. */

SHAPE flag = {.kind = PULSE_SHAPE_BOOL, .noun = "this switch"};
SHAPE ext = {.kind = PULSE_SHAPE_ANY, .noun = "\"ext\""};
SHAPE level_number = NUMBER("a level in dB", PULSE_LEVEL_MIN, PULSE_LEVEL_MAX);
SHAPE silence = CHOICE("a level in dB, when it is a string,", silence_names);
static const struct pulse_shape *const level_forms[] = {&level_number, &silence, NULL};
SHAPE level = EITHER("a level in dB", level_forms, "a number or \"-inf\"");
SHAPE pan = NUMBER("a pan position", -1, 1);
SHAPE version = WHOLE("the format's version", PULSE_VERSION, PULSE_VERSION);
SHAPE rate = WHOLE("a sample rate", PULSE_RATE_MIN, PULSE_RATE_MAX);
SHAPE channels = WHOLE("the number of channels", 1, PULSE_CHANNELS_MAX);
SHAPE parameter_value = NUMBER("a parameter's value", -1e30, 1e30);

SHAPE quantum = WHOLE("the quantum in frames", PULSE_QUANTUM_MIN, PULSE_QUANTUM_MAX);

/* Times. */

SHAPE beats = NUMBER("a time in beats", 0, PULSE_BEATS_MAX);
SHAPE seconds = NUMBER("a time in seconds", 0, PULSE_SECONDS_MAX);
SHAPE frames = WHOLE("a time in frames", 0, PULSE_FRAMES_MAX);
MEMBERS time_members[] = {
    {"beats", &beats, PULSE_ONE_OF}, {"seconds", &seconds, PULSE_ONE_OF}, {"frames", &frames, PULSE_ONE_OF}};
SHAPE time = MEASURE("a time", time_members, "an object like {\"seconds\": 1.5}, {\"beats\": 4} or {\"frames\": 480}");
MEMBERS beats_members[] = {{"beats", &beats, PULSE_REQUIRED}};
SHAPE beats_time = MEASURE("a time on the tempo map", beats_members, "an object like {\"beats\": 4}");
MEMBERS offset_members[] = {{"seconds", &seconds, PULSE_ONE_OF}, {"frames", &frames, PULSE_ONE_OF}};
SHAPE offset = MEASURE("an offset", offset_members, "an object like {\"seconds\": 1.5} or {\"frames\": 480}");

/* Tempo, time signatures, markers, media. */

SHAPE bpm = NUMBER("a tempo in beats a minute", 1, 1000);
SHAPE tempo_curve = CHOICE("a tempo's curve", pulse_tempo_curve_names);
MEMBERS tempo_members[] = {
    {"at", &beats_time, PULSE_REQUIRED}, {"bpm", &bpm, PULSE_REQUIRED}, {"curve", &tempo_curve, PULSE_OPTIONAL}};
SHAPE tempo_point = OBJECT("a tempo point", tempo_members);
SHAPE tempo = LIST("the tempo", tempo_point, PULSE_MAP_POINTS_MAX);

SHAPE numerator = WHOLE("a numerator", 1, 255);
SHAPE denominator = WHOLE("a denominator", 1, 64);
MEMBERS signature_members[] = {{"at", &time, PULSE_REQUIRED},
                               {"numerator", &numerator, PULSE_REQUIRED},
                               {"denominator", &denominator, PULSE_REQUIRED}};
SHAPE signature = OBJECT("a time signature", signature_members);
SHAPE signatures = LIST("the list of time signatures", signature, PULSE_MAP_POINTS_MAX);

MEMBERS marker_members[] = {{"at", &time, PULSE_REQUIRED}, {"name", &name_text, PULSE_OPTIONAL}};
SHAPE marker = OBJECT("a marker", marker_members);
SHAPE markers = LIST("the list of markers", marker, PULSE_MAP_POINTS_MAX);

SHAPE resampler = CHOICE("a resampler", pulse_resampler_names);
MEMBERS medium_members[] = {{"file", &file_path, PULSE_ONE_OF},
                            {"digest", &digest_text, PULSE_ONE_OF},
                            {"resampler", &resampler, PULSE_OPTIONAL}};
SHAPE medium = OBJECT("a medium", medium_members);
SHAPE media = {
    .kind = PULSE_SHAPE_MAP, .noun = "the media", .key = &media_id, .item = &medium, .maximum = PULSE_MEDIA_MAX};

/* Clips. */

SHAPE fade_shape = CHOICE("a fade's shape", pulse_fade_shape_names);
MEMBERS fade_members[] = {{"duration", &time, PULSE_REQUIRED}, {"shape", &fade_shape, PULSE_OPTIONAL}};
SHAPE fade = MEASURE("a fade", fade_members, "an object like {\"duration\": {\"seconds\": 0.01}}");

SHAPE key = WHOLE("a key", 0, 127);
SHAPE velocity = WHOLE("a velocity", 1, 127);
SHAPE midi_channel = WHOLE("a MIDI channel", 1, 16);
MEMBERS note_members[] = {{"at", &time, PULSE_REQUIRED},
                          {"duration", &time, PULSE_REQUIRED},
                          {"key", &key, PULSE_REQUIRED},
                          {"velocity", &velocity, PULSE_OPTIONAL},
                          {"channel", &midi_channel, PULSE_OPTIONAL}};
SHAPE note = OBJECT("a note", note_members);
SHAPE notes = LIST("the list of notes", note, PULSE_NOTES_MAX);

SHAPE midi_track = WHOLE("a MIDI file's track", 0, 65535);
MEMBERS clip_members[] = {
    {"id", &clip_id, PULSE_OPTIONAL},
    {"media", &media_reference, PULSE_ONE_OF},
    {"notes", &notes, PULSE_ONE_OF},
    {"midi", &file_path, PULSE_ONE_OF},
    {"midiTrack", &midi_track, PULSE_OPTIONAL},
    {"start", &time, PULSE_OPTIONAL},
    {"offset", &offset, PULSE_OPTIONAL},
    {"duration", &time, PULSE_OPTIONAL},
    {"gainDb", &level, PULSE_OPTIONAL},
    {"mute", &flag, PULSE_OPTIONAL},
    {"loop", &flag, PULSE_OPTIONAL},
    {"reverse", &flag, PULSE_OPTIONAL},
    {"fadeIn", &fade, PULSE_OPTIONAL},
    {"fadeOut", &fade, PULSE_OPTIONAL},
    {"ext", &ext, PULSE_OPTIONAL},
};
SHAPE clip = OBJECT("a clip", clip_members);
SHAPE clips = LIST("the list of clips", clip, PULSE_CLIPS_MAX);

/* Nodes. A stand-in is a node without stand-ins of its own. */

SHAPE parameters = {.kind = PULSE_SHAPE_MAP,
                    .noun = "the list of parameters",
                    .key = &symbol_text,
                    .item = &parameter_value,
                    .maximum = PULSE_PARAMETERS_MAX};
MEMBERS state_members[] = {{"file", &file_path, PULSE_ONE_OF}, {"digest", &digest_text, PULSE_ONE_OF}};
SHAPE state = OBJECT("a state", state_members);
SHAPE side_tap = {.kind = PULSE_SHAPE_CHOICE, .noun = "a tap", .names = pulse_tap_names, .name_count = 2};
MEMBERS sidechain_members[] = {{"from", &track_reference, PULSE_REQUIRED}, {"tap", &side_tap, PULSE_OPTIONAL}};
SHAPE sidechain = OBJECT("a side chain", sidechain_members);

/* "ifMissing" comes last: a stand-in has all the members but that one. */
#define STAND_IN_MEMBER_COUNT 8
static const struct pulse_member node_members[STAND_IN_MEMBER_COUNT + 1];
SHAPE stand_in = {.kind = PULSE_SHAPE_OBJECT,
                  .noun = "a stand-in node",
                  .members = node_members,
                  .member_count = STAND_IN_MEMBER_COUNT};
SHAPE stand_ins = LIST("the list of stand-in nodes", stand_in, PULSE_NODES_MAX);
SHAPE if_missing_word = CHOICE("\"ifMissing\"", if_missing_names);
static const struct pulse_shape *const if_missing_forms[] = {&if_missing_word, &stand_ins, NULL};
SHAPE if_missing = EITHER("\"ifMissing\"", if_missing_forms, "\"fail\", \"bypass\" or an array of stand-in nodes");
MEMBERS node_members[STAND_IN_MEMBER_COUNT + 1] = {
    {"id", &node_id, PULSE_REQUIRED},           {"plugin", &plugin_text, PULSE_REQUIRED},
    {"enabled", &flag, PULSE_OPTIONAL},         {"parameters", &parameters, PULSE_OPTIONAL},
    {"preset", &preset_text, PULSE_OPTIONAL},   {"state", &state, PULSE_OPTIONAL},
    {"sidechain", &sidechain, PULSE_OPTIONAL},  {"ext", &ext, PULSE_OPTIONAL},
    {"ifMissing", &if_missing, PULSE_OPTIONAL},
};
SHAPE node = OBJECT("a node", node_members);
SHAPE nodes = LIST("the list of nodes", node, PULSE_NODES_MAX);

/* Sends and automation. */

MEMBERS send_members[] = {{"to", &track_reference, PULSE_REQUIRED},
                          {"gainDb", &level, PULSE_OPTIONAL},
                          {"pan", &pan, PULSE_OPTIONAL},
                          {"tap", &side_tap, PULSE_OPTIONAL},
                          {"mute", &flag, PULSE_OPTIONAL}};
SHAPE send = OBJECT("a send", send_members);
SHAPE sends = LIST("the list of sends", send, PULSE_TRACKS_MAX);

/* What a value may be depends on the parameter: the automation's reader looks closer. */
static const struct pulse_shape *const value_forms[] = {&parameter_value, &silence, &flag, NULL};
SHAPE point_value = EITHER("a point's value", value_forms, "a number, \"-inf\" or a boolean");
SHAPE curve = CHOICE("a point's curve", pulse_curve_names);
MEMBERS point_members[] = {
    {"at", &time, PULSE_REQUIRED}, {"value", &point_value, PULSE_REQUIRED}, {"curve", &curve, PULSE_OPTIONAL}};
SHAPE point = OBJECT("a point", point_members);
SHAPE points = LIST("the list of points", point, PULSE_POINTS_MAX);
MEMBERS automation_members[] = {{"parameter", &parameter_path, PULSE_REQUIRED}, {"points", &points, PULSE_REQUIRED}};
SHAPE automation = OBJECT("an automation", automation_members);
SHAPE automations = LIST("the list of automation", automation, PULSE_AUTOMATION_MAX);

/* Tracks. */

SHAPE track_type = CHOICE("a track's type", pulse_track_type_names);
SHAPE cohort = CHOICE("a cohort", pulse_cohort_names);
MEMBERS track_members[] = {
    {"id", &track_id, PULSE_REQUIRED},
    {"name", &name_text, PULSE_OPTIONAL},
    {"type", &track_type, PULSE_REQUIRED},
    {"channels", &channels, PULSE_OPTIONAL},
    {"output", &track_reference, PULSE_OPTIONAL},
    {"gainDb", &level, PULSE_OPTIONAL},
    {"pan", &pan, PULSE_OPTIONAL},
    {"mute", &flag, PULSE_OPTIONAL},
    {"solo", &flag, PULSE_OPTIONAL},
    {"invert", &flag, PULSE_OPTIONAL},
    {"cohort", &cohort, PULSE_OPTIONAL},
    {"clips", &clips, PULSE_OPTIONAL},
    {"nodes", &nodes, PULSE_OPTIONAL},
    {"sends", &sends, PULSE_OPTIONAL},
    {"automation", &automations, PULSE_OPTIONAL},
    {"ext", &ext, PULSE_OPTIONAL},
};
SHAPE track = OBJECT("a track", track_members);
SHAPE tracks = LIST("the list of tracks", track, PULSE_TRACKS_MAX);

/* Deliverables. */

SHAPE tap = CHOICE("a tap", pulse_tap_names);
SHAPE each = LIST("the list of tracks in \"each\"", track_reference, PULSE_TRACKS_MAX);
MEMBERS source_members[] = {
    {"track", &track_reference, PULSE_ONE_OF}, {"each", &each, PULSE_ONE_OF}, {"tap", &tap, PULSE_OPTIONAL}};
SHAPE source_object = OBJECT("a source", source_members);
static const struct pulse_shape *const source_forms[] = {&track_reference, &source_object, NULL};
SHAPE source = EITHER("a source", source_forms, "a track id or an object");

SHAPE format = CHOICE("a format", pulse_format_names);
SHAPE bit_depth = WHOLE("a bit depth", 16, 32);
SHAPE dither = CHOICE("a dither", pulse_dither_names);
SHAPE quality = NUMBER("a quality", 0, 1);
SHAPE bitrate = WHOLE("a bit rate in kbit/s", PULSE_BITRATE_MIN, PULSE_BITRATE_MAX);

SHAPE tail_seconds = NUMBER("a tail in seconds", 0, PULSE_TAIL_MAX);
SHAPE until_db = NUMBER("a tail's level in dB", PULSE_LEVEL_MIN, 0);
MEMBERS tail_members[] = {{"seconds", &tail_seconds, PULSE_ONE_OF},
                          {"untilDb", &until_db, PULSE_ONE_OF},
                          {"holdSeconds", &tail_seconds, PULSE_OPTIONAL},
                          {"maxSeconds", &tail_seconds, PULSE_OPTIONAL}};
SHAPE tail = OBJECT("a tail", tail_members);
MEMBERS range_members[] = {{"start", &time, PULSE_OPTIONAL},
                           {"end", &time, PULSE_OPTIONAL},
                           {"preroll", &time, PULSE_OPTIONAL},
                           {"tail", &tail, PULSE_OPTIONAL}};
SHAPE range = OBJECT("a range", range_members);

SHAPE integrated = NUMBER("an integrated loudness in LUFS", -70, 0);
SHAPE true_peak = NUMBER("a true peak in dBTP", -60, 0);
MEMBERS loudness_members[] = {{"integrated", &integrated, PULSE_OPTIONAL}, {"truePeak", &true_peak, PULSE_OPTIONAL}};
SHAPE loudness = OBJECT("a loudness target", loudness_members);

SHAPE tags = {.kind = PULSE_SHAPE_MAP,
              .noun = "the list of tags",
              .key = &tag_name,
              .item = &tag_value,
              .maximum = PULSE_TAGS_MAX};
MEMBERS loop_members[] = {{"start", &time, PULSE_REQUIRED}, {"end", &time, PULSE_REQUIRED}};
SHAPE loop = OBJECT("a loop", loop_members);

MEMBERS deliverable_members[] = {
    {"name", &file_name, PULSE_REQUIRED},
    {"source", &source, PULSE_OPTIONAL},
    {"format", &format, PULSE_OPTIONAL},
    {"bitDepth", &bit_depth, PULSE_OPTIONAL},
    {"dither", &dither, PULSE_OPTIONAL},
    {"sampleRate", &rate, PULSE_OPTIONAL},
    {"quality", &quality, PULSE_OPTIONAL},
    {"bitrateKbps", &bitrate, PULSE_OPTIONAL},
    {"range", &range, PULSE_OPTIONAL},
    {"loudness", &loudness, PULSE_OPTIONAL},
    {"gainFrom", &deliverable_reference, PULSE_OPTIONAL},
    {"tags", &tags, PULSE_OPTIONAL},
    {"loop", &loop, PULSE_OPTIONAL},
};
SHAPE deliverable = OBJECT("a deliverable", deliverable_members);
SHAPE deliverables = LIST("the list of deliverables", deliverable, PULSE_DELIVERABLES_MAX);

/* The project. */

SHAPE pan_law = CHOICE("a pan law", pulse_pan_law_names);
MEMBERS project_members[] = {
    {"loophole", &version, PULSE_REQUIRED}, {"name", &name_text, PULSE_OPTIONAL},
    {"sampleRate", &rate, PULSE_OPTIONAL},  {"quantum", &quantum, PULSE_OPTIONAL},
    {"panLaw", &pan_law, PULSE_OPTIONAL},   {"resampler", &resampler, PULSE_OPTIONAL},
    {"tempo", &tempo, PULSE_OPTIONAL},      {"timeSignatures", &signatures, PULSE_OPTIONAL},
    {"markers", &markers, PULSE_OPTIONAL},  {"media", &media, PULSE_OPTIONAL},
    {"tracks", &tracks, PULSE_OPTIONAL},    {"deliverables", &deliverables, PULSE_OPTIONAL},
    {"ext", &ext, PULSE_OPTIONAL},
};
const struct pulse_shape pulse_project_shape = OBJECT("a project", project_members);
