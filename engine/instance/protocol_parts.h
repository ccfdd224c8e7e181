/* SPDX-License-Identifier: MIT */
/* Pieces that the bodies of several messages have in common. Readers fail the reader for what no writer wrote. */
#ifndef ENGINE_INSTANCE_PROTOCOL_PARTS_H
#define ENGINE_INSTANCE_PROTOCOL_PARTS_H

#include "common/base/arena.h"
#include "common/base/bytes.h"

/* Copies a text into an array of `size` bytes. Control characters become spaces: a child that went wrong must not be
   able to write commands to a terminal. */
void engine_protocol_read_text(struct lh_reader *reader, char *text, size_t size);
/* A text of at most `limit` bytes without a NUL, copied as it is. NULL when memory is out; "" on failure. */
const char *engine_protocol_read_copy(struct lh_reader *reader, size_t limit, struct lh_arena *arena);
bool engine_protocol_read_flag(struct lh_reader *reader);
double engine_protocol_read_number(struct lh_reader *reader); /* not NaN */
enum lh_status engine_protocol_read_status(struct lh_reader *reader);
/* The code of an error follows its status. */
void engine_protocol_write_error(struct lh_writer *writer, const struct lh_error *error);
void engine_protocol_read_error(struct lh_reader *reader, enum lh_status status, struct lh_error *error);

#endif
