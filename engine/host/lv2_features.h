/* SPDX-License-Identifier: MIT */
/* What the host hands to an LV2 instance. The texts and numbers live in here, so it must not move. */
#ifndef ENGINE_HOST_LV2_FEATURES_H
#define ENGINE_HOST_LV2_FEATURES_H

#include <lv2/core/lv2.h>
#include <lv2/log/log.h>
#include <lv2/options/options.h>
#include <lv2/state/state.h>
#include <stdatomic.h>

#include "engine/host/lv2_urid.h"
#include "engine/host/lv2_worker.h"
#include "engine/host/provider.h"

#define ENGINE_LV2_FEATURES_MOST 24
#define ENGINE_LV2_COMPLAINT_BYTES 160

/* Where relative paths begin, and where new files go. */
struct engine_lv2_paths {
    const char *folder;                          /* "" none: paths stay as they are */
    const char *scratch;                         /* NULL: the plugin may not write files */
    const LV2_State_Map_Path *inner;             /* instead of `folder`, while a preset is restored */
    char unreadable[ENGINE_LV2_COMPLAINT_BYTES]; /* the first path that was asked for and cannot be read; "" none */
};

struct engine_lv2_features {
    LV2_Options_Option options[6];
    float sample_rate;
    int32_t block_minimum, block_maximum, sequence_bytes;
    LV2_URID_Map map; /* copies: what a plugin does to its features stays with it */
    LV2_URID_Unmap unmap;
    LV2_Worker_Schedule schedule;
    LV2_Log_Log log;
    LV2_State_Map_Path map_path;
    LV2_State_Make_Path make_path;
    LV2_State_Free_Path free_path;
    struct engine_lv2_paths paths;
    const struct engine_lv2_vocabulary *words;
    LV2_Feature items[ENGINE_LV2_FEATURES_MOST];
    const LV2_Feature *instance[ENGINE_LV2_FEATURES_MOST + 1]; /* NULL-terminated */
    const LV2_Feature *restore[ENGINE_LV2_FEATURES_MOST + 1];  /* no worker: restoring waits for nobody */
    atomic_flag complaining;
    char complaint[ENGINE_LV2_COMPLAINT_BYTES]; /* the last error or warning that it logged; may be empty */
};

/* Can a plugin that requires this feature be run? */
bool engine_lv2_features_known(const char *uri);
/* `live`: it requires lv2:isLive, which is not promised to anybody else. `worker` NULL: it has none. */
void engine_lv2_features_init(struct engine_lv2_features *features, struct engine_lv2_urids *urids,
                              const struct engine_plugin_config *config, struct engine_lv2_worker *worker, bool live);

#endif
