/* SPDX-License-Identifier: MIT */
/* A line is composed on the stack and leaves by one write, so that lines of several threads and processes that share a
   descriptor never mix. */
#include "common/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TIME_SIZE 40
#define NUMBER_SIZE 24
#define ESCAPE_SIZE 8
#define MORE "..."

static const char *speaker = "";
static enum lh_log_level loudest = LH_LOG_INFO;
static int output = STDERR_FILENO;

static const char *const levels[] = {"error", "warning", "info", "debug"};
#define LEVELS (sizeof levels / sizeof *levels)

void lh_log_open(const char *program, enum lh_log_level level, int fd)
{
    speaker = program;
    loudest = level;
    output = fd;
}

bool lh_log_level_parse(const char *text, enum lh_log_level *level)
{
    for (size_t i = 0; i < LEVELS; i++) {
        if (strcmp(text, levels[i]) == 0) {
            *level = (enum lh_log_level)i;
            return true;
        }
    }
    return false;
}

const char *lh_log_level_text(enum lh_log_level level)
{
    return levels[level];
}

/* Room for "..." and the line's end is always left. */
struct line {
    char text[LH_LOG_LINE_MAX];
    size_t used;
    bool full;
};

static void append(struct line *line, const char *text, size_t length)
{
    if (line->full || length > sizeof line->text - sizeof MORE - line->used) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->used, text, length);
    line->used += length;
}

static void append_text(struct line *line, const char *text)
{
    append(line, text, strlen(text));
}

static bool is_word(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte <= ' ' || byte == '"' || byte == '=' || byte == '\\' || byte >= 0x7F) {
            return false;
        }
    }
    return true;
}

static void append_quoted(struct line *line, const char *text)
{
    append(line, "\"", 1);
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        char escape[ESCAPE_SIZE];
        if (byte == '\n') {
            append_text(line, "\\n");
        } else if (byte < ' ' || byte == 0x7F) {
            snprintf(escape, sizeof escape, "\\u%04x", byte);
            append_text(line, escape);
        } else {
            append(line, "\\", byte == '"' || byte == '\\' ? 1 : 0);
            append(line, at, 1);
        }
    }
    append(line, "\"", 1);
}

static void append_value(struct line *line, const char *text)
{
    if (is_word(text)) {
        append_text(line, text);
    } else {
        append_quoted(line, text);
    }
}

static void append_field(struct line *line, const struct lh_log_field *field)
{
    char number[NUMBER_SIZE];
    const char *value = number;
    if (field->type == LH_LOG_UNSIGNED_VALUE) {
        snprintf(number, sizeof number, "%" PRIu64, field->number);
    } else if (field->type == LH_LOG_SIGNED_VALUE) {
        snprintf(number, sizeof number, "%" PRId64, field->integer);
    } else if (field->text == NULL || *field->text == '\0') {
        return;
    } else {
        value = field->text;
    }
    append(line, " ", 1);
    append_text(line, field->name);
    append(line, "=", 1);
    append_value(line, value);
}

static void append_time(struct line *line)
{
    struct timespec now;
    struct tm date;
    char text[TIME_SIZE] = "";
    char milliseconds[ESCAPE_SIZE];
    clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &date) != NULL) {
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &date);
    }
    append_text(line, text);
    snprintf(milliseconds, sizeof milliseconds, ".%03uZ ", (unsigned)(now.tv_nsec / 1000000) % 1000u);
    append_text(line, milliseconds);
}

void lh_log_write(enum lh_log_level level, const char *what, const struct lh_log_field *fields, size_t count)
{
    if (level > loudest) {
        return;
    }
    struct line line = {.used = 0};
    append_time(&line);
    append_text(&line, levels[level]);
    if (*speaker != '\0') {
        append(&line, " ", 1);
        append_value(&line, speaker);
    }
    append(&line, " ", 1);
    append_quoted(&line, what);
    for (size_t i = 0; i < count; i++) {
        append_field(&line, &fields[i]);
    }
    memcpy(line.text + line.used, line.full ? MORE "\n" : "\n", line.full ? sizeof MORE : 1);
    line.used += line.full ? sizeof MORE : 1;
    int before = errno;
    while (write(output, line.text, line.used) < 0 && errno == EINTR) {
    }
    errno = before;
}
