/* SPDX-License-Identifier: MIT */
/* What is left to render when a cache has some of it: one graph that reads stored frames where the cache has them, and
   delivers what is worth keeping beside what was asked for. */
#ifndef CLI_REMAINDER_H
#define CLI_REMAINDER_H

#include "cli/aside.h"
#include "cli/cache.h"
#include "pulse-daemon/shard/local.h"

struct cli_session;
struct engine_inserted;

struct cli_remainder {
    struct pulse_local *local; /* NULL: everything is rendered, or nothing */
    struct pulse_costs *costs;
    struct pulse_latencies *latencies;
    int *stored;            /* by local->stored: open files of the cache */
    struct cli_aside *kept; /* by local->kept */
    size_t kept_open;
    const double *spent; /* by insert of local->graph, nanoseconds; NULL before the render */
    uint64_t read_bytes, kept_bytes;
    uint32_t kept_count; /* that went into the cache */
};

/* Plans for the deliverables that are `wanted`. What this machine has to be asked for is asked of the session's
   instance. */
LH_NODISCARD enum lh_status cli_remainder_plan(struct cli_session *session, const bool *wanted,
                                               const struct lh_digest *media, const struct graph_key_context *context,
                                               struct lh_error *error);
/* Learns what the render cost, and puts what it has stored into the cache. */
LH_NODISCARD enum lh_status cli_remainder_keep(struct cli_session *session, struct lh_error *error);
void cli_remainder_close(struct cli_remainder *remainder);

/* The graph that is rendered, and where its media are among the sources. */
const struct graph *cli_remainder_graph(const struct cli_session *session);
size_t cli_remainder_source(const struct cli_session *session, uint32_t medium);
/* Where a deliverable or a PLUGIN node of the whole graph is in it; GRAPH_NONE: not there. */
uint32_t cli_remainder_deliverable(const struct cli_session *session, uint32_t deliverable);
uint32_t cli_remainder_plugin(const struct cli_session *session, uint32_t node);

#endif
