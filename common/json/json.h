/* SPDX-License-Identifier: MIT */
/* JSON as immutable values in an arena, in the order of the text. The only place that knows the JSON library.
   A value knows its parent, so that a fault can name its place as a JSON Pointer (RFC 6901). */
#ifndef LH_JSON_JSON_H
#define LH_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/status.h"

#define LH_JSON_DEPTH_MAX 64
#define LH_JSON_TEXT_MAX (64u << 20)  /* bytes */
#define LH_JSON_VALUES_MAX (8u << 20) /* in memory each takes some hundred bytes */

enum lh_json_kind {
    LH_JSON_NULL,
    LH_JSON_FALSE,
    LH_JSON_TRUE,
    LH_JSON_INTEGER, /* written without fraction and exponent */
    LH_JSON_REAL,
    LH_JSON_STRING,
    LH_JSON_ARRAY,
    LH_JSON_OBJECT,
};

struct lh_json {
    enum lh_json_kind kind;
    const struct lh_json *parent; /* NULL at the root */
    const char *name;             /* member's name when the parent is an object, else NULL */
    size_t index;                 /* position in the parent */
    union {
        int64_t integer;
        double real;
        struct {
            const char *text; /* UTF-8, terminated; no U+0000 inside */
            size_t length;
        } string;
        struct {
            struct lh_json *const *items; /* in the order of the text */
            size_t count;
            struct lh_json *const *by_name; /* lh_json_member()'s own: a large object's members sorted, else NULL */
        } list;                             /* of an array or an object */
    } value;
};

/* Reads one JSON text: UTF-8, no duplicate members, depth and size limited. LH_ERR_INVALID (or LH_ERR_LIMIT) with the
   reason and "line 3, column 7" in `where`. */
LH_NODISCARD enum lh_status lh_json_parse(struct lh_arena *arena, const char *text, size_t length,
                                          const struct lh_json **root, struct lh_error *error);

/* NULL when the value is no object or has no such member. Logarithmic in a large object. */
const struct lh_json *lh_json_member(const struct lh_json *object, const char *name);
bool lh_json_is_number(const struct lh_json *value);
/* An integer or real as a double; 0 for anything else. */
double lh_json_number(const struct lh_json *value);
/* For messages, with an article: "a string", "an object", "an integer"; "a number" for a real. */
const char *lh_json_kind_text(enum lh_json_kind kind);
/* The value's JSON Pointer ("" for the root), cut at `size`. */
void lh_json_pointer(const struct lh_json *value, char *pointer, size_t size);
/* Whether both say the same: members in any order, 1 as good as 1.0. NULL equals only NULL. */
bool lh_json_equal(const struct lh_json *a, const struct lh_json *b);

/* A copy of `root` in which the value at `pointer` is replaced or added (the parent must exist; "-" appends to an
   array). `value_text` is JSON, or taken as a string when it is not JSON. For `--set POINTER=VALUE`. The copy shares
   what did not change with `root`, which must live as long. LH_ERR_USAGE for a pointer that leads nowhere (`where` has
   it). */
LH_NODISCARD enum lh_status lh_json_set(struct lh_arena *arena, const struct lh_json *root, const char *pointer,
                                        const char *value_text, const struct lh_json **changed, struct lh_error *error);

/* Writing: a stream of calls into a writer. Canonical text: members in the order of the calls, two spaces of
   indentation (or none), "\n" at the end of the root, shortest numbers that read back as the same double. Nesting and
   commas are kept right by the emitter. A real without a fraction is written as an integer (1, not 1.0) up to 2^53;
   bytes that are not UTF-8 become U+FFFD. Failures of memory show in lh_writer_status(). */
struct lh_json_emitter {
    struct lh_writer *writer;
    unsigned depth;
    bool compact; /* one line without spaces */
    bool first;   /* no comma before the next item */
    bool after_name;
};
void lh_json_emit_init(struct lh_json_emitter *emitter, struct lh_writer *writer, bool compact);
void lh_json_emit_object(struct lh_json_emitter *emitter);
void lh_json_emit_object_end(struct lh_json_emitter *emitter);
void lh_json_emit_array(struct lh_json_emitter *emitter);
void lh_json_emit_array_end(struct lh_json_emitter *emitter);
void lh_json_emit_name(struct lh_json_emitter *emitter, const char *name);
void lh_json_emit_text(struct lh_json_emitter *emitter, const char *text); /* NULL gives null */
void lh_json_emit_integer(struct lh_json_emitter *emitter, int64_t value);
void lh_json_emit_real(struct lh_json_emitter *emitter, double value); /* not finite gives null */
void lh_json_emit_bool(struct lh_json_emitter *emitter, bool value);
void lh_json_emit_null(struct lh_json_emitter *emitter);
void lh_json_emit_value(struct lh_json_emitter *emitter, const struct lh_json *value); /* a whole tree */
/* A name and its value. */
void lh_json_put_text(struct lh_json_emitter *emitter, const char *name, const char *text);
void lh_json_put_integer(struct lh_json_emitter *emitter, const char *name, int64_t value);
void lh_json_put_real(struct lh_json_emitter *emitter, const char *name, double value);
void lh_json_put_bool(struct lh_json_emitter *emitter, const char *name, bool value);

#endif
