/* SPDX-License-Identifier: MIT */
/* The parent's side while plugins may run: the shared page, and the watch over who does not come back. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "engine/instance/client_parts.h"
#include "engine/instance/vigil.h"

#define NS_PER_MS UINT64_C(1000000)

enum lh_status engine_client_page_new(int *fd, struct engine_page **page, struct lh_error *error)
{
    int file = memfd_create("loophole-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *map = MAP_FAILED;
    if (file >= 0 && ftruncate(file, (off_t)sizeof **page) == 0 &&
        fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
        map = mmap(NULL, sizeof **page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    if (map == MAP_FAILED) {
        enum lh_status status = lh_error_set(
            error, LH_ERR_IO, NULL, "cannot make the page shared with the signal instance: %s", strerror(errno));
        if (file >= 0) {
            close(file);
        }
        return status;
    }
    *fd = file;
    *page = map;
    return LH_OK;
}

void engine_client_page_free(int fd, struct engine_page *page)
{
    close(fd);
    munmap(page, sizeof *page);
}

static enum lh_status hung(struct engine_instance *instance, int slot, struct lh_error *error)
{
    struct engine_death death = {.kind = ENGINE_DEATH_HANG, .number = slot};
    engine_process_kill(&instance->process, &death);
    return engine_death_tell(&death, instance->scene, error);
}

static enum lh_status watch_over(struct engine_instance *instance, const struct engine_client_work *work,
                                 struct engine_vigil *vigil, struct engine_message *message, struct lh_error *error)
{
    int wait_ms = work->beat(work->context, false);
    for (;;) {
        errno = 0;
        bool answered = engine_client_wait(instance, wait_ms < 0 ? 0 : wait_ms);
        wait_ms = work->beat(work->context, errno == EINTR);
        if (answered) {
            return engine_client_receive(instance, work->answer, message, error);
        }
        if (wait_ms < 0) {
            engine_process_end(&instance->process);
            return lh_error_set(error, LH_ERR_CANCELLED, NULL, "interrupted");
        }
        int slot = engine_vigil_look(vigil, &work->page->watch, lh_clock_monotonic_ns());
        if (slot >= 0) {
            return hung(instance, slot, error);
        }
    }
}

enum lh_status engine_client_work(struct engine_instance *instance, const struct engine_client_work *work,
                                  struct engine_message *message, struct lh_error *error)
{
    struct engine_vigil *vigil = malloc(sizeof *vigil);
    if (vigil == NULL) {
        return lh_error_no_memory(error);
    }
    engine_vigil_init(vigil, (uint64_t)instance->hang_ms * NS_PER_MS, lh_clock_monotonic_ns());
    struct engine_scene scene = {
        .page = work->page,
        .graph = work->graph,
        .uri = work->uri,
        .memory_bytes = instance->memory_bytes,
        .hang_ms = instance->hang_ms,
    };
    instance->scene = &scene;
    enum lh_status status = engine_client_ask(instance, work->question, work->body, work->fds, work->fd_count, error);
    status = status == LH_OK ? watch_over(instance, work, vigil, message, error) : status;
    instance->scene = NULL;
    free(vigil);
    return status;
}
