/* SPDX-License-Identifier: MIT */
/* What is done to a plugin to learn how far it can be relied on: one trial after the other, each in a signal instance
   of its own, so that whatever goes wrong is a verdict on that trial alone. */
#ifndef CLI_TRIALS_H
#define CLI_TRIALS_H

#include "engine/instance/client.h"
#include "inventory/evidence.h"

#define CLI_TRIALS_RATE 48000u
#define CLI_TRIALS_FRAMES (24u * 8192u) /* of each trial: four seconds, whole runs of every length */
#define CLI_TRIALS_HANG_MS 20000u       /* a call into the plugin that takes longer is a hang */
#define CLI_TRIALS_LONGEST_MS 60000u    /* and so is a trial, or a plugin could take hours one call at a time */

/* Tries a plugin. `options` are those of every instance. What it turns out to be is the evidence, texts in the arena,
   even if that is a crash; LH_ERR_CANCELLED: a signal came; LH_ERR_IO, LH_ERR_CRASHED, ...: no instance could be had.
   Any thread, one plugin each; the thread must live on until this returns. */
LH_NODISCARD enum lh_status cli_trials_run(struct lh_arena *arena, const struct engine_instance_options *options,
                                           const struct graph_plugin_facts *facts, struct inventory_evidence *evidence,
                                           struct lh_error *error);

#endif
