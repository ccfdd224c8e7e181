/* SPDX-License-Identifier: MIT */
/* Little-endian writer and reader. */
#include "common/base/bytes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void lh_writer_init(struct lh_writer *writer)
{
    *writer = (struct lh_writer){.data = NULL};
}

void lh_writer_fini(struct lh_writer *writer)
{
    if (writer != NULL) {
        free(writer->data);
        lh_writer_init(writer);
    }
}

/* Room for `size` more bytes, or NULL with the writer marked as failed. */
static uint8_t *reserve(struct lh_writer *writer, size_t size)
{
    if (writer->failed) {
        return NULL;
    }
    if (writer->capacity - writer->size < size) {
        size_t capacity = writer->capacity < 256 ? 256 : writer->capacity;
        while (capacity - writer->size < size) {
            if (capacity > SIZE_MAX / 2) {
                writer->failed = true;
                return NULL;
            }
            capacity *= 2;
        }
        uint8_t *data = realloc(writer->data, capacity);
        if (data == NULL) {
            writer->failed = true;
            return NULL;
        }
        writer->data = data;
        writer->capacity = capacity;
    }
    uint8_t *place = writer->data + writer->size;
    writer->size += size;
    return place;
}

static void write_little(struct lh_writer *writer, uint64_t value, size_t size)
{
    uint8_t *place = reserve(writer, size);
    for (size_t i = 0; place != NULL && i < size; i++) {
        place[i] = (uint8_t)(value >> (8 * i));
    }
}

void lh_writer_u8(struct lh_writer *writer, uint8_t value)
{
    write_little(writer, value, 1);
}

void lh_writer_u16(struct lh_writer *writer, uint16_t value)
{
    write_little(writer, value, 2);
}

void lh_writer_u32(struct lh_writer *writer, uint32_t value)
{
    write_little(writer, value, 4);
}

void lh_writer_u64(struct lh_writer *writer, uint64_t value)
{
    write_little(writer, value, 8);
}

void lh_writer_i64(struct lh_writer *writer, int64_t value)
{
    write_little(writer, (uint64_t)value, 8);
}

void lh_writer_f32(struct lh_writer *writer, float value)
{
    uint32_t bits = UINT32_C(0x7FC00000);
    if (!isnan(value)) {
        memcpy(&bits, &value, sizeof bits);
    }
    lh_writer_u32(writer, bits);
}

void lh_writer_f64(struct lh_writer *writer, double value)
{
    uint64_t bits = UINT64_C(0x7FF8000000000000);
    if (!isnan(value)) {
        memcpy(&bits, &value, sizeof bits);
    }
    lh_writer_u64(writer, bits);
}

void lh_writer_bytes(struct lh_writer *writer, const void *data, size_t size)
{
    if (size == 0) {
        return;
    }
    uint8_t *place = reserve(writer, size);
    if (place != NULL) {
        memcpy(place, data, size);
    }
}

void lh_writer_text(struct lh_writer *writer, const char *text)
{
    size_t length = strlen(text);
    if (length > UINT32_MAX) {
        writer->failed = true;
        return;
    }
    lh_writer_u32(writer, (uint32_t)length);
    lh_writer_bytes(writer, text, length);
}

enum lh_status lh_writer_status(const struct lh_writer *writer)
{
    return writer->failed ? LH_ERR_NO_MEMORY : LH_OK;
}

void lh_reader_init(struct lh_reader *reader, const void *data, size_t size)
{
    *reader = (struct lh_reader){.data = data, .size = size};
}

const uint8_t *lh_reader_view(struct lh_reader *reader, size_t size)
{
    if (reader->failed || reader->size - reader->offset < size) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *view = reader->data + reader->offset;
    reader->offset += size;
    return view;
}

static uint64_t read_little(struct lh_reader *reader, size_t size)
{
    const uint8_t *view = lh_reader_view(reader, size);
    uint64_t value = 0;
    for (size_t i = 0; view != NULL && i < size; i++) {
        value |= (uint64_t)view[i] << (8 * i);
    }
    return value;
}

uint8_t lh_reader_u8(struct lh_reader *reader)
{
    return (uint8_t)read_little(reader, 1);
}

uint32_t lh_reader_u32(struct lh_reader *reader)
{
    return (uint32_t)read_little(reader, 4);
}

uint64_t lh_reader_u64(struct lh_reader *reader)
{
    return read_little(reader, 8);
}

int64_t lh_reader_i64(struct lh_reader *reader)
{
    return (int64_t)read_little(reader, 8);
}

float lh_reader_f32(struct lh_reader *reader)
{
    uint32_t bits = lh_reader_u32(reader);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double lh_reader_f64(struct lh_reader *reader)
{
    uint64_t bits = lh_reader_u64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

const char *lh_reader_text(struct lh_reader *reader, size_t limit, size_t *length)
{
    uint32_t size = lh_reader_u32(reader);
    if (size > limit) {
        reader->failed = true;
    }
    const uint8_t *view = lh_reader_view(reader, size);
    *length = view != NULL ? size : 0;
    return (const char *)view;
}

bool lh_reader_ok(const struct lh_reader *reader)
{
    return !reader->failed;
}

bool lh_reader_done(const struct lh_reader *reader)
{
    return !reader->failed && reader->offset == reader->size;
}
