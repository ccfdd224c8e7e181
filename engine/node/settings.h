/* SPDX-License-Identifier: MIT */
/* What a worker node is told when it is started: its command line and environment, as a table and as values. */
#ifndef ENGINE_NODE_SETTINGS_H
#define ENGINE_NODE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/log.h"
#include "common/base/options.h"
#include "common/base/status.h"

#define ENGINE_NODE_NAME_SIZE 65 /* [A-Za-z0-9_.-]{1,64} and a NUL */
#define ENGINE_NODE_SLOTS_MAX 256
#define ENGINE_NODE_TAGS_MAX 64

/* Texts are the arguments', the environment's or in the arena. */
struct engine_node_settings {
    const char *endpoint; /* of Pulse, for workers */
    char name[ENGINE_NODE_NAME_SIZE];
    uint32_t slots;    /* attempts at once */
    uint32_t threads;  /* of each */
    const char **tags; /* ascending, distinct */
    size_t tag_count;
    const char *cache;      /* folder, absolute; this node's own is beneath it */
    uint64_t cache_bytes;   /* at most */
    uint64_t free_bytes;    /* of the file systems it writes to that stay free: with less it takes no work */
    const char *keys;       /* file of its CURVE pair; NULL on ipc */
    const char *server_key; /* Z85 of Pulse's public key; NULL on ipc */
    bool no_jail;
    uint32_t hang_ms; /* of a plugin's call; 0: the instance's own */
    /* Of an attempt; 0: none of the node's own. The stricter counts, these or those that come with the assignment. */
    uint32_t no_progress_ms, hard_ms;
    uint64_t memory_bytes;
    uint32_t look_s; /* between two looks at which plugins are installed */
    enum lh_log_level log;
};

extern const struct lh_option_table engine_node_options;

/* LH_ERR_USAGE says what is wrong; LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status engine_node_settings_read(struct lh_arena *arena, const struct lh_options *options,
                                                      struct engine_node_settings *settings, struct lh_error *error);

#endif
