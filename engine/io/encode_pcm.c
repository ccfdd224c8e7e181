/* SPDX-License-Identifier: MIT */
/* The common part of the uncompressed containers. With a known length the header is right from the first byte on, so
   that the file can go to a pipe; otherwise it is written again at the end. */
#include "engine/io/encode_pcm.h"

#include <stdlib.h>
#include <string.h>

struct engine_pcm {
    struct engine_file *file;
    const struct engine_container *container;
    uint64_t head_size;
    uint64_t data_size;
    uint8_t *swapped; /* one piece in the other byte order, NULL when not needed */
};

uint64_t engine_pcm_data_size(const struct engine_file *file, uint64_t frames)
{
    return frames * file->channels * file->sample_bytes;
}

void engine_chunk_zeros(struct lh_writer *writer, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        lh_writer_u8(writer, 0);
    }
}

void engine_chunk_text(struct lh_writer *writer, const char *text, size_t size)
{
    size_t length = engine_text_prefix(text, size);
    lh_writer_bytes(writer, text, length);
    engine_chunk_zeros(writer, size - length);
}

void engine_chunk_id(struct lh_writer *writer, const char *id)
{
    lh_writer_bytes(writer, id, 4);
}

static uint64_t padded(uint64_t size)
{
    return size + (size & 1);
}

/* The header's and tail's bytes for a length; refuses what the container cannot hold. */
static enum lh_status build(const struct engine_pcm *pcm, uint64_t frames, struct lh_writer *head,
                            struct lh_writer *tail, struct lh_error *error)
{
    pcm->container->tail(pcm->file, frames, tail);
    pcm->container->head(pcm->file, frames, tail->size, head);
    if (head->failed || tail->failed) {
        return lh_error_no_memory(error);
    }
    uint64_t total = head->size + padded(engine_pcm_data_size(pcm->file, frames)) + tail->size;
    if (!pcm->container->grows && total - 8 > pcm->file->riff_limit) {
        return lh_error_set(
            error, LH_ERR_LIMIT, pcm->file->deliverable->name,
            "the file would be larger than AIFF can hold (4 GiB): deliver WAV, which grows past that as RF64");
    }
    return LH_OK;
}

static enum lh_status write_head(struct engine_pcm *pcm, uint64_t frames, struct lh_error *error)
{
    struct lh_writer head, tail;
    lh_writer_init(&head);
    lh_writer_init(&tail);
    enum lh_status status = build(pcm, frames, &head, &tail, error);
    if (status == LH_OK) {
        pcm->head_size = head.size;
        status = engine_output_append(&pcm->file->output, head.data, head.size, error);
    }
    lh_writer_fini(&head);
    lh_writer_fini(&tail);
    return status;
}

enum lh_status engine_pcm_open(struct engine_file *file, const struct engine_container *container, void **state,
                               struct lh_error *error)
{
    struct engine_pcm *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return lh_error_no_memory(error);
    }
    *opened = (struct engine_pcm){.file = file, .container = container};
    enum lh_status status = LH_OK;
    if (container->big_endian) {
        opened->swapped = malloc(ENGINE_PIECE_SAMPLES * file->sample_bytes);
        if (opened->swapped == NULL) {
            status = lh_error_no_memory(error);
        }
    }
    if (status == LH_OK) {
        status = write_head(opened, file->frames >= 0 ? (uint64_t)file->frames : 0, error);
    }
    if (status != LH_OK) {
        engine_pcm_free(opened);
        return status;
    }
    *state = opened;
    return LH_OK;
}

static void swap_bytes(uint8_t *out, const uint8_t *in, size_t samples, uint32_t bytes)
{
    for (size_t i = 0; i < samples; i++) {
        for (uint32_t b = 0; b < bytes; b++) {
            out[i * bytes + b] = in[i * bytes + bytes - 1 - b];
        }
    }
}

enum lh_status engine_pcm_write(void *state, const void *samples, size_t frames, struct lh_error *error)
{
    struct engine_pcm *pcm = state;
    struct engine_file *file = pcm->file;
    size_t size = (size_t)engine_pcm_data_size(file, frames);
    if (!pcm->container->grows && pcm->head_size - 8 + padded(pcm->data_size + size) > file->riff_limit) {
        return lh_error_set(error, LH_ERR_LIMIT, file->deliverable->name,
                            "the file has grown past what AIFF can hold (4 GiB): deliver WAV, which goes on as RF64");
    }
    pcm->data_size += size;
    if (pcm->swapped == NULL) {
        return engine_output_append(&file->output, samples, size, error);
    }
    swap_bytes(pcm->swapped, samples, frames * file->channels, file->sample_bytes);
    return engine_output_append(&file->output, pcm->swapped, size, error);
}

enum lh_status engine_pcm_finish(void *state, uint64_t frames, struct lh_error *error)
{
    struct engine_pcm *pcm = state;
    struct engine_file *file = pcm->file;
    struct lh_writer head, tail;
    lh_writer_init(&head);
    lh_writer_init(&tail);
    enum lh_status status = build(pcm, frames, &head, &tail, error);
    static const uint8_t zero = 0;
    if (status == LH_OK && (pcm->data_size & 1) != 0) {
        status = engine_output_append(&file->output, &zero, 1, error);
    }
    if (status == LH_OK) {
        status = engine_output_append(&file->output, tail.data, tail.size, error);
    }
    if (status == LH_OK && (file->frames < 0 || (uint64_t)file->frames != frames)) {
        status = engine_output_patch(&file->output, 0, head.data, head.size, error);
    }
    lh_writer_fini(&head);
    lh_writer_fini(&tail);
    return status;
}

void engine_pcm_free(void *state)
{
    struct engine_pcm *pcm = state;
    if (pcm == NULL) {
        return;
    }
    free(pcm->swapped);
    free(pcm);
}
