/* SPDX-License-Identifier: MIT */
/* The command line from a table: one row an option. Parsing, bounds, environment, --help and "did you mean" all come
   from the rows, so that they cannot disagree. */
#ifndef LH_BASE_OPTIONS_H
#define LH_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/status.h"

#define LH_OPTIONS_MAX 64 /* rows in a table */

enum lh_option_type {
    LH_OPTION_FLAG,    /* takes no value */
    LH_OPTION_TEXT,    /* any text, or one of `choices` */
    LH_OPTION_INTEGER, /* from `minimum` to `maximum` */
    LH_OPTION_NUMBER,  /* a finite decimal from `minimum` to `maximum` */
};

struct lh_option {
    const char *name; /* long, without dashes: "threads" */
    char letter;      /* of the short form, or 0 */
    enum lh_option_type type;
    const char *placeholder;    /* in --help: "N"; NULL for a flag */
    bool repeatable;            /* else giving it twice is refused */
    const char *variable;       /* environment variable that stands in when the option isn't given, or NULL */
    double minimum, maximum;    /* of numbers; integers of up to 2^53 are exact */
    const char *const *choices; /* the texts allowed, NULL at the end; NULL for any */
    const char *standard;       /* the value when nothing is given, as text; NULL for none */
    const char *help;           /* one sentence without full stop */
};

struct lh_option_table {
    const char *usage;   /* after the program's name: "render PROJECT [options]" */
    const char *summary; /* one or more lines above the options; ends without a line break */
    const struct lh_option *rows;
    size_t count; /* at most LH_OPTIONS_MAX */
    size_t operands_min, operands_max;
    const char *operand; /* the operands' name in messages: "PROJECT" */
};

struct lh_option_value {
    const char *text; /* as given; NULL for a flag */
    double number;    /* of LH_OPTION_NUMBER and LH_OPTION_INTEGER */
    int64_t integer;  /* of LH_OPTION_INTEGER */
};

/* What a command line says. The texts are views of the arguments, the environment and the table. */
struct lh_options {
    const struct lh_option_table *table;
    struct {
        struct lh_option_value *items; /* in the order given; the environment's or standard one when none was */
        size_t count;                  /* 0 when there is no value at all */
        bool given;                    /* on the command line */
    } values[LH_OPTIONS_MAX];          /* by row */
    const char *const *operands;
    size_t operand_count;
    bool help; /* --help or -h was given: then operands and missing values are not complained about */
};

/* Reads `count` arguments, those after the program's and the command's name. Understands --name=value, --name value,
   -lvalue, -l value, grouped flags (-ab) and "--", after which everything is an operand; "-" is an operand. A prefix of
   a name is not taken for the name. --help and -h need no row. LH_ERR_USAGE with what to do instead. */
LH_NODISCARD enum lh_status lh_options_parse(struct lh_arena *arena, const struct lh_option_table *table, int count,
                                             char *const *arguments, struct lh_options *options,
                                             struct lh_error *error);

/* The values of the row called `name`, which must be in the table. */
size_t lh_options_count(const struct lh_options *options, const char *name);
bool lh_options_given(const struct lh_options *options, const char *name); /* on the command line */
bool lh_options_flag(const struct lh_options *options, const char *name);
const struct lh_option_value *lh_options_at(const struct lh_options *options, const char *name, size_t index);
/* The only (or last) value; NULL, 0 and 0 when there is none. */
const char *lh_options_text(const struct lh_options *options, const char *name);
int64_t lh_options_integer(const struct lh_options *options, const char *name);
double lh_options_number(const struct lh_options *options, const char *name);

/* The text of --help, at most 80 columns wide where the rows' words allow it. */
void lh_options_help(const struct lh_option_table *table, const char *program, struct lh_writer *writer);

#endif
