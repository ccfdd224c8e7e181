/* SPDX-License-Identifier: MIT */
/* Little-endian bytes: a growing writer and a bounded reader. The writer's output is canonical: the same calls give
   the same bytes on every machine. The reader never reads past its end: after the first short read every further one
   gives zeros and lh_reader_ok() is false, so a decoder can check once at the end of each record. */
#ifndef LH_BASE_BYTES_H
#define LH_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

struct lh_writer {
    uint8_t *data; /* owned, NULL while empty */
    size_t size;
    size_t capacity;
    bool failed; /* an allocation failed: everything after it was dropped */
};

void lh_writer_init(struct lh_writer *writer);
void lh_writer_fini(struct lh_writer *writer);
void lh_writer_u8(struct lh_writer *writer, uint8_t value);
void lh_writer_u16(struct lh_writer *writer, uint16_t value);
void lh_writer_u32(struct lh_writer *writer, uint32_t value);
void lh_writer_u64(struct lh_writer *writer, uint64_t value);
void lh_writer_i64(struct lh_writer *writer, int64_t value);
void lh_writer_f32(struct lh_writer *writer, float value);  /* bits of IEEE 754; any NaN as one quiet NaN */
void lh_writer_f64(struct lh_writer *writer, double value); /* the same */
void lh_writer_bytes(struct lh_writer *writer, const void *data, size_t size);
/* u32 length, then the bytes without a terminator. */
void lh_writer_text(struct lh_writer *writer, const char *text);
/* LH_OK, or LH_ERR_NO_MEMORY if anything was dropped. */
LH_NODISCARD enum lh_status lh_writer_status(const struct lh_writer *writer);

struct lh_reader {
    const uint8_t *data; /* borrowed */
    size_t size;
    size_t offset;
    bool failed;
};

void lh_reader_init(struct lh_reader *reader, const void *data, size_t size);
uint8_t lh_reader_u8(struct lh_reader *reader);
uint32_t lh_reader_u32(struct lh_reader *reader);
uint64_t lh_reader_u64(struct lh_reader *reader);
int64_t lh_reader_i64(struct lh_reader *reader);
float lh_reader_f32(struct lh_reader *reader);
double lh_reader_f64(struct lh_reader *reader);
/* A view of the next `size` bytes, NULL when there are fewer. */
const uint8_t *lh_reader_view(struct lh_reader *reader, size_t size);
/* A view of a text written by lh_writer_text (not terminated) and its length; NULL and 0 on failure or when it is
   longer than `limit` bytes. */
const char *lh_reader_text(struct lh_reader *reader, size_t limit, size_t *length);
bool lh_reader_ok(const struct lh_reader *reader);
/* Everything was read and nothing failed. */
bool lh_reader_done(const struct lh_reader *reader);

#endif
