/* SPDX-License-Identifier: MIT */
/* The signal instance's loop: one question, one answer. */
#include "engine/instance/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/instance/serve_parts.h"
#include "engine/io/conform.h"

const char *engine_instance_own_cpu_class(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt");
    bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl");
    return v4 ? "x86-64-v4" : v3 ? "x86-64-v3" : v2 ? "x86-64-v2" : "x86-64-v1";
#else
    return "generic";
#endif
}

enum lh_status engine_serve_send(const struct engine_serving *serving, enum engine_message_kind kind,
                                 struct lh_writer *writer, struct lh_error *error)
{
    enum lh_status status = lh_writer_status(writer);
    if (status == LH_OK) {
        status = engine_channel_send(serving->socket, kind, writer->data, writer->size, NULL, 0, error);
    } else {
        lh_error_no_memory(error);
    }
    lh_writer_fini(writer);
    return status;
}

static enum lh_status say_hello(const struct engine_serving *serving, struct lh_error *error)
{
    struct engine_hello hello = {.version = ENGINE_PROTOCOL_VERSION};
    snprintf(hello.libraries, sizeof hello.libraries, "%s %s", engine_io_libraries(), engine_host_libraries());
    snprintf(hello.cpu_class, sizeof hello.cpu_class, "%s", engine_instance_own_cpu_class());
    snprintf(hello.jail, sizeof hello.jail, "%s", serving->jail);
    struct lh_writer writer;
    lh_writer_init(&writer);
    engine_hello_write(&writer, &hello);
    return engine_serve_send(serving, ENGINE_MESSAGE_HELLO, &writer, error);
}

static enum lh_status answer_probe(const struct engine_serving *serving, const struct engine_message *message,
                                   struct lh_error *error)
{
    struct engine_probe *probes = calloc(message->fd_count + 1, sizeof *probes);
    if (probes == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < message->fd_count; i++) {
        probes[i].status = engine_media_probe(message->fds[i], &probes[i].facts, &probes[i].error);
    }
    struct lh_writer writer;
    lh_writer_init(&writer);
    engine_facts_write(&writer, probes, message->fd_count);
    free(probes);
    return engine_serve_send(serving, ENGINE_MESSAGE_FACTS, &writer, error);
}

static enum lh_status answer_midi(const struct engine_serving *serving, const struct engine_message *message,
                                  struct lh_error *error)
{
    struct engine_midi_probe *files = calloc(message->fd_count + 1, sizeof *files);
    if (files == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < message->fd_count; i++) {
        files[i].status = engine_midi_read(message->fds[i], &files[i].midi, &files[i].error);
    }
    struct lh_writer writer;
    lh_writer_init(&writer);
    engine_scores_write(&writer, files, message->fd_count);
    for (size_t i = 0; i < message->fd_count; i++) {
        if (files[i].status == LH_OK) {
            engine_midi_fini(&files[i].midi);
        }
    }
    free(files);
    return engine_serve_send(serving, ENGINE_MESSAGE_SCORES, &writer, error);
}

static enum lh_status answer(const struct engine_serving *serving, const struct engine_message *message,
                             struct lh_error *error)
{
    if (message->kind == ENGINE_MESSAGE_PROBE && message->size == 0) {
        return answer_probe(serving, message, error);
    }
    if (message->kind == ENGINE_MESSAGE_MIDI && message->size == 0) {
        return answer_midi(serving, message, error);
    }
    if (message->kind == ENGINE_MESSAGE_DESCRIBE && message->fd_count == 0) {
        return engine_serve_describe(serving, message, error);
    }
    if (message->kind == ENGINE_MESSAGE_TRIAL) {
        return engine_serve_trial(serving, message, error);
    }
    if (message->kind == ENGINE_MESSAGE_RENDER) {
        return engine_serve_render(serving, message, error);
    }
    return lh_error_set(error, LH_ERR_FORMAT, NULL, "a message of kind %u was not expected", message->kind);
}

enum lh_status engine_instance_serve(const struct engine_serving *serving, struct lh_error *error)
{
    enum lh_status status = say_hello(serving, error);
    while (status == LH_OK) {
        struct engine_message message = {.kind = 0};
        status = engine_channel_receive(serving->socket, ENGINE_CHANNEL_DESCRIPTORS_MAX, &message, error);
        if (status == LH_ERR_CRASHED) {
            return LH_OK; /* the parent is gone, or done with us */
        }
        status = status == LH_OK ? answer(serving, &message, error) : status;
        engine_message_fini(&message);
    }
    return status;
}
