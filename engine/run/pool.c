/* SPDX-License-Identifier: MIT */
/* The thread pool: threads sleep between calls of engine_pool_run and wake by generation. */
#include "engine/run/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/dsp/fpenv.h"

#define SPARE_STACK_BYTES 65536

struct engine_pool {
    pthread_mutex_t mutex;
    pthread_cond_t wake; /* a new generation, or the end */
    pthread_cond_t idle; /* running became 0 */
    uint32_t threads;    /* caller included */
    uint32_t started;    /* threads that exist */
    uint64_t generation;
    uint32_t running; /* started threads still busy with this generation */
    bool ending;
    void (*work)(void *context, uint32_t worker);
    void *context;
    pthread_t handles[];
};

struct start {
    struct engine_pool *pool;
    uint32_t worker;
};

/* What whoever handles the overflow of this thread's stack stands on. A sanitizer may have seen to it before. */
static void set_spare_stack(void *stack)
{
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE) != 0) {
        sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = SPARE_STACK_BYTES}, NULL);
    }
}

static void *thread_main(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    struct engine_pool *pool = start.pool;
    _Alignas(64) unsigned char spare_stack[SPARE_STACK_BYTES];
    set_spare_stack(spare_stack);
    engine_fpenv_enter();
    uint64_t seen = 0;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (pool->generation == seen && !pool->ending) {
            pthread_cond_wait(&pool->wake, &pool->mutex);
        }
        if (pool->ending) {
            break;
        }
        seen = pool->generation;
        pthread_mutex_unlock(&pool->mutex);
        pool->work(pool->context, start.worker);
        pthread_mutex_lock(&pool->mutex);
        if (--pool->running == 0) {
            pthread_cond_signal(&pool->idle);
        }
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

/* Signals are the main thread's business, but for those that a thread raises by what it does: blocked, they would kill
   before anybody could say why. */
static void block_signals(sigset_t *before)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t others;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        sigdelset(&others, own[i]);
    }
    pthread_sigmask(SIG_BLOCK, &others, before);
}

static int start_thread(struct engine_pool *pool, uint32_t worker)
{
    struct start *start = malloc(sizeof *start);
    if (start == NULL) {
        return -1;
    }
    *start = (struct start){.pool = pool, .worker = worker};
    sigset_t before;
    block_signals(&before);
    int result = pthread_create(&pool->handles[pool->started], NULL, thread_main, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        free(start);
    }
    return result;
}

enum lh_status engine_pool_new(uint32_t threads, struct engine_pool **pool, struct lh_error *error)
{
    struct engine_pool *made = calloc(1, sizeof *made + threads * sizeof made->handles[0]);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->threads = threads;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->wake, NULL);
    pthread_cond_init(&made->idle, NULL);
    while (made->started + 1 < threads) {
        int result = start_thread(made, made->started + 1);
        if (result != 0) {
            engine_pool_free(made);
            return result < 0 ? lh_error_no_memory(error)
                              : lh_error_set(error, LH_ERR_IO, NULL, "cannot start %u threads: %s; ask for fewer",
                                             threads, strerror(result));
        }
        made->started++;
    }
    *pool = made;
    return LH_OK;
}

void engine_pool_free(struct engine_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    pool->ending = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (uint32_t i = 0; i < pool->started; i++) {
        pthread_join(pool->handles[i], NULL);
    }
    pthread_cond_destroy(&pool->wake);
    pthread_cond_destroy(&pool->idle);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

uint32_t engine_pool_threads(const struct engine_pool *pool)
{
    return pool->threads;
}

void engine_pool_run(struct engine_pool *pool, void (*work)(void *context, uint32_t worker), void *context)
{
    pthread_mutex_lock(&pool->mutex);
    pool->work = work;
    pool->context = context;
    pool->running = pool->started;
    pool->generation++;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);

    struct engine_fpenv before = engine_fpenv_enter();
    work(context, 0);
    engine_fpenv_restore(before);

    pthread_mutex_lock(&pool->mutex);
    while (pool->running > 0) {
        pthread_cond_wait(&pool->idle, &pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
}
