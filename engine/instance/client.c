/* SPDX-License-Identifier: MIT */
/* The parent's side: starting a child, speaking to it, and surviving whatever it does. */
#include "engine/instance/client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "engine/instance/client_parts.h"
#include "engine/instance/locate.h"

#define HELLO_TIMEOUT_NS UINT64_C(10000000000)
#define NEVER UINT64_MAX

static enum lh_status start(struct engine_instance *made, const struct engine_instance_options *options,
                            const char *program, struct lh_error *error)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct engine_launch launch;
    enum lh_status status = engine_launch_compose(options, program, made->scratch.path, &arena, &launch);
    status = status == LH_OK ? engine_process_start(&launch, &made->process, error) : lh_error_no_memory(error);
    if (status == LH_OK) {
        made->memory_bytes = launch.memory_bytes;
        made->hang_ms = launch.hang_ms;
    }
    lh_arena_fini(&arena);
    return status;
}

/* A render without plugins that write needs no scratch folder: where none can be made, it goes on without. */
static void make_folder(struct engine_instance *instance)
{
    instance->scratch = ENGINE_FOLDER_NONE;
    if (engine_folder_new(&instance->scratch, NULL) != LH_OK) {
        instance->scratch = ENGINE_FOLDER_NONE;
    }
}

enum lh_status engine_instance_spawn(const struct engine_instance_options *options, struct engine_instance **instance,
                                     struct lh_error *error)
{
    static const struct engine_instance_options usual;
    options = options != NULL ? options : &usual;
    char path[PATH_MAX];
    const char *program = options->program;
    if (program == NULL) {
        enum lh_status status = engine_instance_locate(path, sizeof path, error);
        if (status != LH_OK) {
            return status;
        }
        program = path;
    }
    struct engine_instance *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    make_folder(made);
    enum lh_status status = start(made, options, program, error);
    if (status != LH_OK) {
        engine_folder_remove(&made->scratch);
        free(made);
        return status;
    }
    *instance = made;
    return LH_OK;
}

void engine_instance_free(struct engine_instance *instance)
{
    if (instance != NULL) {
        engine_process_end(&instance->process);
        engine_folder_remove(&instance->scratch);
        free(instance);
    }
}

void engine_instance_watch(struct engine_instance *instance, bool (*go_on)(void *context), void *context)
{
    instance->go_on = go_on;
    instance->context = context;
}

const char *engine_instance_libraries(const struct engine_instance *instance)
{
    return instance->hello.libraries;
}

const char *engine_instance_cpu_class(const struct engine_instance *instance)
{
    return instance->hello.cpu_class;
}

const char *engine_instance_jail(const struct engine_instance *instance)
{
    return instance->hello.jail;
}

static enum lh_status misbehaved(struct engine_instance *instance, struct lh_error *error)
{
    struct engine_death death = {.kind = ENGINE_DEATH_NONSENSE};
    engine_process_kill(&instance->process, &death);
    return engine_death_tell(&death, instance->scene, error);
}

/* Nothing that a program does wrong raises these. */
static bool is_from_outside(int number)
{
    return number == SIGKILL || number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGQUIT;
}

bool engine_instance_was_killed(const struct engine_instance *instance)
{
    return instance->was_killed;
}

/* It is gone, and if this is news, it is told how. */
static enum lh_status crashed(struct engine_instance *instance, struct lh_error *error)
{
    if (instance->process.pid <= 0) {
        return lh_error_set(error, LH_ERR_CRASHED, NULL, "the signal instance has ended");
    }
    struct engine_death death = {.kind = ENGINE_DEATH_BROKE_OFF};
    engine_process_reap(&instance->process, &death);
    instance->was_killed = death.kind == ENGINE_DEATH_SIGNAL && is_from_outside(death.number);
    return engine_death_tell(&death, instance->scene, error);
}

/* What the channel said, as the caller is to see it: whatever went wrong with the child is a crash. */
static enum lh_status channel_failed(struct engine_instance *instance, enum lh_status status, struct lh_error *error)
{
    if (status == LH_ERR_CRASHED) {
        return crashed(instance, error);
    }
    if (status == LH_ERR_FORMAT) {
        return misbehaved(instance, error);
    }
    engine_process_end(&instance->process); /* half a message may be on the way */
    return status;
}

bool engine_client_wait(const struct engine_instance *instance, int timeout_ms)
{
    struct pollfd one = {.fd = instance->process.socket, .events = POLLIN};
    return poll(&one, 1, timeout_ms) > 0;
}

enum lh_status engine_client_receive(struct engine_instance *instance, enum engine_message_kind kind,
                                     struct engine_message *message, struct lh_error *error)
{
    enum lh_status status = engine_channel_receive(instance->process.socket, 0, message, error);
    if (status != LH_OK) {
        return channel_failed(instance, status, error);
    }
    if (message->kind != (uint32_t)kind) {
        engine_message_fini(message);
        return misbehaved(instance, error);
    }
    return LH_OK;
}

static enum lh_status await_until(struct engine_instance *instance, enum engine_message_kind kind, uint64_t timeout_ns,
                                  struct engine_message *message, struct lh_error *error)
{
    uint64_t begun = lh_clock_monotonic_ns();
    while (!engine_client_wait(instance, ENGINE_CLIENT_WAIT_MS)) {
        if (instance->go_on != NULL && !instance->go_on(instance->context)) {
            engine_process_end(&instance->process);
            return lh_error_set(error, LH_ERR_CANCELLED, NULL, "interrupted");
        }
        if (lh_clock_monotonic_ns() - begun > timeout_ns) {
            engine_process_end(&instance->process);
            return lh_error_set(error, LH_ERR_CRASHED, NULL, "the signal instance does not answer and was killed");
        }
    }
    return engine_client_receive(instance, kind, message, error);
}

enum lh_status engine_client_await(struct engine_instance *instance, enum engine_message_kind kind,
                                   struct engine_message *message, struct lh_error *error)
{
    return await_until(instance, kind, NEVER, message, error);
}

enum lh_status engine_client_understood(struct engine_instance *instance, enum lh_status status, struct lh_error *error)
{
    if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(error);
    }
    return status != LH_OK ? misbehaved(instance, error) : LH_OK;
}

enum lh_status engine_client_greet(struct engine_instance *instance, struct lh_error *error)
{
    if (instance->process.pid <= 0) {
        return crashed(instance, error);
    }
    if (instance->greeted) {
        return LH_OK;
    }
    struct engine_message message = {.kind = 0};
    enum lh_status status = await_until(instance, ENGINE_MESSAGE_HELLO, HELLO_TIMEOUT_NS, &message, error);
    if (status != LH_OK) {
        return status;
    }
    struct engine_hello hello;
    status = engine_hello_read(message.body, message.size, &hello);
    engine_message_fini(&message);
    if (status != LH_OK) {
        return misbehaved(instance, error);
    }
    if (hello.version != ENGINE_PROTOCOL_VERSION) {
        engine_process_end(&instance->process);
        return lh_error_set(error, LH_ERR_UNSUPPORTED, NULL,
                            "loophole-signal speaks version %u, this program version %d; install both from one release",
                            hello.version, ENGINE_PROTOCOL_VERSION);
    }
    instance->hello = hello;
    instance->greeted = true;
    return LH_OK;
}

enum lh_status engine_client_ask(struct engine_instance *instance, enum engine_message_kind kind,
                                 const struct lh_writer *body, const int *fds, size_t count, struct lh_error *error)
{
    enum lh_status status =
        engine_channel_send(instance->process.socket, kind, body->data, body->size, fds, count, error);
    return status != LH_OK ? channel_failed(instance, status, error) : LH_OK;
}

enum lh_status engine_instance_probe(struct engine_instance *instance, const int *fds, size_t count,
                                     struct engine_probe *probes, struct lh_error *error)
{
    enum lh_status status = engine_client_greet(instance, error);
    if (status != LH_OK || count == 0) {
        return status;
    }
    struct lh_writer empty;
    lh_writer_init(&empty);
    status = engine_client_ask(instance, ENGINE_MESSAGE_PROBE, &empty, fds, count, error);
    struct engine_message message = {.kind = 0};
    status = status != LH_OK ? status : engine_client_await(instance, ENGINE_MESSAGE_FACTS, &message, error);
    if (status != LH_OK) {
        return status;
    }
    status = engine_facts_read(message.body, message.size, probes, count);
    engine_message_fini(&message);
    return engine_client_understood(instance, status, error);
}
