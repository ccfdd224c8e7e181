/* SPDX-License-Identifier: MIT */
/* Project format 1 as shapes, and the words of its choices in the order of the model's enums. Internal to this
   folder; the format for people is docs/project-format.md, for programs proto/project.schema.json. */
#ifndef PULSE_PROJECT_FORMAT_H
#define PULSE_PROJECT_FORMAT_H

#include "pulse-daemon/project/shape.h"

/* Ranges of the format. Decibels leave room for any sensible boost and none for a typing slip of another digit. */
#define PULSE_VERSION 1
#define PULSE_RATE_MIN 1000
#define PULSE_RATE_MAX 768000
#define PULSE_RATE_DEFAULT 48000
#define PULSE_QUANTUM_MIN 64
#define PULSE_QUANTUM_MAX 8192
#define PULSE_QUANTUM_DEFAULT 1024
#define PULSE_CHANNELS_MAX 16
#define PULSE_LEVEL_MIN (-200.0) /* dB; below: "-inf" */
#define PULSE_LEVEL_MAX 60.0
#define PULSE_BEATS_MAX 1e9
#define PULSE_SECONDS_MAX 1e7
#define PULSE_FRAMES_MAX 1099511627776.0 /* 2^40 */
#define PULSE_TAIL_MAX 86400.0           /* s */
#define PULSE_BITRATE_MIN 8              /* kbit/s, of any format */
#define PULSE_BITRATE_MAX 510
#define PULSE_BPM_DEFAULT 120.0
#define PULSE_VELOCITY_DEFAULT 100

extern const char *const pulse_pan_law_names[3];
extern const char *const pulse_resampler_names[2];
extern const char *const pulse_tempo_curve_names[2];
extern const char *const pulse_curve_names[2];
extern const char *const pulse_fade_shape_names[4];
extern const char *const pulse_tap_names[3]; /* the first two where a contribution makes no sense */
extern const char *const pulse_cohort_names[3];
extern const char *const pulse_track_type_names[5];
extern const char *const pulse_format_names[8]; /* the last is "ogg", another word for "vorbis" */
extern const char *const pulse_dither_names[2]; /* "tpdf", "none" */

extern const struct pulse_shape pulse_project_shape;

#endif
