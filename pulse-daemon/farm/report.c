/* SPDX-License-Identifier: MIT */
/* Fencing: the attempt's number decides whose word counts. */
#include "pulse-daemon/farm/report.h"

#include <string.h>

#include "pulse-daemon/farm/admit.h"
#include "pulse-daemon/farm/crew.h"
#include "pulse-daemon/farm/emit.h"
#include "pulse-daemon/farm/task.h"

struct pulse_farm_shard_entry *pulse_farm_current(const struct pulse_farm *farm, const char *worker, uint64_t shard,
                                                  uint32_t attempt)
{
    struct pulse_farm_shard_entry *found = pulse_farm_find_shard(farm, shard);
    bool current = found != NULL && found->claim != NULL && found->attempt == attempt &&
                   strcmp(found->claim->worker->name, worker) == 0;
    return current ? found : NULL;
}

static void acknowledge(struct pulse_farm *farm, const struct pulse_farm_event *event, enum pulse_farm_verdict verdict)
{
    const struct pulse_farm_worker *worker = pulse_farm_find_worker(farm, event->worker);
    farm->totals[PULSE_FARM_REFUSED] += verdict != PULSE_FARM_COMMITTED;
    struct pulse_farm_action *action = pulse_farm_act(farm, PULSE_FARM_ACKNOWLEDGE);
    action->worker = event->worker;
    action->session = worker == NULL ? 0 : worker->session;
    action->shard = event->shard;
    action->attempt = event->attempt;
    action->verdict = verdict;
}

/* ---- Results ---- */

/* Whether the results are those of the shard's outputs, in their order. */
static bool fits(const struct pulse_farm_shard_entry *shard, const struct pulse_farm_event *event)
{
    if (event->result_count != shard->output_count) {
        return false;
    }
    for (size_t i = 0; i < shard->output_count; i++) {
        if (!lh_digest_equal(&event->results[i].key, &shard->outputs[i]->key)) {
            return false;
        }
    }
    return true;
}

/* Two digests for one key: an alarm, but where two makings may differ. */
static void suspect(struct pulse_farm *farm, const struct pulse_farm_output *output,
                    const struct pulse_farm_event *event, const struct pulse_farm_result *result)
{
    if (!output->unproven) {
        pulse_farm_say_digests(farm, output, event->shard, event->worker, &result->digest);
    }
}

static void commit(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, const struct pulse_farm_event *event)
{
    struct pulse_farm_output **outputs = pulse_farm_scratch(farm, shard->output_count, sizeof *outputs);
    if (outputs == NULL) {
        return;
    }
    memcpy(outputs, shard->outputs, shard->output_count * sizeof *outputs);
    for (size_t i = 0; i < event->result_count; i++) {
        const struct pulse_farm_result *result = &event->results[i];
        if (outputs[i]->state != PULSE_FARM_PRESENT) {
            pulse_farm_output_present(farm, outputs[i], result);
        } else if (!lh_digest_equal(&outputs[i]->digest, &result->digest)) {
            suspect(farm, outputs[i], event, result);
        }
    }
    pulse_farm_task_done(farm, shard);
    acknowledge(farm, event, PULSE_FARM_COMMITTED);
}

/* Too late: is what it gave what is there? */
static enum pulse_farm_verdict compare(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    const struct pulse_farm_tenant *tenant = pulse_farm_find_tenant(farm, event->tenant);
    size_t same = 0;
    bool different = false;
    for (size_t i = 0; i < event->result_count; i++) {
        const struct pulse_farm_output *output = pulse_farm_find_output(farm, tenant, &event->results[i].key);
        if (output == NULL || output->state != PULSE_FARM_PRESENT) {
            continue;
        }
        if (lh_digest_equal(&output->digest, &event->results[i].digest)) {
            same++;
        } else if (!output->unproven) {
            suspect(farm, output, event, &event->results[i]);
            different = true;
        }
    }
    if (different) {
        return PULSE_FARM_DIFFERENT;
    }
    return same == event->result_count && same > 0 ? PULSE_FARM_IDENTICAL : PULSE_FARM_STALE;
}

void pulse_farm_report_complete(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_shard_entry *shard = pulse_farm_current(farm, event->worker, event->shard, event->attempt);
    if (shard == NULL) {
        pulse_farm_take_known(farm, event->known, event->known_count);
        acknowledge(farm, event, compare(farm, event));
    } else if (fits(shard, event)) {
        commit(farm, shard, event);
    } else {
        pulse_farm_task_failed(farm, shard, "the worker gave other outputs than it was asked for", false);
        acknowledge(farm, event, PULSE_FARM_MALFORMED);
    }
}

/* ---- Mishaps ---- */

void pulse_farm_report_failed(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_shard_entry *shard = pulse_farm_current(farm, event->worker, event->shard, event->attempt);
    if (shard != NULL) {
        pulse_farm_task_failed(farm, shard, event->text == NULL ? "" : event->text, event->flag);
    }
    acknowledge(farm, event, shard != NULL ? PULSE_FARM_COMMITTED : PULSE_FARM_STALE);
}

void pulse_farm_report_lost(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_shard_entry *shard = pulse_farm_current(farm, event->worker, event->shard, event->attempt);
    if (shard != NULL) {
        pulse_farm_task_lost(farm, shard, event->text == NULL ? "" : event->text);
    }
    acknowledge(farm, event, shard != NULL ? PULSE_FARM_COMMITTED : PULSE_FARM_STALE);
}

void pulse_farm_report_returned(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_shard_entry *shard = pulse_farm_current(farm, event->worker, event->shard, event->attempt);
    if (shard != NULL) {
        /* Until it grants credits again, else it would get the same shard at once. */
        struct pulse_farm_worker *worker = shard->claim->worker;
        worker->credits = 0;
        pulse_farm_task_returned(farm, shard);
        pulse_farm_worker_refresh(farm, worker);
    }
    acknowledge(farm, event, shard != NULL ? PULSE_FARM_COMMITTED : PULSE_FARM_STALE);
}

void pulse_farm_report_missing(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_tenant *tenant = pulse_farm_tenant(farm, event->tenant);
    struct pulse_farm_output *output = tenant == NULL ? NULL : pulse_farm_output(farm, tenant, &event->key);
    if (output == NULL) {
        return;
    }
    if (output->state == PULSE_FARM_PRESENT) {
        pulse_farm_output_vanished(farm, output);
    } else if (output->state == PULSE_FARM_ABSENT) {
        output->vanished = true; /* one that was not held: its row goes all the same */
        pulse_farm_output_changed(farm, output);
    }
    if (event->shard == 0) {
        return;
    }
    struct pulse_farm_shard_entry *shard = pulse_farm_current(farm, event->worker, event->shard, event->attempt);
    if (shard != NULL) {
        pulse_farm_task_returned(farm, shard);
    }
    acknowledge(farm, event, shard != NULL ? PULSE_FARM_COMMITTED : PULSE_FARM_STALE);
}
