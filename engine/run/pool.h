/* SPDX-License-Identifier: MIT */
/* A fixed set of threads that do the same thing together: the caller is one of them. On each of them denormals are zero
   while work runs; the caller's floating environment is as before afterwards. */
#ifndef ENGINE_RUN_POOL_H
#define ENGINE_RUN_POOL_H

#include <stdint.h>

#include "common/base/status.h"

struct engine_pool;

/* threads: 1..256, the caller included; 1 starts no thread. */
LH_NODISCARD enum lh_status engine_pool_new(uint32_t threads, struct engine_pool **pool, struct lh_error *error);
void engine_pool_free(struct engine_pool *pool); /* accepts NULL; joins the threads */
uint32_t engine_pool_threads(const struct engine_pool *pool);

/* Calls work(context, worker) once on every thread, worker = 0..threads-1 (0 is the caller), and returns when all have
   returned: everything they wrote is then visible to the caller. Not reentrant. */
void engine_pool_run(struct engine_pool *pool, void (*work)(void *context, uint32_t worker), void *context);

#endif
