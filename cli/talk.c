/* SPDX-License-Identifier: MIT */
/* Messages on standard error. */
#include "cli/talk.h"

#include <stdio.h>
#include <string.h>

#include "cli/event.h"

#define LINE_SIZE 4096
#define ESCAPE_SIZE 4 /* "\x1b" */

void cli_talk_clean(const char *text, char *clean, size_t size)
{
    size_t used = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        /* C1 controls are two bytes in UTF-8, the first 0xC2. */
        bool c1 = at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0;
        bool control = *at < 0x20 || *at == 0x7F || c1;
        if (used + (control ? ESCAPE_SIZE : 1) >= size) {
            break;
        }
        if (control) {
            at += c1 ? 1 : 0;
            snprintf(clean + used, size - used, "\\x%02x", *at);
            used += ESCAPE_SIZE;
        } else {
            clean[used++] = (char)*at;
        }
    }
    clean[used] = '\0';
}

static void say(const char *text)
{
    char clean[LINE_SIZE];
    cli_talk_clean(text, clean, sizeof clean);
    fprintf(stderr, "%s\n", clean);
}

void cli_talk_error(const char *command, const struct lh_error *error)
{
    char line[LINE_SIZE];
    const char *message = error->message[0] != '\0' ? error->message : lh_status_text(error->code);
    snprintf(line, sizeof line, "loophole: %s%s%s", error->where, error->where[0] != '\0' ? ": " : "", message);
    say(line);
    if (error->code == LH_ERR_USAGE) {
        fprintf(stderr, "Try 'loophole %s%s--help'.\n", command != NULL ? command : "", command != NULL ? " " : "");
    }
}

void cli_talk_faults(const char *subject, const struct lh_faults *faults)
{
    char line[LINE_SIZE];
    for (size_t i = 0; i < faults->stored; i++) {
        const struct lh_fault *fault = &faults->items[i];
        snprintf(line, sizeof line, "%s: %s%s%s", subject, fault->where, fault->where[0] != '\0' ? ": " : "",
                 fault->message);
        say(line);
    }
    if (faults->count > faults->stored) {
        fprintf(stderr, "... and %zu more faults\n", faults->count - faults->stored);
    }
}

void cli_tell_error(enum cli_progress_mode mode, const char *command, const struct lh_error *error)
{
    if (mode == CLI_PROGRESS_JSON) {
        cli_event_error(error);
    } else {
        cli_talk_error(command, error);
    }
}

void cli_tell_faults(enum cli_progress_mode mode, const char *subject, const struct lh_faults *faults)
{
    if (mode == CLI_PROGRESS_JSON) {
        cli_event_faults(faults);
    } else {
        cli_talk_faults(subject, faults);
    }
}
