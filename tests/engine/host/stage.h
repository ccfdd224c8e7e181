/* SPDX-License-Identifier: MIT */
/* A host with one plugin of a test's choice on it. Every call aborts the test when it fails. */
#ifndef TESTS_ENGINE_HOST_STAGE_H
#define TESTS_ENGINE_HOST_STAGE_H

#include "engine/host/host.h"
#include "tests/support/testing.h"

#define STAGE_RATE 48000u
#define STAGE_QUANTUM 1024u
#define STAGE_LV2 "/usr/lib/lv2/"
#define STAGE_FRIENDLY PLUGINS_PATH "/friendly.lv2/"
#define STAGE_HOSTILE PLUGINS_PATH "/hostile.lv2/"
#define STAGE_LIAR PLUGINS_PATH "/liar.lv2/"
#define STAGE_BREAKER PLUGINS_PATH "/breaker.lv2/"
#define STAGE_UNRESOLVED PLUGINS_PATH "/unresolved.lv2/"

struct engine_host *stage_host(const char *bundle);
struct engine_plugin_config stage_config(const char *uri);
struct engine_plugin *stage_plugin(struct engine_host *host, const char *uri);
void stage_set(struct engine_plugin *plugin, const char *symbol, float value);
/* Runs one chunk that must succeed; its inputs hold what they held, or `input` in all of them when it is not NULL. */
void stage_run(struct engine_plugin *plugin, int64_t frame, uint32_t frames, const float *input);
void stage_run_chunk(struct engine_plugin *plugin, const struct engine_plugin_chunk *chunk);
/* Its facts, in the arena. */
struct graph_plugin_facts stage_facts(struct engine_host *host, const char *uri, struct lh_arena *arena);

#endif
