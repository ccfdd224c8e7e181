/* SPDX-License-Identifier: MIT */
/* Small shards for the tests of a worker node. Every call aborts the test when it fails. What is made lives until
   shards_end(). */
#ifndef TESTS_ENGINE_NODE_SHARDS_H
#define TESTS_ENGINE_NODE_SHARDS_H

#include "graph/shard.h"

#define SHARDS_RATE 48000

void shards_end(void);

/* SHA-256 of a text: a key that nothing else has. */
struct lh_digest shards_key(const char *text);
/* A WAV file of 16 bits: a ramp; *size bytes. Sample n of channel c is n * 7 + c * 1000, as a short. */
uint8_t *shards_wav(uint32_t rate, uint32_t channels, uint32_t frames, size_t *size);

/* Silence, delivered `outputs` times as a float WAV of `frames` frames. */
struct graph_shard shards_silence(uint32_t outputs, int64_t frames, const char *name);
/* A stereo medium of that rate and length, whole, into one float WAV ("mix"), or as stored frames ("stored"). */
struct graph_shard shards_clip(const struct lh_digest *medium, uint32_t rate, uint32_t frames, bool stored);
/* The same with the medium given as it was conformed under this key. */
struct graph_shard shards_clip_conformed(const struct lh_digest *key, uint32_t rate, uint32_t frames);
/* Plays stored stereo frames into one float WAV. */
struct graph_shard shards_play(const struct lh_digest *stored, uint32_t frames);
/* Converts stereo media of 44.1 kHz and that length. */
struct graph_shard shards_convert(const struct lh_digest *media, uint32_t count, uint32_t frames);
/* A medium of 48 kHz through a plugin. */
struct graph_shard shards_plugin(const struct lh_digest *medium, uint32_t frames, const struct graph_plugin *plugin);
/* Looks into these files; `midi` by file. */
struct graph_shard shards_probe(const struct lh_digest *files, const bool *midi, size_t count);

#endif
