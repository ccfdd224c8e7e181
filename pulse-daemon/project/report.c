/* SPDX-License-Identifier: MIT */
/* Findings: collected in the order of the checks, delivered in the order of the document. */
#include "pulse-daemon/project/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUOTED_MAX 80u          /* bytes of a quoted text; the rest is cut */
#define COMPARISONS_MAX 200000u /* names compared for suggestions: well below a second, even for long ones */
#define POINTER_SIZE 1024u

void pulse_report_init(struct pulse_report *report, struct lh_arena *arena)
{
    *report = (struct pulse_report){.arena = arena};
}

static bool grow(struct pulse_report *report)
{
    if (report->stored < report->capacity) {
        return true;
    }
    size_t capacity = report->capacity == 0 ? 16 : report->capacity * 2;
    struct pulse_finding *items = lh_arena_array(report->arena, capacity, sizeof *items);
    if (items == NULL) {
        return false;
    }
    if (report->stored > 0) {
        memcpy(items, report->items, report->stored * sizeof *items);
    }
    report->items = items;
    report->capacity = capacity;
    return true;
}

void pulse_report_at(struct pulse_report *report, const struct lh_json *at, const char *format, ...)
{
    report->count++;
    if (report->stored >= LH_FAULTS_MAX) {
        return;
    }
    char text[LH_ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char *message = lh_arena_strdup(report->arena, text);
    if (message == NULL || !grow(report)) {
        report->out_of_memory = true;
        return;
    }
    report->items[report->stored] = (struct pulse_finding){.at = at, .sequence = report->count, .message = message};
    report->stored++;
}

/* The way from the root to a value, as positions in each parent. Values nest no deeper than the JSON reader allows. */
static size_t path_of(const struct lh_json *value, size_t *path)
{
    size_t depth = 0;
    for (const struct lh_json *at = value; at != NULL && at->parent != NULL; at = at->parent) {
        depth++;
    }
    size_t i = depth < LH_JSON_DEPTH_MAX ? depth : LH_JSON_DEPTH_MAX;
    size_t skip = depth - i;
    for (const struct lh_json *at = value; at != NULL && at->parent != NULL; at = at->parent) {
        if (skip > 0) {
            skip--;
        } else {
            path[--i] = at->index;
        }
    }
    return depth < LH_JSON_DEPTH_MAX ? depth : LH_JSON_DEPTH_MAX;
}

/* Document order: a parent before what is in it, then by position, then as found. */
static int compare_findings(const void *left, const void *right)
{
    const struct pulse_finding *a = left;
    const struct pulse_finding *b = right;
    size_t a_path[LH_JSON_DEPTH_MAX];
    size_t b_path[LH_JSON_DEPTH_MAX];
    size_t a_depth = path_of(a->at, a_path);
    size_t b_depth = path_of(b->at, b_path);
    for (size_t i = 0; i < a_depth && i < b_depth; i++) {
        if (a_path[i] != b_path[i]) {
            return a_path[i] < b_path[i] ? -1 : 1;
        }
    }
    if (a_depth != b_depth) {
        return a_depth < b_depth ? -1 : 1;
    }
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence ? 1 : 0;
}

static bool is_control(char byte)
{
    return (unsigned char)byte < 0x20 || byte == 0x7f;
}

enum lh_status pulse_report_deliver(struct pulse_report *report, struct lh_faults *faults)
{
    if (report->out_of_memory) {
        return LH_ERR_NO_MEMORY;
    }
    if (report->count == 0) {
        return LH_OK;
    }
    qsort(report->items, report->stored, sizeof *report->items, compare_findings);
    for (size_t i = 0; i < report->stored; i++) {
        char pointer[POINTER_SIZE];
        lh_json_pointer(report->items[i].at, pointer, sizeof pointer);
        for (char *byte = pointer; *byte != '\0'; byte++) {
            *byte = is_control(*byte) ? '?' : *byte;
        }
        lh_faults_add(faults, LH_ERR_INVALID, pointer, "%s", report->items[i].message);
    }
    faults->count += report->count - report->stored;
    return faults->out_of_memory ? LH_ERR_NO_MEMORY : LH_ERR_INVALID;
}

const char *pulse_report_quote(struct pulse_report *report, const char *text)
{
    size_t length = strlen(text);
    bool cut = length > QUOTED_MAX;
    if (cut) {
        length = QUOTED_MAX;
        while (length > 0 && ((unsigned char)text[length] & 0xc0u) == 0x80u) {
            length--; /* never in the middle of a UTF-8 character */
        }
    }
    char *quoted = lh_arena_alloc(report->arena, length + sizeof "\"...\"");
    if (quoted == NULL) {
        report->out_of_memory = true;
        return "\"\"";
    }
    char *out = quoted;
    *out++ = '"';
    for (size_t i = 0; i < length; i++) {
        *out++ = is_control(text[i]) ? '?' : text[i];
    }
    memcpy(out, cut ? "...\"" : "\"", cut ? sizeof "...\"" : sizeof "\"");
    return quoted;
}

const char *pulse_report_suggest(struct pulse_report *report, const char *text, const char *const *names, size_t count)
{
    if (report->stored >= LH_FAULTS_MAX || count > COMPARISONS_MAX - report->comparisons) {
        return ""; /* nobody reads that far, and a hostile document must not buy time here */
    }
    report->comparisons += count;
    const char *nearest = lh_nearest_name(text, names, count);
    if (nearest == NULL) {
        return "";
    }
    const char *quoted = pulse_report_quote(report, nearest);
    static const char before[] = "; did you mean ";
    char *suggestion = lh_arena_alloc(report->arena, sizeof before + strlen(quoted) + 1);
    if (suggestion == NULL) {
        report->out_of_memory = true;
        return "";
    }
    memcpy(suggestion, before, sizeof before - 1);
    memcpy(suggestion + sizeof before - 1, quoted, strlen(quoted));
    suggestion[sizeof before - 1 + strlen(quoted)] = '?';
    return suggestion;
}
