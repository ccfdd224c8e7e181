/* SPDX-License-Identifier: MIT */
/* The stems of `mix`, and the project that they make. */
#ifndef CLI_STEMS_H
#define CLI_STEMS_H

#include "cli/sources.h"
#include "common/base/bytes.h"
#include "graph/graph.h"

struct cli_stem {
    const char *path;
    const char *name; /* the file's name without folder and ending */
    double gain_db;   /* may be -inf */
    double pan;       /* -1..1 */
    bool has_gain, has_pan;
};

struct cli_stems {
    struct cli_stem *items;
    size_t count;
};

enum cli_stem_setting { CLI_STEM_GAIN, CLI_STEM_PAN };

LH_NODISCARD enum lh_status cli_stems_init(struct lh_arena *arena, const char *const *paths, size_t count,
                                           struct cli_stems *stems, struct lh_error *error);
/* Applies "NAME=VALUE"; NAME is a stem's name, or "#2" for the second one. LH_ERR_USAGE for an unknown name (with the
   nearest), one that several stems have, a stem that has it already, or a value that is no number in bounds. */
LH_NODISCARD enum lh_status cli_stems_set(struct lh_arena *arena, struct cli_stems *stems,
                                          enum cli_stem_setting setting, const char *text, struct lh_error *error);

/* What is to become of them. */
struct cli_mix {
    const char *format; /* "wav" */
    uint32_t bit_depth; /* 0: the format's own */
    bool has_loudness, has_true_peak;
    double integrated_lufs, true_peak_dbtp;
};

/* The format for a path's ending ("-": WAV), NULL when there is none. */
const char *cli_mix_format(const char *path);
/* "wav, flac, ...": the endings that there are. */
#define CLI_MIX_ENDINGS ".wav, .aiff, .flac, .ogg, .opus and .mp3"
bool cli_mix_format_is_lossy(const char *format);

/* The project's text: a track for each stem from frame 0 on, at the highest rate of all. `sources` has the stems'
 * facts. */
LH_NODISCARD enum lh_status cli_stems_project(const struct cli_stems *stems, const struct cli_sources *sources,
                                              const struct cli_mix *mix, struct lh_writer *writer);

#endif
