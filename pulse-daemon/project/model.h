/* SPDX-License-Identifier: MIT */
/* A project as its file says it: project format 1 (docs/project-format.md), checked, nothing resolved yet. Plain data
   in the project's arena; read-only once loaded. Optional members keep "was it there" so that writing a project back
   says no more and no less than what was read. */
#ifndef PULSE_PROJECT_MODEL_H
#define PULSE_PROJECT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/digest/digest.h"
#include "common/json/json.h"

#define PULSE_NONE SIZE_MAX /* "no index" */
#define PULSE_ID_MAX 64

/* {"beats": n} | {"seconds": n} | {"frames": n}: a position or a length. */
enum pulse_unit { PULSE_UNIT_NONE = 0 /* not given */, PULSE_UNIT_BEATS, PULSE_UNIT_SECONDS, PULSE_UNIT_FRAMES };
struct pulse_time {
    enum pulse_unit unit;
    double value; /* >= 0; frames are whole numbers */
};

enum pulse_pan_law { PULSE_PAN_CONSTANT_POWER = 0, PULSE_PAN_LINEAR, PULSE_PAN_COMPROMISE };
enum pulse_curve { PULSE_CURVE_LINEAR = 0, PULSE_CURVE_HOLD }; /* of automation points */
enum pulse_tempo_curve { PULSE_TEMPO_STEP = 0, PULSE_TEMPO_RAMP };
enum pulse_fade_shape { PULSE_FADE_LINEAR = 0, PULSE_FADE_CONSTANT_POWER, PULSE_FADE_EXPONENTIAL, PULSE_FADE_S_CURVE };
enum pulse_tap { PULSE_TAP_POST = 0, PULSE_TAP_PRE, PULSE_TAP_CONTRIBUTION };
enum pulse_cohort { PULSE_COHORT_AUTO = 0, PULSE_COHORT_LIVE, PULSE_COHORT_ANTICIPATIVE };
enum pulse_resampler { PULSE_RESAMPLER_SOXR = 0, PULSE_RESAMPLER_SAMPLERATE };
enum pulse_track_type {
    PULSE_TRACK_AUDIO = 0,
    PULSE_TRACK_INSTRUMENT,
    PULSE_TRACK_GROUP,
    PULSE_TRACK_RETURN,
    PULSE_TRACK_MASTER
};

struct pulse_tempo_point {
    double beats; /* ascending; the first is 0 */
    double bpm;
    enum pulse_tempo_curve curve;
};

struct pulse_time_signature {
    struct pulse_time at;
    uint32_t numerator, denominator;
};

struct pulse_marker {
    struct pulse_time at;
    const char *name;
};

/* Exactly one of file and digest is given. */
struct pulse_media {
    const char *id;
    const char *file; /* relative to the project's folder, normalised, never outside it; NULL */
    bool has_digest;
    struct lh_digest digest;
    bool has_resampler;
    enum pulse_resampler resampler;
};

struct pulse_fade {
    struct pulse_time duration; /* unit NONE: no fade */
    enum pulse_fade_shape shape;
};

struct pulse_note {
    struct pulse_time at, duration;
    uint32_t key;      /* 0..127 */
    uint32_t velocity; /* 1..127 */
    uint32_t channel;  /* 1..16 */
};

enum pulse_clip_kind { PULSE_CLIP_AUDIO = 0, PULSE_CLIP_NOTES, PULSE_CLIP_MIDI };
struct pulse_clip {
    enum pulse_clip_kind kind;
    const char *id; /* NULL when not given */
    struct pulse_time start;
    struct pulse_time duration; /* unit NONE: to the end of the media */
    struct pulse_time offset;   /* seconds or frames */
    size_t media;               /* AUDIO: into project media */
    double gain_db;             /* may be -inf */
    bool mute, loop, reverse;
    struct pulse_fade fade_in, fade_out;
    const struct pulse_note *notes;
    size_t note_count;          /* NOTES */
    const char *midi;           /* MIDI: file */
    uint32_t midi_track;        /* 0 = all */
    const struct lh_json *json; /* as read: source of ext and of what was given */
};

struct pulse_point {
    struct pulse_time at;
    double value; /* gainDb: dB, may be -inf; pan -1..1; mute 0 or 1; plugin parameters in their natural unit */
    enum pulse_curve curve;
};

enum pulse_target {
    PULSE_TARGET_GAIN,
    PULSE_TARGET_PAN,
    PULSE_TARGET_MUTE,
    PULSE_TARGET_SEND_GAIN,
    PULSE_TARGET_PLUGIN
};
struct pulse_automation {
    enum pulse_target target;
    const char *parameter; /* as written: "gainDb", "sends/verb/gainDb", "nodes/comp/threshold" */
    size_t index;          /* SEND_GAIN: into the track's sends; PLUGIN: into its nodes (PULSE_NONE inside stand-ins) */
    const struct pulse_point *points;
    size_t point_count; /* in the order of the file; resolved later */
    const struct lh_json *json;
};

struct pulse_send {
    size_t to; /* track index */
    double gain_db;
    double pan;
    enum pulse_tap tap; /* PRE or POST */
    bool mute;
    const struct lh_json *json;
};

struct pulse_parameter {
    const char *symbol;
    double value; /* in the parameter's natural unit */
    const struct lh_json *json;
};

enum pulse_if_missing { PULSE_MISSING_FAIL = 0, PULSE_MISSING_BYPASS, PULSE_MISSING_STAND_INS };

/* A plugin on a track. What its parameters may be is known once the plugin is; what is read here is kept as it is,
   whether the plugin is installed or not. */
struct pulse_node {
    const char *id;
    const char *plugin; /* "lv2:http://..." */
    bool enabled;
    const struct pulse_parameter *parameters; /* in the order of the file */
    size_t parameter_count;
    const char *preset;            /* NULL when not given */
    const struct lh_json *state;   /* NULL when not given: has either of */
    const char *state_file;        /* normalised, or NULL */
    struct lh_digest state_digest; /* when there is a state without a file */
    size_t sidechain_from;         /* track index or PULSE_NONE */
    enum pulse_tap sidechain_tap;
    enum pulse_if_missing if_missing;
    const struct pulse_node *stand_ins; /* tried in order; they have none of their own */
    size_t stand_in_count;
    const struct lh_json *json;
};

struct pulse_track {
    const char *id, *name;
    enum pulse_track_type type;
    uint32_t channels; /* 0: not given */
    size_t output;     /* track index; PULSE_NONE for the master */
    double gain_db;    /* 0 unless given; may be -inf */
    double pan;        /* -1..1 */
    bool mute, solo, invert;
    enum pulse_cohort cohort;
    const struct pulse_clip *clips;
    size_t clip_count;
    const struct pulse_node *nodes;
    size_t node_count;
    const struct pulse_send *sends;
    size_t send_count;
    const struct pulse_automation *automation;
    size_t automation_count;
    const struct lh_json *json; /* NULL for the master that the project did not spell out */
};

enum pulse_format {
    PULSE_FORMAT_WAV = 0,
    PULSE_FORMAT_BWF,
    PULSE_FORMAT_AIFF,
    PULSE_FORMAT_FLAC,
    PULSE_FORMAT_VORBIS,
    PULSE_FORMAT_OPUS,
    PULSE_FORMAT_MP3
};

struct pulse_tail {
    bool until;     /* false: exactly `seconds` */
    double seconds; /* fixed tail, 0 when none */
    double until_db, hold_seconds, max_seconds;
};

struct pulse_range {
    struct pulse_time start, end, preroll; /* unit NONE: 0, the project's end, 0 */
    struct pulse_tail tail;
};

struct pulse_tag {
    const char *name, *value;
};

struct pulse_deliverable {
    const char *name;
    const size_t *sources;
    size_t source_count; /* track indices, at least one */
    bool each;           /* one file for each source: "<name>-<track id>" */
    enum pulse_tap tap;  /* POST by default */
    enum pulse_format format;
    uint32_t bit_depth;   /* 16, 24, 32; 0 for lossy */
    bool dither;          /* tpdf unless "none" */
    uint32_t sample_rate; /* 0: the project's (48000 for opus, which knows no 44.1 kHz) */
    struct pulse_range range;
    bool has_integrated, has_true_peak;
    double integrated_lufs, true_peak_dbtp;
    size_t gain_from; /* deliverable index or PULSE_NONE */
    bool has_quality;
    double quality;
    uint32_t bitrate_kbps; /* 0: not given */
    bool has_loop;
    struct pulse_time loop_start, loop_end;
    const struct pulse_tag *tags;
    size_t tag_count;
    const struct lh_json *json; /* NULL for the default deliverable */
};

struct pulse_project {
    struct lh_arena arena;
    const char *name;
    const char *folder; /* of the project file: media paths are relative to it. NULL when made in memory. */
    uint32_t sample_rate, quantum;
    enum pulse_pan_law pan_law;
    enum pulse_resampler resampler;
    const struct pulse_tempo_point *tempo;
    size_t tempo_count; /* at least one */
    const struct pulse_time_signature *signatures;
    size_t signature_count; /* at least one */
    const struct pulse_marker *markers;
    size_t marker_count;
    const struct pulse_media *media;
    size_t media_count;
    const struct pulse_track *tracks;
    size_t track_count; /* master included */
    size_t master;
    const struct pulse_deliverable *deliverables;
    size_t deliverable_count; /* the default one included */
    const struct lh_json *json;
};

#endif
