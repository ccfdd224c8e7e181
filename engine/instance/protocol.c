/* SPDX-License-Identifier: MIT */
/* The bodies of the messages. Readers bound every text and number, then demand that nothing is left. */
#include "engine/instance/protocol.h"

#include <stdlib.h>
#include <string.h>

#include "engine/instance/protocol_parts.h"

#define SAMPLE_BITS_MAX 64

void engine_hello_write(struct lh_writer *writer, const struct engine_hello *hello)
{
    lh_writer_u32(writer, hello->version);
    lh_writer_text(writer, hello->libraries);
    lh_writer_text(writer, hello->cpu_class);
    lh_writer_text(writer, hello->jail);
}

enum lh_status engine_hello_read(const void *data, size_t size, struct engine_hello *hello)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_hello read = {.version = lh_reader_u32(&reader)};
    if (lh_reader_ok(&reader) && read.version != ENGINE_PROTOCOL_VERSION) {
        *hello = read; /* what else it says is another version's business */
        return LH_OK;
    }
    engine_protocol_read_text(&reader, read.libraries, sizeof read.libraries);
    engine_protocol_read_text(&reader, read.cpu_class, sizeof read.cpu_class);
    engine_protocol_read_text(&reader, read.jail, sizeof read.jail);
    if (!lh_reader_done(&reader)) {
        return LH_ERR_FORMAT;
    }
    *hello = read;
    return LH_OK;
}

void engine_facts_write(struct lh_writer *writer, const struct engine_probe *probes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct engine_media_facts *facts = &probes[i].facts;
        lh_writer_u32(writer, (uint32_t)probes[i].status);
        if (probes[i].status != LH_OK) {
            engine_protocol_write_error(writer, &probes[i].error);
            continue;
        }
        lh_writer_u8(writer, (uint8_t)facts->access);
        lh_writer_u32(writer, facts->rate);
        lh_writer_u32(writer, facts->channels);
        lh_writer_u64(writer, facts->frames);
        lh_writer_u32(writer, facts->bits);
        lh_writer_text(writer, facts->format);
    }
}

static void read_facts(struct lh_reader *reader, struct engine_media_facts *facts)
{
    uint8_t access = lh_reader_u8(reader);
    *facts = (struct engine_media_facts){.access = access <= ENGINE_ACCESS_LINEAR ? (enum engine_access)access
                                                                                  : ENGINE_ACCESS_LINEAR};
    facts->rate = lh_reader_u32(reader);
    facts->channels = lh_reader_u32(reader);
    facts->frames = lh_reader_u64(reader);
    facts->bits = lh_reader_u32(reader);
    engine_protocol_read_text(reader, facts->format, sizeof facts->format);
    if (access > ENGINE_ACCESS_LINEAR || facts->rate == 0 || facts->channels == 0 ||
        facts->channels > GRAPH_CHANNELS_MAX || facts->frames >= (uint64_t)GRAPH_FRAMES_MAX ||
        facts->bits > SAMPLE_BITS_MAX) {
        reader->failed = true;
    }
}

enum lh_status engine_facts_read(const void *data, size_t size, struct engine_probe *probes, size_t count)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_probe *read = calloc(count > 0 ? count : 1, sizeof *read);
    if (read == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count && lh_reader_ok(&reader); i++) {
        read[i].status = engine_protocol_read_status(&reader);
        if (read[i].status != LH_OK) {
            engine_protocol_read_error(&reader, read[i].status, &read[i].error);
        } else {
            read_facts(&reader, &read[i].facts);
        }
    }
    bool done = lh_reader_done(&reader);
    if (done && count > 0) {
        memcpy(probes, read, count * sizeof *probes);
    }
    free(read);
    return done ? LH_OK : LH_ERR_FORMAT;
}

void engine_request_write(struct lh_writer *writer, const struct engine_request *request)
{
    lh_writer_u32(writer, request->threads);
    lh_writer_u32(writer, request->block);
    lh_writer_u8(writer, request->report ? 1 : 0);
    lh_writer_u8(writer, request->keeps ? 1 : 0);
    lh_writer_text(writer, request->kernels);
    lh_writer_u32(writer, request->media_count);
    lh_writer_u32(writer, request->output_count);
    lh_writer_u32(writer, request->stored_count);
    lh_writer_bytes(writer, request->conformed, request->media_count);
    lh_writer_bytes(writer, request->wanted, request->output_count);
}

static bool are_flags(const uint8_t *flags, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (flags[i] > 1) {
            return false;
        }
    }
    return true;
}

enum lh_status engine_request_read(const void *data, size_t size, struct engine_request *request)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_request read = {.threads = lh_reader_u32(&reader)};
    read.block = lh_reader_u32(&reader);
    read.report = engine_protocol_read_flag(&reader);
    read.keeps = engine_protocol_read_flag(&reader);
    engine_protocol_read_text(&reader, read.kernels, sizeof read.kernels);
    read.media_count = lh_reader_u32(&reader);
    read.output_count = lh_reader_u32(&reader);
    read.stored_count = lh_reader_u32(&reader);
    read.conformed = lh_reader_view(&reader, read.media_count);
    read.wanted = lh_reader_view(&reader, read.output_count);
    if (!lh_reader_ok(&reader) || read.threads < 1 || read.threads > ENGINE_THREADS_MAX ||
        read.block > ENGINE_BLOCK_MAX) {
        return LH_ERR_FORMAT;
    }
    if (!are_flags(read.conformed, read.media_count) || !are_flags(read.wanted, read.output_count) ||
        (!read.keeps && memchr(read.conformed, 1, read.media_count) != NULL)) {
        return LH_ERR_FORMAT;
    }
    read.graph_size = size - reader.offset;
    read.graph = lh_reader_view(&reader, read.graph_size);
    *request = read;
    return LH_OK;
}
