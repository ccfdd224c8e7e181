/* SPDX-License-Identifier: MIT */
/* DELAY tasks: a node, handed on later than it was computed. */
#include <string.h>

#include "engine/run/pass.h"

void engine_delay_block(const struct engine_pass *pass, uint32_t chain, int64_t block)
{
    const struct engine_plan *plan = pass->plan;
    const struct engine_chain *own = &plan->chains[chain];
    struct engine_fifo *held = &pass->held[chain];
    int64_t from;
    int64_t to;
    engine_pass_frames(pass, chain, block, &from, &to);
    int64_t in_from;
    int64_t in_to; /* not behind the stop: that is wanted by others alone */
    engine_plan_frames(plan, own->reads, own->reads_stop, block, &in_from, &in_to);
    const uint8_t *in = engine_pass_buffer(pass, engine_plan_source(plan, own->node, own->reads), block);
    uint8_t *out = engine_pass_buffer(pass, chain, block);
    size_t frames = (size_t)(to - from);
    size_t taken = engine_fifo_take(held, out, frames);
    size_t straight = frames - taken;
    memcpy(out + taken * held->frame_bytes, in, straight * held->frame_bytes);
    engine_fifo_put(held, in + straight * held->frame_bytes, (size_t)(in_to - in_from) - straight);
}
