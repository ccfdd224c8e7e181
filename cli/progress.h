/* SPDX-License-Identifier: MIT */
/* How far a render has come, on standard error: a bar, lines for people, or JSON lines for programs. One thread. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/run/render.h"

enum cli_progress_mode {
    CLI_PROGRESS_AUTO = 0, /* a bar when standard error is a terminal, else only the summary at the end */
    CLI_PROGRESS_PLAIN,    /* a line every second */
    CLI_PROGRESS_JSON,     /* an object a line (cli/event.h) */
    CLI_PROGRESS_NONE,     /* nothing, and no summary */
};

/* The names as the option has them, in the order of the modes, NULL at the end. */
extern const char *const cli_progress_names[];

/* Looked at once, told as it is. */
struct cli_progress_figures {
    uint64_t done, total, frames;
    double x_realtime;   /* 0 while not known */
    double seconds_left; /* negative while not known */
};

struct cli_progress {
    enum cli_progress_mode mode;
    bool bar; /* AUTO on a terminal */
    uint32_t sample_rate;
    uint64_t begun_ns; /* of the program: what firstBlock counts from */
    uint64_t render_ns, told_ns;
    bool first_block_told;
};

void cli_progress_init(struct cli_progress *progress, enum cli_progress_mode mode, uint32_t sample_rate,
                       uint64_t begun_ns);
/* Tells it if it is time to. */
void cli_progress_tell(struct cli_progress *progress, const struct engine_progress *now);
/* Takes the bar away. */
void cli_progress_clear(const struct cli_progress *progress);
/* As JSON: the last line, how it ended. */
void cli_progress_end(enum cli_progress_mode mode, uint64_t begun_ns, int exit_status);

/* Pure: what the modes write. `figures` after `elapsed` seconds of rendering. */
struct cli_progress_figures cli_progress_measure(uint64_t done, uint64_t total, uint64_t frames, uint32_t sample_rate,
                                                 double elapsed);
/* "52 %, 148x realtime, 3 s left" */
void cli_progress_plain(const struct cli_progress_figures *figures, char *text, size_t size);
/* The same behind a bar, `columns` wide at most. */
void cli_progress_bar(const struct cli_progress_figures *figures, unsigned columns, char *text, size_t size);

#endif
