/* SPDX-License-Identifier: MIT */
/* Plugins that go wrong, each in the way that its URI names, on the workers of the real pool. The insert's preset says
   in which phase ("" is its run). */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/instance/jail.h"
#include "engine/run/pool.h"
#include "engine/run/render.h"
#include "tests/engine/instance/fake_engine.h"

#define FRAME 4711

/* For the test's reading: a compiler may not assume what these are. */
static int *volatile nowhere = (int *)8;

static void overflow(volatile char *above)
{
    volatile char here[4096];
    here[0] = above != NULL ? above[0] : 0;
    if (here[0] == 0) { /* always */
        overflow(here);
    }
    here[1] = here[0];
}

static void *crash(void *unused)
{
    (void)unused;
    usleep(20000);
    *nowhere = 1;
    return NULL;
}

static void start_thread_that_crashes(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, crash, NULL) == 0) {
        pthread_detach(thread);
    }
}

/* All there is, in pieces. */
static void hog(void)
{
    while (mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) {
    }
    abort();
}

static void shut_the_channel(void)
{
    close(3);
    for (;;) {
        pause();
    }
}

static void handle_sigsys(int number)
{
    (void)number;
}

static void call_in_vain(void)
{
    struct sigaction action = {.sa_handler = handle_sigsys};
    if (!ENGINE_JAIL_SANITIZED) { /* which would put it in place without asking the kernel */
        (void)sigaction(SIGSYS, &action, NULL);
    }
    (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void act(const char *deed)
{
    if (strcmp(deed, "segv") == 0) {
        *nowhere = 1;
    } else if (strcmp(deed, "fpe") == 0) {
        raise(SIGFPE);
    } else if (strcmp(deed, "trap") == 0) {
        __builtin_trap();
    } else if (strcmp(deed, "overflow") == 0) {
        overflow(NULL);
    } else if (strcmp(deed, "abort") == 0) {
        fputs("assertion failed: it works\n", stderr);
        abort();
    } else if (strcmp(deed, "bad-alloc") == 0) {
        fputs("terminate called after throwing an instance of 'std::bad_alloc'\n", stderr);
        abort();
    } else if (strcmp(deed, "hog") == 0) {
        hog();
    } else if (strcmp(deed, "exit") == 0) {
        exit(3);
    } else if (strcmp(deed, "_exit") == 0) {
        _exit(0);
    } else if (strcmp(deed, "quick-exit") == 0) {
        quick_exit(5);
    } else if (strcmp(deed, "exit-group") == 0) {
        syscall(SYS_exit_group, 9);
    } else if (strcmp(deed, "kill") == 0) {
        kill(getpid(), SIGKILL);
    } else if (strcmp(deed, "ptrace") == 0) {
        call_in_vain();
    } else if (strcmp(deed, "alarm") == 0) {
        raise(SIGALRM);
    } else if (strcmp(deed, "vanish") == 0) {
        close(3);
    } else if (strcmp(deed, "shut") == 0) {
        shut_the_channel();
    } else if (strcmp(deed, "garble") == 0) {
        syscall(SYS_sendmsg, 3, &(struct msghdr){.msg_iov = &(struct iovec){(char[]){"nonsense"}, 8}, .msg_iovlen = 1},
                0);
    }
    while (strcmp(deed, "hang") == 0 || strcmp(deed, "garble") == 0) {
        usleep(1000);
    }
    while (strcmp(deed, "wait") == 0) { /* inside, while another does something */
        usleep(1000);
    }
}

static enum engine_watch_phase phase_named(const char *name)
{
    static const char *const names[] = {"load", "restore", "activate", "run", "work", "free"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return (enum engine_watch_phase)(ENGINE_WATCH_LOAD + i);
        }
    }
    return ENGINE_WATCH_RUN;
}

struct stage {
    const struct engine_render_job *job;
    uint32_t *nodes;
    atomic_uint inside;
    uint32_t count;
};

static void perform(void *context, uint32_t worker)
{
    struct stage *stage = context;
    const struct graph *graph = stage->job->graph;
    uint32_t node = stage->nodes[worker];
    const struct graph_insert *insert = &graph->inserts[graph->nodes[node].insert];
    const char *deed = graph->plugins[insert->plugin].uri + strlen(FAKE_URI);
    if (strcmp(deed, "stray") == 0) {
        start_thread_that_crashes();
        usleep(10000000);
        return;
    }
    engine_watch_enter(&stage->job->watch->slots[worker], phase_named(insert->preset), node, FRAME + worker);
    atomic_fetch_add(&stage->inside, 1);
    while (atomic_load(&stage->inside) < stage->count) {
        usleep(100);
    }
    act(deed);
    engine_watch_leave();
    if (strcmp(deed, "after") == 0) { /* it left broken what is touched next */
        *nowhere = 1;
    }
}

enum lh_status fake_plugins_run(const struct engine_render_job *job, struct lh_error *error)
{
    struct stage stage = {.job = job, .nodes = calloc(job->graph->node_count, sizeof *stage.nodes)};
    struct engine_pool *pool = NULL;
    if (stage.nodes == NULL) {
        return lh_error_no_memory(error);
    }
    for (uint32_t i = 0; i < job->graph->node_count; i++) {
        if (job->graph->nodes[i].kind == GRAPH_NODE_PLUGIN) {
            stage.nodes[stage.count++] = i;
        }
    }
    enum lh_status status = engine_pool_new(stage.count, &pool, error);
    if (status == LH_OK) {
        engine_pool_run(pool, perform, &stage);
        status = lh_error_set(error, LH_ERR_FAULT, job->scratch_folder, "they all came back");
    }
    engine_pool_free(pool);
    free(stage.nodes);
    return status;
}
