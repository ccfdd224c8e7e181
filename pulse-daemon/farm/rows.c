/* SPDX-License-Identifier: MIT */
/* The names of states, as they are stored and told. */
#include "pulse-daemon/farm/rows.h"

const char *pulse_job_state_name(enum pulse_job_state state)
{
    switch (state) {
    case PULSE_JOB_QUEUED:
        return "queued";
    case PULSE_JOB_PLANNING:
        return "planning";
    case PULSE_JOB_RUNNING:
        return "running";
    case PULSE_JOB_SUCCEEDED:
        return "succeeded";
    case PULSE_JOB_FAILED:
        return "failed";
    case PULSE_JOB_CANCELLED:
        return "cancelled";
    }
    return "unknown";
}

const char *pulse_shard_state_name(enum pulse_shard_state state)
{
    switch (state) {
    case PULSE_SHARD_WAITING:
        return "waiting";
    case PULSE_SHARD_READY:
        return "ready";
    case PULSE_SHARD_CLAIMED:
        return "claimed";
    case PULSE_SHARD_DONE:
        return "done";
    case PULSE_SHARD_FAILED:
        return "failed";
    case PULSE_SHARD_CANCELLED:
        return "cancelled";
    }
    return "unknown";
}

bool pulse_job_is_final(enum pulse_job_state state)
{
    return state == PULSE_JOB_SUCCEEDED || state == PULSE_JOB_FAILED || state == PULSE_JOB_CANCELLED;
}

bool pulse_shard_is_final(enum pulse_shard_state state)
{
    return state == PULSE_SHARD_DONE || state == PULSE_SHARD_FAILED || state == PULSE_SHARD_CANCELLED;
}
