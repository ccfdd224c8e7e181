/* SPDX-License-Identifier: MIT */
/* The text of --help from an option table. */
#include "common/base/options.h"

#include <stdio.h>
#include <string.h>

#define WIDTH 80u     /* columns */
#define LEFT_MAX 30u  /* a left column wider than this gets a line of its own */
#define LEFT_SIZE 96u /* bytes of one row's left column */

/* Words laid out from `indent` on; `column` is where the next byte goes. */
struct layout {
    struct lh_writer *writer;
    size_t indent, column;
};

static void put(struct layout *layout, const char *text, size_t length)
{
    lh_writer_bytes(layout->writer, text, length);
    layout->column += length;
}

static void put_line_break(struct layout *layout)
{
    lh_writer_u8(layout->writer, '\n');
    layout->column = 0;
}

static void indent(struct layout *layout)
{
    while (layout->column < layout->indent) {
        put(layout, " ", 1);
    }
}

static void put_words(struct layout *layout, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (layout->column > layout->indent && layout->column + 1 + length > WIDTH) {
            put_line_break(layout);
        } else if (layout->column > layout->indent) {
            put(layout, " ", 1);
        }
        indent(layout);
        put(layout, text, length);
        text += length;
        text += strspn(text, " ");
    }
}

static void format_left(const struct lh_option *row, char *text, size_t size)
{
    char letter[] = {'-', row->letter, ',', ' ', '\0'};
    const char *placeholder = row->placeholder != NULL ? row->placeholder : "VALUE";
    bool value = row->type != LH_OPTION_FLAG;
    snprintf(text, size, "  %s--%s%s%s", row->letter != 0 ? letter : "    ", row->name, value ? " " : "",
             value ? placeholder : "");
}

/* One of the remarks in brackets behind the help. */
static void put_remark(struct layout *layout, bool *first, const char *remark)
{
    char text[160];
    snprintf(text, sizeof text, "%s%s", *first ? "(" : "", remark);
    if (!*first) {
        put(layout, ";", 1);
    }
    put_words(layout, text);
    *first = false;
}

static void put_remarks(struct layout *layout, const struct lh_option *row)
{
    bool first = true;
    char text[128];
    bool number = row->type == LH_OPTION_INTEGER || row->type == LH_OPTION_NUMBER;
    if (number) {
        snprintf(text, sizeof text, "%.15g to %.15g", row->minimum, row->maximum);
        put_remark(layout, &first, text);
    }
    for (size_t i = 0; row->choices != NULL && row->choices[i] != NULL; i++) {
        put_remark(layout, &first, row->choices[i]);
    }
    if (row->standard != NULL) {
        snprintf(text, sizeof text, "default: %s", row->standard);
        put_remark(layout, &first, text);
    }
    if (row->repeatable) {
        put_remark(layout, &first, "may be repeated");
    }
    if (row->variable != NULL) {
        snprintf(text, sizeof text, "environment: %s", row->variable);
        put_remark(layout, &first, text);
    }
    if (!first) {
        put(layout, ")", 1);
    }
}

static size_t left_width(const struct lh_option_table *table)
{
    size_t widest = strlen("  -h, --help");
    for (size_t i = 0; i < table->count; i++) {
        char left[LEFT_SIZE];
        format_left(&table->rows[i], left, sizeof left);
        size_t width = strlen(left);
        widest = width > widest && width <= LEFT_MAX ? width : widest;
    }
    return widest;
}

static void put_row(struct layout *layout, const struct lh_option *row)
{
    char left[LEFT_SIZE];
    format_left(row, left, sizeof left);
    put(layout, left, strlen(left));
    if (layout->column + 2 > layout->indent) {
        put_line_break(layout);
    }
    indent(layout);
    put_words(layout, row->help);
    put_remarks(layout, row);
    put_line_break(layout);
}

void lh_options_help(const struct lh_option_table *table, const char *program, struct lh_writer *writer)
{
    static const struct lh_option help = {
        .name = "help", .letter = 'h', .type = LH_OPTION_FLAG, .help = "show this text"};
    struct layout layout = {.writer = writer};
    bool letter_taken = false;
    put(&layout, "Usage: ", strlen("Usage: "));
    put(&layout, program, strlen(program));
    put(&layout, " ", 1);
    put(&layout, table->usage, strlen(table->usage));
    put_line_break(&layout);
    put_line_break(&layout);
    put(&layout, table->summary, strlen(table->summary));
    put_line_break(&layout);
    put_line_break(&layout);
    put(&layout, "Options:", strlen("Options:"));
    put_line_break(&layout);
    layout.indent = left_width(table) + 2;
    for (size_t i = 0; i < table->count; i++) {
        put_row(&layout, &table->rows[i]);
        letter_taken = letter_taken || table->rows[i].letter == help.letter;
    }
    struct lh_option last = help;
    if (letter_taken) {
        last.letter = '\0';
    }
    put_row(&layout, &last);
}
