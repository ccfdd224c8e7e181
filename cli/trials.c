/* SPDX-License-Identifier: MIT */
/* The plan of a probe, and what its outcomes amount to. */
#include "cli/trials.h"

#include <stdio.h>
#include <string.h>

#include "cli/interrupt.h"
#include "common/base/clock.h"

#define FAILURES_MAX 2 /* then it is known for what it is, and a hang costs time */
#define FEATURES_MAX 8
#define VARIABLES_MAX 8
#define QUANTUM 1024u
/* Where the C library is to find neither AVX nor FMA. Code of a plugin's own that looks at the processor is not misled.
 */
#define WITHOUT_AVX "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4,-AVX512F"

enum trial_kind {
    TRIAL_FIRST = 0, /* what the others are held against */
    TRIAL_AGAIN,
    TRIAL_TWIN,
    TRIAL_BLOCK_64,
    TRIAL_BLOCK_512,
    TRIAL_BLOCK_8192,
    TRIAL_RAGGED,
    TRIAL_WITHOUT_AVX,
    TRIAL_UNPINNED,
    TRIAL_SILENCE,
    TRIAL_COUNT,
};

static const struct {
    const char *name; /* for messages */
    uint32_t quantum, block;
    bool twin, unpinned, silence, without_avx;
} plan[TRIAL_COUNT] = {
    [TRIAL_FIRST] = {.name = "runs of 1024 frames", .quantum = QUANTUM, .block = QUANTUM},
    [TRIAL_AGAIN] = {.name = "a second time", .quantum = QUANTUM, .block = QUANTUM},
    [TRIAL_TWIN] = {.name = "another instance beside it", .quantum = QUANTUM, .block = QUANTUM, .twin = true},
    [TRIAL_BLOCK_64] = {.name = "runs of 64 frames", .quantum = 64, .block = 64},
    [TRIAL_BLOCK_512] = {.name = "runs of 512 frames", .quantum = 512, .block = 512},
    [TRIAL_BLOCK_8192] = {.name = "runs of 8192 frames", .quantum = 8192, .block = 8192},
    [TRIAL_RAGGED] = {.name = "ragged runs", .quantum = QUANTUM, .block = ENGINE_TRIAL_RAGGED},
    [TRIAL_WITHOUT_AVX] = {.name = "no AVX and no FMA", .quantum = QUANTUM, .block = QUANTUM, .without_avx = true},
    [TRIAL_UNPINNED] = {.name = "random numbers shared with another instance",
                        .quantum = QUANTUM,
                        .block = QUANTUM,
                        .twin = true,
                        .unpinned = true},
    [TRIAL_SILENCE] = {.name = "silence", .quantum = QUANTUM, .block = QUANTUM, .silence = true},
};

/* One trial that is on. */
struct outcome {
    bool held; /* it came to an end and `result` holds */
    struct engine_trial_result result;
    char message[LH_ERROR_MESSAGE_SIZE]; /* else: what happened */
    enum lh_status status;               /* of the plugin */
};

struct watch {
    uint64_t deadline_ns;
    bool late;
};

static bool go_on(void *context)
{
    struct watch *watch = context;
    watch->late = lh_clock_monotonic_ns() > watch->deadline_ns;
    return !watch->late && !cli_interrupted();
}

/* Starts an instance that has answered once: what fails before that is no fault of the plugin. */
static enum lh_status start(const struct engine_instance_options *options, bool without_avx, struct watch *watch,
                            struct engine_instance **instance, struct lh_error *error)
{
    const char *variables[VARIABLES_MAX];
    struct engine_instance_options own = *options;
    size_t count = 0;
    for (; count < own.environment_count && count + 1 < VARIABLES_MAX; count++) {
        variables[count] = own.environment[count];
    }
    if (without_avx) {
        variables[count++] = WITHOUT_AVX;
    }
    own.environment = variables;
    own.environment_count = count;
    own.hang_ms = CLI_TRIALS_HANG_MS;
    struct engine_instance *made = NULL;
    enum lh_status status = engine_instance_spawn(&own, &made, error);
    if (status == LH_OK) {
        engine_instance_watch(made, go_on, watch);
        status = engine_instance_probe(made, NULL, 0, NULL, error);
    }
    if (status != LH_OK) {
        engine_instance_free(made);
        return status;
    }
    *instance = made;
    return LH_OK;
}

static enum lh_status hold(const struct engine_instance_options *options, const struct graph_plugin_facts *facts,
                           enum trial_kind kind, struct outcome *outcome, struct inventory_evidence *evidence,
                           struct lh_arena *arena, struct lh_error *error)
{
    struct watch watch = {.deadline_ns = lh_clock_monotonic_ns() + CLI_TRIALS_LONGEST_MS * UINT64_C(1000000)};
    struct engine_instance *instance = NULL;
    enum lh_status status = start(options, plan[kind].without_avx, &watch, &instance, error);
    if (status != LH_OK) {
        return status;
    }
    if (evidence->cpu_class[0] == '\0') {
        const char *cpu_class = lh_arena_strdup(arena, engine_instance_cpu_class(instance));
        evidence->cpu_class = cpu_class != NULL ? cpu_class : "";
    }
    struct engine_trial trial = {
        .uri = facts->uri,
        .bundle = facts->bundle,
        .sample_rate = CLI_TRIALS_RATE,
        .quantum = plan[kind].quantum,
        .block = plan[kind].block,
        .frames = CLI_TRIALS_FRAMES,
        .twin = plan[kind].twin,
        .unpinned_random = plan[kind].unpinned,
        .silence = plan[kind].silence,
    };
    struct lh_error failure = LH_ERROR_INIT;
    *outcome = (struct outcome){.held = false};
    status = engine_instance_try(instance, &trial, &outcome->result, &failure);
    engine_instance_free(instance);
    if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(error);
    }
    if (status == LH_ERR_CANCELLED && !watch.late) {
        return lh_error_set(error, status, NULL, "interrupted");
    }
    outcome->status = status != LH_OK ? status : outcome->result.status;
    outcome->held = outcome->status == LH_OK;
    if (watch.late) {
        snprintf(outcome->message, sizeof outcome->message, "did not come to an end within %u s",
                 CLI_TRIALS_LONGEST_MS / 1000);
    } else if (!outcome->held) {
        snprintf(outcome->message, sizeof outcome->message, "%s",
                 status != LH_OK ? failure.message : outcome->result.message);
    }
    return LH_OK;
}

static enum inventory_verdict same(const struct outcome *first, const struct outcome *other)
{
    return !other->held                                                      ? INVENTORY_UNKNOWN
           : lh_digest_equal(&first->result.samples, &other->result.samples) ? INVENTORY_YES
                                                                             : INVENTORY_NO;
}

static enum inventory_verdict yes_if(bool yes)
{
    return yes ? INVENTORY_YES : INVENTORY_NO;
}

static void note_first(const struct outcome *first, struct inventory_evidence *evidence)
{
    evidence->has_latency = true;
    evidence->latency_frames = first->result.latency;
    evidence->latency_changes = first->result.latency_changed;
    evidence->audible = yes_if(first->result.audible);
    evidence->has_tail = first->result.tail_frames >= 0;
    evidence->tail_seconds = evidence->has_tail ? (double)first->result.tail_frames / CLI_TRIALS_RATE : 0;
    evidence->ns_per_frame = first->result.ns_per_frame;
    evidence->blocks[INVENTORY_BLOCK_1024] = INVENTORY_YES;
}

/* What a trial after the first one says. */
static void note_other(enum trial_kind kind, const struct outcome *first, const struct outcome *other,
                       struct inventory_evidence *evidence)
{
    enum inventory_verdict verdict = same(first, other);
    switch (kind) {
    case TRIAL_AGAIN:
        evidence->across_runs = verdict;
        if (other->held && other->result.ns_per_frame < evidence->ns_per_frame) {
            evidence->ns_per_frame = other->result.ns_per_frame; /* whatever else ran on the machine only adds to it */
        }
        break;
    case TRIAL_TWIN:
        evidence->beside = verdict;
        break;
    case TRIAL_BLOCK_64:
        evidence->blocks[INVENTORY_BLOCK_64] = verdict;
        break;
    case TRIAL_BLOCK_512:
        evidence->blocks[INVENTORY_BLOCK_512] = verdict;
        break;
    case TRIAL_BLOCK_8192:
        evidence->blocks[INVENTORY_BLOCK_8192] = verdict;
        break;
    case TRIAL_RAGGED:
        evidence->blocks[INVENTORY_BLOCK_RAGGED] = verdict;
        break;
    case TRIAL_WITHOUT_AVX:
        evidence->without_avx = verdict;
        break;
    case TRIAL_UNPINNED:
        /* Only of one that repeats with the other beside it when each draws its own. */
        evidence->draws_random = verdict != INVENTORY_UNKNOWN && evidence->beside == INVENTORY_YES
                                     ? yes_if(verdict == INVENTORY_NO)
                                     : INVENTORY_UNKNOWN;
        break;
    case TRIAL_SILENCE:
        evidence->self_sounding = other->held ? yes_if(other->result.audible) : INVENTORY_UNKNOWN;
        break;
    case TRIAL_FIRST:
    case TRIAL_COUNT:
        break;
    }
}

static enum lh_status note_failure(struct lh_arena *arena, enum trial_kind kind, const struct outcome *outcome,
                                   struct inventory_evidence *evidence, struct lh_error *error)
{
    if (evidence->failed != NULL) {
        return LH_OK; /* the first one tells */
    }
    evidence->failed = plan[kind].name;
    evidence->message = lh_arena_strdup(arena, outcome->message);
    return evidence->message != NULL ? LH_OK : lh_error_no_memory(error);
}

static enum lh_status list_features(struct lh_arena *arena, const struct graph_plugin_facts *facts,
                                    struct inventory_evidence *evidence)
{
    const struct {
        bool there;
        const char *name;
    } features[FEATURES_MAX] = {
        {graph_plugin_audio_inputs(facts) == 0 && graph_plugin_audio_outputs(facts) > 0, "generator"},
        {facts->reports_latency, "latency"},
        {graph_plugin_takes_notes(facts), "notes"},
        {facts->preset_count > 0, "presets"},
        {graph_plugin_sidechain_inputs(facts) > 0, "sidechain"},
        {facts->has_state, "state"},
        {facts->has_worker, "worker"},
    };
    const char **names = lh_arena_array(arena, FEATURES_MAX, sizeof *names);
    for (size_t i = 0; names != NULL && i < FEATURES_MAX; i++) {
        if (features[i].there) {
            names[evidence->feature_count++] = features[i].name;
        }
    }
    evidence->features = names;
    return names != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static enum inventory_evidence_status sum_up(const struct inventory_evidence *evidence)
{
    if (evidence->failed != NULL) {
        return INVENTORY_EVIDENCE_FAULTY;
    }
    return evidence->across_runs == INVENTORY_YES && evidence->beside == INVENTORY_YES
               ? INVENTORY_EVIDENCE_REPEATABLE
               : INVENTORY_EVIDENCE_NOT_REPEATABLE;
}

enum lh_status cli_trials_run(struct lh_arena *arena, const struct engine_instance_options *options,
                              const struct graph_plugin_facts *facts, struct inventory_evidence *evidence,
                              struct lh_error *error)
{
    struct inventory_evidence found = {
        .uri = facts->uri,
        .version = facts->version,
        .digest = facts->digest,
        .sound_version = ENGINE_SOUND_VERSION,
        .cpu_class = "",
    };
    struct outcome first = {.held = false}, other;
    int failures = 0;
    if (list_features(arena, facts, &found) != LH_OK) {
        return lh_error_no_memory(error);
    }
    bool refused = facts->refused[0] != '\0';
    found.message = refused ? facts->refused : NULL;
    for (int i = 0; !refused && failures < FAILURES_MAX && i < TRIAL_COUNT; i++) {
        enum trial_kind kind = (enum trial_kind)i;
        struct outcome *outcome = kind == TRIAL_FIRST ? &first : &other;
        enum lh_status status = hold(options, facts, kind, outcome, &found, arena, error);
        if (status == LH_OK && !outcome->held) {
            /* Where the plainest one fails there is nothing to hold the others against. */
            failures = kind == TRIAL_FIRST ? FAILURES_MAX : failures + 1;
            refused = kind == TRIAL_FIRST && outcome->status == LH_ERR_UNSUPPORTED;
            status = note_failure(arena, kind, outcome, &found, error);
        }
        if (status != LH_OK) {
            return status;
        }
        if (kind == TRIAL_FIRST && outcome->held) {
            note_first(outcome, &found);
        } else if (kind != TRIAL_FIRST) {
            note_other(kind, &first, outcome, &found);
        }
    }
    found.failed = refused ? NULL : found.failed;
    found.status = refused ? INVENTORY_EVIDENCE_REFUSED : sum_up(&found);
    *evidence = found;
    return LH_OK;
}
