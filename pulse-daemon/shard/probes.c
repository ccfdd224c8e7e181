/* SPDX-License-Identifier: MIT */
/* Plans of PROBE shards. */
#include "graph/facts.h"
#include "pulse-daemon/shard/plan_made.h"

#define FILES_MAX 64u                 /* in one shard: looking into one takes a millisecond or two */
#define BYTES_MAX ((uint64_t)1 << 30) /* of them together: an exact length of lossy media asks for all of it */
#define NS_PER_BYTE 1.0
#define SECONDS_PER_FILE 2e-3
#define SECONDS_PER_SHARD 0.1

/* The files from `first` on that one shard looks into. */
static size_t take_files(const struct pulse_unknown_file *files, size_t count, size_t first)
{
    uint64_t bytes = 0;
    size_t taken = 0;
    while (first + taken < count && taken < FILES_MAX &&
           (taken == 0 || bytes + files[first + taken].size <= BYTES_MAX)) {
        bytes += files[first + taken].size;
        taken++;
    }
    return taken;
}

static enum lh_status make_probe(struct lh_arena *arena, const struct pulse_unknown_file *files, size_t count,
                                 const struct graph_key_context *context, struct pulse_shard *shard)
{
    struct graph_shard_input *inputs = lh_arena_array(arena, count, sizeof *inputs);
    struct graph_shard_output *outputs = lh_arena_array(arena, count, sizeof *outputs);
    if (inputs == NULL || outputs == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    *shard = (struct pulse_shard){
        .work = {.kind = GRAPH_SHARD_PROBE,
                 .inputs = inputs,
                 .input_count = count,
                 .outputs = outputs,
                 .output_count = count},
        .cost_seconds = SECONDS_PER_SHARD,
    };
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        inputs[i] = (struct graph_shard_input){
            .kind = files[i].is_midi ? GRAPH_SHARD_MIDI : GRAPH_SHARD_MEDIUM,
            .index = (uint32_t)i,
            .key = files[i].digest,
        };
        outputs[i].kind = GRAPH_SHARD_OUT_FACTS;
        outputs[i].index = (uint32_t)i;
        status = graph_key_facts(&files[i].digest, files[i].is_midi, context, &outputs[i].key);
        shard->cost_seconds += SECONDS_PER_FILE + (double)files[i].size * NS_PER_BYTE * 1e-9;
    }
    return status;
}

enum lh_status pulse_plan_probes(const struct pulse_unknown_file *files, size_t count,
                                 const struct graph_key_context *context, struct pulse_plan **plan,
                                 struct lh_error *error)
{
    struct pulse_plan *made = pulse_plan_empty();
    struct pulse_shard *shards = made != NULL ? lh_arena_array(&made->arena, count, sizeof *shards) : NULL;
    if (shards == NULL) {
        pulse_plan_free(made);
        return lh_error_no_memory(error);
    }
    made->shards = shards;
    for (size_t first = 0, taken; first < count; first += taken) {
        taken = take_files(files, count, first);
        struct pulse_shard *shard = &shards[made->shard_count];
        if (make_probe(&made->arena, files + first, taken, context, shard) != LH_OK) {
            pulse_plan_free(made);
            return lh_error_no_memory(error);
        }
        made->shard_count++;
        made->cost_seconds += shard->cost_seconds;
        made->critical_seconds =
            shard->cost_seconds > made->critical_seconds ? shard->cost_seconds : made->critical_seconds;
    }
    *plan = made;
    return LH_OK;
}
