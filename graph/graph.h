/* SPDX-License-Identifier: MIT */
/* The render graph: what Pulse compiles a project to and all that Signal ever learns of it. Plain, immutable values in
   flat tables that refer to each other by index. Every time is an absolute frame at the project's rate, every level is
   a linear gain; nothing is left to resolve.

   Nodes stand in topological order: a node refers only to nodes with a lower index. Equal nodes are one node (the
   builder sees to it), so that a mix, its stems and the same mix in another format share what they have in common.

   Exactness: the bits that a node produces are a function of this graph alone (docs/sound.md). */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/digest/digest.h"

#define GRAPH_CHANNELS_MAX 16
#define GRAPH_QUANTUM_MIN 64
#define GRAPH_QUANTUM_MAX 8192
#define GRAPH_RATE_MIN 1000                 /* Hz */
#define GRAPH_RATE_MAX 768000               /* Hz */
#define GRAPH_FRAMES_MAX (INT64_C(1) << 40) /* a frame index or length stays below this: 265 days at 48 kHz */
#define GRAPH_INPUTS_MAX 4096               /* contributions to one sum: the exact grid cannot overflow below this */
#define GRAPH_TEXT_MAX 65535                /* bytes of a name, label or tag, UTF-8 */
#define GRAPH_STATE_MAX (16u << 20)         /* bytes of a plugin's state */
#define GRAPH_NONE UINT32_MAX               /* "no index" */

/* How a medium becomes frames at the project's rate. Anything but IN_PLACE is converted once, from its start, into
   float PCM before the render ("conformed"). */
enum graph_conform {
    GRAPH_CONFORM_IN_PLACE = 0, /* exact to seek in and at the project's rate */
    GRAPH_CONFORM_DECODE,       /* lossy, at the project's rate: decoded once */
    GRAPH_CONFORM_SOXR,         /* another rate: libsoxr, very high quality */
    GRAPH_CONFORM_SAMPLERATE,   /* another rate: libsamplerate, best sinc */
};

struct graph_media {
    uint32_t channels; /* 1..16 */
    uint32_t rate;     /* native rate, Hz */
    uint64_t frames;   /* native length, frames */
    uint64_t length;   /* length after conforming: round(frames * project rate / rate), ties to even */
    enum graph_conform conform;
    const char *name; /* for messages: the project's media id. Not part of any key. */
};

/* A node's frames as another render stored them, [begin, begin + frames) of the timeline: what a deliverable of
   GRAPH_FORMAT_STORED holds. Raw, interleaved, little-endian: float32, or int64 in units of 2^-40 when it stands for a
   PARTIAL. The file has exactly frames x channels x (4 or 8) bytes. Whoever renders the graph opens the i-th for entry
   i. */
struct graph_stored {
    uint32_t channels; /* 1..16 */
    bool sum;          /* int64: stands for a PARTIAL */
    int64_t begin;     /* timeline frame, >= 0 */
    int64_t frames;    /* >= 0 */
};

/* A gain curve: linear between its points, held before the first and after the last. Two points at one frame are a
   step: the later one holds from that frame on. At frame n between points a and b (a.frame <= n < b.frame):
       slope = ((double)b.value - a.value) / (double)(b.frame - a.frame)
       value = (float)((double)a.value + slope * (double)(n - a.frame))
   so the value depends on n alone. A curve with one point is a constant. */
struct graph_point {
    int64_t frame;
    float value; /* linear gain, finite */
};

struct graph_curve {
    uint32_t first; /* into points */
    uint32_t count; /* >= 1; frames never decrease; at most two points share a frame */
};

/* A piece of a medium on the timeline. What it plays, in clip time i = 0..length-1:
       loop_length == 0: the medium's frame offset + i            (silence outside the medium)
       loop_length  > 0: the medium's frame offset + i % loop_length   (offset + loop_length <= the medium's length)
       reverse: the same with length - 1 - i for i
   multiplied, in this order and each product rounded to float: gain, then the fade in while i < fade_in_length, then
   the fade out in the last fade_out_length frames.

   A fade of k frames at a distance of d frames from its silent end (d = i fading in, length - i fading out) has the
   value of its curve at the position p = (double)d * ((double)GRAPH_FADE_SPAN / (double)k), with p in the place of n in
   the formula above: a shape is one curve over 0..GRAPH_FADE_SPAN, whatever the lengths of the fades that use it. */
#define GRAPH_FADE_SPAN 65536
struct graph_region {
    uint32_t media;
    int64_t start;       /* timeline frame, >= 0 */
    int64_t length;      /* frames, > 0 */
    int64_t offset;      /* conformed frames into the medium, >= 0 */
    int64_t loop_length; /* conformed frames, 0 = no loop */
    bool reverse;
    float gain;              /* finite */
    int64_t fade_in_length;  /* 0..length */
    int64_t fade_out_length; /* 0..length */
    uint32_t fade_in;        /* curve over 0..GRAPH_FADE_SPAN, GRAPH_NONE when the length is 0 */
    uint32_t fade_out;       /* the same */
};

enum graph_node_kind {
    GRAPH_NODE_CLIPS = 0, /* exact sum of regions, in order of their starts; a mono medium feeds every channel at unity,
                             else layouts are equal */
    GRAPH_NODE_GAIN,      /* its input times one curve for each output channel; input is mono or has the same layout */
    GRAPH_NODE_BUS,       /* exact sum of its inputs, all of its own layout; PARTIAL inputs are added on the grid */
    GRAPH_NODE_PARTIAL,   /* as BUS without invert, but its output is the int64 sum on the grid of 2^-40; only a BUS or
                             PARTIAL reads it */
    GRAPH_NODE_PLUGIN, /* its input (of its own layout, or none: an instrument) through a plugin, keyed by a side chain
                          where there is one; what a plugin's ports make of a layout is in graph/fit.h */
    GRAPH_NODE_STORED, /* stands for a node that was rendered before: read exactly as that one would be, and its bits
                          are not rounded anew. Only a BUS or PARTIAL reads a sum. Whoever asks for more frames than it
                          has gets a fault */
};

/* ---- plugins ---- */

/* A plugin as it was found installed. Entries are distinct. */
struct graph_plugin {
    const char *uri;         /* with its kind: "lv2:http://example.org/reverb" */
    const char *bundle;      /* the folder that holds it, absolute, "/" at its end; "": unknown. Not part of any key */
    const char *version;     /* as the plugin says it, "2.4"; may be empty */
    struct lh_digest digest; /* of its binary and of what its data say of its ports: graph_plugin_digest() */
};

/* A parameter's values over time: a control port or a writable property by its symbol, in its natural unit. Where the
   curve steps, the plugin's run is cut at that frame; where it ramps, the run is cut at multiples of 64 frames. Over
   each piece the parameter has the curve's value at the piece's first frame. */
struct graph_parameter {
    const char *symbol;
    uint32_t curve;
};

/* A MIDI message on the timeline. */
struct graph_event {
    int64_t frame;
    uint32_t size;    /* 1..3 */
    uint8_t bytes[4]; /* unused ones are 0; the first is a status of 0x80..0xEF */
};

/* How a PLUGIN node uses its plugin. */
struct graph_insert {
    uint32_t plugin;
    bool has_input;                            /* the node's first input is what the plugin processes */
    bool has_sidechain;                        /* the node's last input is its side chain, of any layout */
    uint32_t parameter_first, parameter_count; /* into parameters, symbols ascending (strcmp) and distinct */
    uint32_t event_first, event_count;         /* into events, frames never decrease */
    const char *preset;                        /* URI of a preset that is applied before state and parameters; "" */
    const char *preset_bundle; /* the folder that holds the preset, absolute, "/" at its end; "": the plugin's. Not part
                                  of any key */
    const char *state;         /* Turtle text of an LV2 state, applied after the preset, before the parameters; "" */
    const char *folder;   /* absolute, "/" at its end: what relative paths of the state mean. "" without a state. Not
                             part of any key */
    const char *identity; /* "" for a plugin that is proven repeatable; else what tells this node from its equals, which
                             it must not be merged with: "track kick, node comp" */
};

/* The musical time that plugins are told, from `frame` up to the next entry. */
struct graph_tempo {
    int64_t frame;   /* ascending; the first is 0 */
    double beats;    /* quarter notes from the project's start, at `frame` */
    double bpm;      /* quarter notes a minute, > 0, does not move until the next entry */
    int64_t bar;     /* bars from the project's start, 0 = the first */
    double bar_beat; /* beats of the signature's denominator since the bar began, at `frame`; 0..numerator */
    uint32_t numerator, denominator; /* 1..255; 1, 2, 4 .. 64 */
};

/* ---- nodes ---- */

/* Plain data for every kind; members of other kinds are zero. The ranges of the nodes, one after the other, tile
   regions, inputs, curve_refs and inserts: each entry belongs to one node; those of the inserts tile parameters and
   events. An entry of `stored` belongs to one STORED node at most. A sum has at most GRAPH_INPUTS_MAX contributions,
   those of its PARTIAL inputs counted one by one, those of CLIPS where most regions overlap; what is STORED counts as
   one, since how many a stored sum holds was checked where it was cut off. */
struct graph_node {
    enum graph_node_kind kind;
    uint32_t channels; /* of the output, 1..16 */
    bool invert;       /* CLIPS, BUS: the completed sum changes its sign (polarity) */
    uint32_t first;    /* CLIPS: into regions; STORED: into stored; else: into inputs */
    uint32_t count;    /* CLIPS: regions; BUS, PARTIAL: inputs (0 = silence); GAIN, STORED: always 1; PLUGIN: 0..2 */
    uint32_t curves;   /* GAIN: into curve_refs, `channels` of them */
    uint32_t insert;   /* PLUGIN: into inserts */
    const char *label; /* for messages: "track kick, post fader". Not part of any key. */
};

enum graph_format {
    GRAPH_FORMAT_WAV = 0, /* RF64 when it grows past 4 GiB */
    GRAPH_FORMAT_BWF,     /* WAV with a bext chunk */
    GRAPH_FORMAT_AIFF,
    GRAPH_FORMAT_FLAC,
    GRAPH_FORMAT_VORBIS,
    GRAPH_FORMAT_OPUS,
    GRAPH_FORMAT_MP3,
    GRAPH_FORMAT_STORED, /* the node's own frames, raw, as struct graph_stored has them: for other graphs */
};
#define GRAPH_FORMAT_COUNT 8

enum graph_dither { GRAPH_DITHER_NONE = 0, GRAPH_DITHER_TPDF };

enum graph_tail_kind {
    GRAPH_TAIL_NONE = 0,
    GRAPH_TAIL_FRAMES, /* always tail_frames longer */
    GRAPH_TAIL_UNTIL,  /* until every channel stayed below tail_level for tail_hold frames; at most tail_frames */
};

struct graph_tag {
    const char *name;  /* "title", "artist", ... */
    const char *value; /* UTF-8 */
};

struct graph_marker {
    int64_t frame; /* timeline */
    const char *name;
};

/* One file to deliver. Members that are not in use (a dither seed without dither, the resampler at the project's rate,
   the tail's of another kind, those behind a false has_...) are zero: the builder sees to it. What is STORED is not
   prepared for ears: 32 bits at the project's rate, no pre-roll (its start is the first frame that is played), no tail
   that ends by itself, no loudness, loop or tags; its faults are left to whoever adds it up. */
struct graph_deliverable {
    const char *name;   /* of the file, without ending: "mix", "stems-kick" */
    uint32_t node;      /* what it holds: anything, but a PARTIAL (or what stands for one) only STORED */
    int64_t start, end; /* timeline range [start, end), end >= start; the sources fall silent at end */
    int64_t preroll;    /* frames before start that the sources play unheard, 0..start */
    enum graph_tail_kind tail;
    int64_t tail_frames; /* FRAMES: length; UNTIL: the most */
    int64_t tail_hold;   /* UNTIL: frames */
    float tail_level;    /* UNTIL: linear peak */
    enum graph_format format;
    uint32_t bit_depth;           /* 16, 24 or 32 (float; not FLAC); 0 for lossy formats */
    enum graph_dither dither;     /* of 16 and 24 bits, else NONE */
    uint64_t dither_seed;         /* from the deliverable's name */
    uint32_t rate;                /* Hz; converted from the project's rate when different */
    enum graph_conform resampler; /* SOXR or SAMPLERATE, used when the rate differs */
    bool has_quality;             /* lossy: quality in 0..1 (1 = best), else bitrate */
    double quality;
    uint32_t bitrate_kbps; /* 0: the encoder's default */
    bool has_integrated;   /* loudness target, LUFS (EBU R 128) */
    double integrated_lufs;
    bool has_true_peak; /* ceiling, dBTP */
    double true_peak_dbtp;
    uint32_t gain_from; /* index of another deliverable, which has a target, whose loudness gain applies here
                           (which has none), or GRAPH_NONE */
    bool has_loop;
    int64_t loop_start, loop_end; /* timeline frames */
    uint32_t tag_first, tag_count;
};

/* The whole. Curves tile points and deliverables tile tags, as nodes do. Tables are owned by the graph and never change
   after graph_builder_finish() or graph_decode(). */
struct graph {
    uint32_t sample_rate; /* Hz */
    uint32_t quantum;     /* frames, a power of two */
    const struct graph_media *media;
    uint32_t media_count;
    const struct graph_stored *stored;
    uint32_t stored_count;
    const struct graph_point *points;
    uint32_t point_count;
    const struct graph_curve *curves;
    uint32_t curve_count;
    const struct graph_region *regions;
    uint32_t region_count;
    const uint32_t *inputs;
    uint32_t input_count; /* node indices */
    const uint32_t *curve_refs;
    uint32_t curve_ref_count; /* curve indices */
    const struct graph_plugin *plugins;
    uint32_t plugin_count;
    const struct graph_parameter *parameters;
    uint32_t parameter_count;
    const struct graph_event *events;
    uint32_t event_count;
    const struct graph_insert *inserts;
    uint32_t insert_count;
    const struct graph_tempo *tempo;
    uint32_t tempo_count; /* 0: nobody is told the musical time */
    const struct graph_node *nodes;
    uint32_t node_count;
    const struct graph_deliverable *deliverables;
    uint32_t deliverable_count;
    const struct graph_tag *tags;
    uint32_t tag_count;
    const struct graph_marker *markers;
    uint32_t marker_count; /* for every deliverable's container */
};

/* Graphs are shared and immutable. Reference counts are atomic: any thread may ref, unref and read. */
void graph_ref(const struct graph *graph);
void graph_unref(const struct graph *graph); /* accepts NULL */

/* The node reads no other: CLIPS and STORED. Of all others `first` and `count` are a range of inputs. */
bool graph_node_is_source(const struct graph_node *node);
/* Its frames are int64 sums on the grid: a PARTIAL, or what stands for one. */
bool graph_node_is_sum(const struct graph *graph, uint32_t node);
/* Bytes of one frame of the node, in buffers and where it is stored. */
size_t graph_node_frame_bytes(const struct graph *graph, uint32_t node);

bool graph_format_is_lossy(enum graph_format format);

/* The curve's value at a frame, by the formula above (a reference for tests and for single values). */
float graph_curve_at(const struct graph *graph, uint32_t curve, int64_t frame);
/* A fade's value at `distance` frames from its silent end, by the formula at struct graph_region. */
float graph_fade_at(const struct graph *graph, uint32_t curve, int64_t length, int64_t distance);
/* The curve never moves and equals *value. */
bool graph_curve_is_constant(const struct graph *graph, uint32_t curve, float *value);

/* round(frames * to / from), ties to even: how long a stream of `frames` is at another rate. frames < GRAPH_FRAMES_MAX
   and the rates are in GRAPH_RATE_MIN..GRAPH_RATE_MAX, so that the product fits. */
uint64_t graph_converted_length(uint64_t frames, uint32_t from, uint32_t to);

/* Every rule that this header states, checked; graph_decode() and graph_builder_finish() end with it, so a `struct
   graph` that a caller holds is always valid. LH_ERR_FORMAT with the table and index in `where` ("nodes[12]");
   LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status graph_check(const struct graph *graph, struct lh_error *error);

#endif
