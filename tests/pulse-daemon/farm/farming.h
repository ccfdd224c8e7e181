/* SPDX-License-Identifier: MIT */
/* A farm, a store and a clock for the tests of the core. Outputs are letters, shards are called by one that they make,
   workers by their names. After each step the changes are committed, the farm is checked, and so is the store. Every
   call aborts the test when something is wrong. */
#ifndef TESTS_PULSE_DAEMON_FARM_FARMING_H
#define TESTS_PULSE_DAEMON_FARM_FARMING_H

#include "pulse-daemon/farm/farm.h"
#include "tests/support/rowstore.h"
#include "tests/support/testing.h"

#define FARMING_MS UINT64_C(1000000)
#define FARMING_S UINT64_C(1000000000)
#define FARMING_ENGINE "1 test"

extern struct rowstore farming_store;

void farming_begin(const struct pulse_farm_options *options);
void farming_end(void);
struct pulse_farm *farming_farm(void);
/* This program dies, and another takes over from the store. Returns how many places were healed. */
size_t farming_restart(void);
/* The same farm forgets its rows and loads them. */
size_t farming_reload(void);

/* Events are collected with these (and farming_add) and dealt with in one step. */
void farming_add(const struct pulse_farm_event *event);
void farming_step(void);
void farming_pass(uint64_t ns); /* time goes by in one go: a step */
void farming_wait(uint64_t ns); /* time goes by in steps of a second at most, as long as no beats come */
uint64_t farming_now(void);

void farming_welcome(const char *worker, uint64_t session, uint32_t slots); /* and a step, as for all below */
void farming_welcome_as(const char *worker, uint64_t session, uint32_t slots, const char *const *tags,
                        size_t tag_count);
void farming_gone(const char *worker, uint64_t session);
void farming_beat(const char *worker, uint64_t session); /* lists what the store says it has, as running */
void farming_beat_of(const char *worker, uint64_t session, const struct pulse_farm_held *held, size_t count);
void farming_drain(const char *worker, bool on);
void farming_submit(uint64_t job, uint64_t tenant, int32_t priority);
void farming_cancel(uint64_t job, uint64_t tenant);
/* Shards, separated by spaces: what it makes, then '<' and what it takes, ':' and its cost in ms, '@' and the tag that
   its worker must have; "ab<cd:100@gpu". A capital letter is an unproven output. */
void farming_plan(uint64_t job, const char *shards, const char *wants);
void farming_plan_again(uint64_t job, const char *shards, const char *wants); /* facts for the plan */
void farming_complete(const char *shard);                                     /* by whoever has it */
void farming_complete_as(const char *shard, const char *worker, uint32_t attempt, unsigned variant); /* other bytes */
void farming_fail(const char *shard, const char *report);
void farming_trouble(const char *shard);
void farming_lose(const char *shard);
void farming_return(const char *shard);
void farming_missing(char output, uint64_t tenant, const char *shard); /* NULL: no worker found it */

struct lh_digest farming_key(uint64_t tenant, char output);
/* The latest shard that makes this output, of tenant 1 unless told. */
const struct rowstore_shard *farming_shard(const char *shard);
const char *farming_owner(const char *shard); /* "": nobody */
enum pulse_shard_state farming_state(const char *shard);
enum pulse_job_state farming_job(uint64_t job);
bool farming_present(char output);
void farming_tenant(uint64_t tenant); /* of letters from now on */

/* The actions and changes of the last step. */
size_t farming_actions(enum pulse_farm_action_kind kind);
const struct pulse_farm_action *farming_action(enum pulse_farm_action_kind kind, size_t index);
size_t farming_changes(enum pulse_change_kind kind);
/* Whether an event or alarm of the last step has this text in it. */
bool farming_told(uint64_t job, const char *text);

#endif
