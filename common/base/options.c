/* SPDX-License-Identifier: MIT */
/* Reading a command line by its table. */
#include "common/base/options.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/faults.h"

#define NAME_SIZE 80 /* of an option as messages show it */

struct parser {
    struct lh_arena *arena;
    const struct lh_option_table *table;
    struct lh_options *options;
    const char **operands;
    char *const *arguments;
    size_t count, at; /* `at`: the argument being read */
    struct lh_error *error;
};

static size_t find_name(const struct lh_option_table *table, const char *name, size_t length)
{
    size_t i = 0;
    while (i < table->count &&
           (strlen(table->rows[i].name) != length || memcmp(table->rows[i].name, name, length) != 0)) {
        i++;
    }
    return i;
}

static size_t find_letter(const struct lh_option_table *table, char letter)
{
    size_t i = 0;
    while (i < table->count && table->rows[i].letter != letter) {
        i++;
    }
    return i;
}

static enum lh_status refuse_number(const struct lh_option *row, const char *where, const char *text,
                                    struct lh_error *error)
{
    const char *what = row->type == LH_OPTION_INTEGER ? "an integer" : "a number";
    return lh_error_set(error, LH_ERR_USAGE, where, "%s must be %s from %.15g to %.15g, not '%s'", where, what,
                        row->minimum, row->maximum, text);
}

static enum lh_status read_number(const struct lh_option *row, const char *where, const char *text,
                                  struct lh_option_value *value, struct lh_error *error)
{
    bool integer = row->type == LH_OPTION_INTEGER;
    const char *allowed = integer ? "+-0123456789" : "+-.eE0123456789"; /* no blanks, hexadecimal, infinity */
    char *end = NULL;
    errno = 0;
    long long whole = integer ? strtoll(text, &end, 10) : 0;
    double number = integer ? (double)whole : strtod(text, &end);
    if (end == text || *end != '\0' || strspn(text, allowed) != strlen(text) || (integer && errno == ERANGE) ||
        !isfinite(number) || number < row->minimum || number > row->maximum) {
        return refuse_number(row, where, text, error);
    }
    *value = (struct lh_option_value){.text = text, .number = number, .integer = whole};
    return LH_OK;
}

static enum lh_status read_choice(struct lh_arena *arena, const struct lh_option *row, const char *where,
                                  const char *text, struct lh_error *error)
{
    struct lh_writer list;
    lh_writer_init(&list);
    for (size_t i = 0; row->choices[i] != NULL; i++) {
        if (strcmp(row->choices[i], text) == 0) {
            lh_writer_fini(&list);
            return LH_OK;
        }
        const char *joint = i == 0 ? "" : row->choices[i + 1] != NULL ? ", " : " or ";
        lh_writer_bytes(&list, joint, strlen(joint));
        lh_writer_bytes(&list, row->choices[i], strlen(row->choices[i]));
    }
    enum lh_status status = lh_writer_status(&list);
    const char *choices = status == LH_OK ? lh_arena_strndup(arena, (const char *)list.data, list.size) : NULL;
    lh_writer_fini(&list);
    if (choices == NULL) {
        return lh_error_no_memory(error);
    }
    return lh_error_set(error, LH_ERR_USAGE, where, "%s must be %s, not '%s'", where, choices, text);
}

static enum lh_status read_value(struct lh_arena *arena, const struct lh_option *row, const char *where,
                                 const char *text, struct lh_option_value *value, struct lh_error *error)
{
    switch (row->type) {
    case LH_OPTION_INTEGER:
    case LH_OPTION_NUMBER:
        return read_number(row, where, text, value, error);
    case LH_OPTION_TEXT: {
        enum lh_status status = row->choices != NULL ? read_choice(arena, row, where, text, error) : LH_OK;
        if (status != LH_OK) {
            return status;
        }
        break;
    }
    case LH_OPTION_FLAG:
        break;
    }
    *value = (struct lh_option_value){.text = row->type == LH_OPTION_FLAG ? NULL : text};
    return LH_OK;
}

/* Adds a value to a row; `text` is NULL for a flag. The room doubles whenever the count reaches a power of two. */
static enum lh_status add_value(struct parser *parser, size_t index, const char *where, const char *text)
{
    struct lh_option_value value;
    enum lh_status status = read_value(parser->arena, &parser->table->rows[index], where, text, &value, parser->error);
    if (status != LH_OK) {
        return status;
    }
    size_t count = parser->options->values[index].count;
    struct lh_option_value *items = parser->options->values[index].items;
    if ((count & (count - 1)) == 0) {
        struct lh_option_value *grown = lh_arena_array(parser->arena, count == 0 ? 1 : 2 * count, sizeof *grown);
        if (grown == NULL) {
            return lh_error_no_memory(parser->error);
        }
        if (count > 0) {
            memcpy(grown, items, count * sizeof *grown);
        }
        items = grown;
    }
    items[count] = value;
    parser->options->values[index].items = items;
    parser->options->values[index].count = count + 1;
    return LH_OK;
}

/* One option met on the command line. `attached` is the value that stands in the same argument, or NULL. */
static enum lh_status take_option(struct parser *parser, size_t index, const char *shown, const char *attached)
{
    const struct lh_option *row = &parser->table->rows[index];
    if (parser->options->values[index].given && !row->repeatable && row->type != LH_OPTION_FLAG) {
        return lh_error_set(parser->error, LH_ERR_USAGE, shown, "%s is given twice; give it once", shown);
    }
    const char *text = attached;
    if (row->type != LH_OPTION_FLAG && text == NULL) {
        if (parser->at + 1 >= parser->count) {
            return lh_error_set(parser->error, LH_ERR_USAGE, shown, "%s needs a value: %s %s", shown, shown,
                                row->placeholder != NULL ? row->placeholder : "VALUE");
        }
        text = parser->arguments[++parser->at];
    }
    parser->options->values[index].given = true;
    return add_value(parser, index, shown, text);
}

static enum lh_status refuse_unknown(const struct parser *parser, const char *shown, const char *name)
{
    const char *names[LH_OPTIONS_MAX + 1] = {"help"};
    for (size_t i = 0; i < parser->table->count; i++) {
        names[i + 1] = parser->table->rows[i].name;
    }
    const char *nearest = lh_nearest_name(name, names, parser->table->count + 1);
    if (nearest == NULL) {
        return lh_error_set(parser->error, LH_ERR_USAGE, shown, "there is no option %s; --help shows them all", shown);
    }
    return lh_error_set(parser->error, LH_ERR_USAGE, shown, "there is no option %s; did you mean --%s?", shown,
                        nearest);
}

static enum lh_status read_long(struct parser *parser, const char *argument)
{
    const char *name = argument + 2;
    size_t length = strcspn(name, "=");
    const char *attached = name[length] == '=' ? name + length + 1 : NULL;
    char shown[NAME_SIZE];
    snprintf(shown, sizeof shown, "%.*s", (int)(length < NAME_SIZE - 3 ? length + 2 : NAME_SIZE - 1), argument);
    if (length == 4 && memcmp(name, "help", 4) == 0 && attached == NULL) {
        parser->options->help = true;
        return LH_OK;
    }
    size_t index = find_name(parser->table, name, length);
    if (index == parser->table->count) {
        return refuse_unknown(parser, shown, shown + 2);
    }
    if (attached != NULL && parser->table->rows[index].type == LH_OPTION_FLAG) {
        return lh_error_set(parser->error, LH_ERR_USAGE, shown, "%s takes no value", shown);
    }
    return take_option(parser, index, shown, attached);
}

/* A group of letters: flags, the last of which may take a value. */
static enum lh_status read_short(struct parser *parser, const char *argument)
{
    for (const char *letter = argument + 1; *letter != '\0'; letter++) {
        char shown[] = {'-', *letter, '\0'};
        size_t index = find_letter(parser->table, *letter);
        if (index == parser->table->count && *letter == 'h') {
            parser->options->help = true;
            continue;
        }
        if (index == parser->table->count) {
            return lh_error_set(parser->error, LH_ERR_USAGE, argument, "there is no option %s; --help shows them all",
                                (unsigned char)*letter < 0x80 ? shown : argument);
        }
        bool flag = parser->table->rows[index].type == LH_OPTION_FLAG;
        const char *attached = !flag && letter[1] != '\0' ? letter + 1 : NULL;
        enum lh_status status = take_option(parser, index, shown, attached);
        if (status != LH_OK || !flag) {
            return status;
        }
    }
    return LH_OK;
}

static enum lh_status read_arguments(struct parser *parser)
{
    bool only_operands = false;
    for (parser->at = 0; parser->at < parser->count; parser->at++) {
        const char *argument = parser->arguments[parser->at];
        enum lh_status status = LH_OK;
        if (only_operands || argument[0] != '-' || argument[1] == '\0') {
            parser->operands[parser->options->operand_count++] = argument;
        } else if (strcmp(argument, "--") == 0) {
            only_operands = true;
        } else if (argument[1] == '-') {
            status = read_long(parser, argument);
        } else {
            status = read_short(parser, argument);
        }
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

/* A flag's variable is 1 or 0, since a variable that is merely there says too little. */
static enum lh_status take_variable(struct parser *parser, size_t index, const char *text)
{
    const struct lh_option *row = &parser->table->rows[index];
    if (row->type != LH_OPTION_FLAG) {
        return add_value(parser, index, row->variable, text);
    }
    if (strcmp(text, "1") == 0) {
        return add_value(parser, index, row->variable, NULL);
    }
    if (strcmp(text, "0") == 0) {
        return LH_OK;
    }
    return lh_error_set(parser->error, LH_ERR_USAGE, row->variable, "%s must be 0 or 1, not '%s'", row->variable, text);
}

/* What was not given comes from the environment, else from the table. */
static enum lh_status fill_in(struct parser *parser)
{
    for (size_t i = 0; i < parser->table->count; i++) {
        const struct lh_option *row = &parser->table->rows[i];
        const char *text = row->variable != NULL ? getenv(row->variable) : NULL;
        enum lh_status status = LH_OK;
        if (parser->options->values[i].given) {
            continue;
        }
        if (text != NULL && *text != '\0') {
            status = take_variable(parser, i, text);
        } else if (row->standard != NULL) {
            status = add_value(parser, i, row->name, row->standard);
        }
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

static enum lh_status check_operands(const struct parser *parser)
{
    size_t count = parser->options->operand_count;
    const struct lh_option_table *table = parser->table;
    if (count < table->operands_min) {
        return lh_error_set(parser->error, LH_ERR_USAGE, NULL, "%s is missing; --help shows what to give",
                            table->operand);
    }
    if (count > table->operands_max) {
        const char *extra = parser->operands[table->operands_max];
        return lh_error_set(parser->error, LH_ERR_USAGE, extra,
                            "the argument '%s' is one too many; --help shows what to give", extra);
    }
    return LH_OK;
}

enum lh_status lh_options_parse(struct lh_arena *arena, const struct lh_option_table *table, int count,
                                char *const *arguments, struct lh_options *options, struct lh_error *error)
{
    assert(table->count <= LH_OPTIONS_MAX);
    struct lh_options read = {.table = table};
    struct parser parser = {.arena = arena,
                            .table = table,
                            .options = &read,
                            .arguments = arguments,
                            .count = count > 0 ? (size_t)count : 0,
                            .error = error};
    parser.operands = lh_arena_array(arena, parser.count, sizeof *parser.operands);
    if (parser.operands == NULL) {
        return lh_error_no_memory(error);
    }
    read.operands = parser.operands;
    enum lh_status status = read_arguments(&parser);
    if (status == LH_OK && !read.help) {
        status = fill_in(&parser);
    }
    if (status == LH_OK && !read.help) {
        status = check_operands(&parser);
    }
    if (status == LH_OK) {
        *options = read;
    }
    return status;
}

static size_t row_of(const struct lh_options *options, const char *name)
{
    size_t index = find_name(options->table, name, strlen(name));
    assert(index < options->table->count);
    return index;
}

size_t lh_options_count(const struct lh_options *options, const char *name)
{
    return options->values[row_of(options, name)].count;
}

bool lh_options_given(const struct lh_options *options, const char *name)
{
    return options->values[row_of(options, name)].given;
}

bool lh_options_flag(const struct lh_options *options, const char *name)
{
    return lh_options_count(options, name) > 0;
}

const struct lh_option_value *lh_options_at(const struct lh_options *options, const char *name, size_t index)
{
    size_t row = row_of(options, name);
    return index < options->values[row].count ? &options->values[row].items[index] : NULL;
}

static struct lh_option_value last_value(const struct lh_options *options, const char *name)
{
    size_t count = lh_options_count(options, name);
    return count > 0 ? *lh_options_at(options, name, count - 1) : (struct lh_option_value){.text = NULL};
}

const char *lh_options_text(const struct lh_options *options, const char *name)
{
    return last_value(options, name).text;
}

int64_t lh_options_integer(const struct lh_options *options, const char *name)
{
    return last_value(options, name).integer;
}

double lh_options_number(const struct lh_options *options, const char *name)
{
    return last_value(options, name).number;
}
