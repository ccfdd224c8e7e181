/* SPDX-License-Identifier: MIT */
/* Rows of the option tables that commands share, and how a request is read from them. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "cli/session.h"
#include "common/base/options.h"

#define CLI_THREADS_MAX 256

#define CLI_ROW_THREADS                                                                                                \
    {                                                                                                                  \
        .name = "threads", .type = LH_OPTION_INTEGER, .placeholder = "N", .minimum = 1, .maximum = CLI_THREADS_MAX,    \
        .help = "Threads to render with; the result is the same for any number. Standard: one for each processor"      \
    }
#define CLI_ROW_BLOCK                                                                                                  \
    {                                                                                                                  \
        .name = "block", .type = LH_OPTION_INTEGER, .placeholder = "FRAMES", .minimum = 64,                            \
        .maximum = ENGINE_BLOCK_MAX,                                                                                   \
        .help = "Frames rendered at a time, a multiple of the project's quantum; the result is the same for any. "     \
                "Standard: chosen for the processor's cache"                                                           \
    }
#define CLI_ROW_REPORT                                                                                                 \
    {                                                                                                                  \
        .name = "report", .type = LH_OPTION_TEXT, .placeholder = "FILE",                                               \
        .help = "Write a JSON report of what was delivered, or of what is wrong, to FILE; - is standard output"        \
    }
#define CLI_ROW_PROGRESS                                                                                               \
    {                                                                                                                  \
        .name = "progress", .type = LH_OPTION_TEXT, .placeholder = "HOW", .choices = cli_progress_names,               \
        .standard = "auto",                                                                                            \
        .help = "Progress on standard error: a bar if that is a terminal, plain lines, JSON lines, or none"            \
    }
#define CLI_ROWS_CACHE                                                                                                 \
    {.name = "cache",                                                                                                  \
     .type = LH_OPTION_TEXT,                                                                                           \
     .placeholder = "DIR",                                                                                             \
     .variable = "LOOPHOLE_CACHE",                                                                                     \
     .help = "Folder that keeps finished deliverables, and what plugins gave on the way to them: what is there under " \
             "the same render key is not rendered again"},                                                             \
        {.name = "cache-max",                                                                                          \
         .type = LH_OPTION_NUMBER,                                                                                     \
         .placeholder = "GIB",                                                                                         \
         .variable = "LOOPHOLE_CACHE_MAX",                                                                             \
         .minimum = 0,                                                                                                 \
         .maximum = 1e6,                                                                                               \
         .standard = "20",                                                                                             \
         .help = "The most that the cache may take; what was of no use for the longest goes. 0: any"},                 \
    {                                                                                                                  \
        .name = "no-cache", .type = LH_OPTION_FLAG, .help = "No cache, even if LOOPHOLE_CACHE names one"               \
    }
#define CLI_ROW_JAIL                                                                                                   \
    {                                                                                                                  \
        .name = "jail", .type = LH_OPTION_TEXT, .placeholder = "WHETHER", .choices = cli_jail_names, .standard = "on", \
        .help = "Plugins and media are run where they can do no harm; off is for debugging them"                       \
    }
#define CLI_ROW_DIGESTS                                                                                                \
    {                                                                                                                  \
        .name = "digests", .type = LH_OPTION_FLAG,                                                                     \
        .help = "Hash the sources; put their digests and the render keys into the report"                              \
    }

extern const char *const cli_jail_names[]; /* NULL at the end */

/* What the rows of the same names say. */
enum cli_progress_mode cli_settings_progress(const struct lh_options *options);
bool cli_settings_no_jail(const struct lh_options *options);
/* Reads the shared rows into `request`, which is otherwise left alone. */
void cli_settings_read(const struct lh_options *options, struct cli_request *request);

/* The values of --set and of --deliverable. LH_ERR_USAGE when one makes no sense. */
LH_NODISCARD enum lh_status cli_settings_overrides(struct lh_arena *arena, const struct lh_options *options,
                                                   struct pulse_override **overrides, size_t *count,
                                                   struct lh_error *error);
LH_NODISCARD enum lh_status cli_settings_only(struct lh_arena *arena, const struct lh_options *options,
                                              struct pulse_compile_options *compile, struct lh_error *error);

/* Splits LEFT=RIGHT at `equals`, which points into `text`; the left is a copy in the arena. LH_ERR_USAGE when `equals`
   is NULL; `row` is the option's name, for the message. */
LH_NODISCARD enum lh_status cli_settings_split(struct lh_arena *arena, const char *row, const char *text,
                                               const char *equals, const char **left, const char **right,
                                               struct lh_error *error);

#endif
