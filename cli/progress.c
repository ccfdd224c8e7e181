/* SPDX-License-Identifier: MIT */
/* Progress: bar, lines, JSON lines. */
#include "cli/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/event.h"
#include "common/base/clock.h"

#define TEXT_SIZE 512
#define COLUMNS_STANDARD 80
#define COLUMNS_MAX 400
#define BAR_MIN 10
#define BAR_INTERVAL_NS (LH_CLOCK_SECOND_NS / 10)
#define LINE_INTERVAL_NS LH_CLOCK_SECOND_NS
#define JSON_INTERVAL_NS (LH_CLOCK_SECOND_NS / 20)
#define RATE_WARM_UP_SECONDS 0.05 /* before that a rate says nothing */

const char *const cli_progress_names[] = {"auto", "plain", "json", "none", NULL};

static double seconds_between(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns <= from_ns ? 0 : (double)(to_ns - from_ns) / (double)LH_CLOCK_SECOND_NS;
}

struct cli_progress_figures cli_progress_measure(uint64_t done, uint64_t total, uint64_t frames, uint32_t sample_rate,
                                                 double elapsed)
{
    struct cli_progress_figures figures = {
        .done = done < total ? done : total, .total = total, .frames = frames, .seconds_left = -1};
    if (elapsed >= RATE_WARM_UP_SECONDS && sample_rate > 0) {
        figures.x_realtime = (double)frames / sample_rate / elapsed;
        if (figures.done > 0) {
            figures.seconds_left = elapsed * (double)(total - figures.done) / (double)figures.done;
        }
    }
    return figures;
}

static unsigned percent(const struct cli_progress_figures *figures)
{
    return figures->total == 0 ? 0 : (unsigned)(100.0 * (double)figures->done / (double)figures->total);
}

void cli_progress_plain(const struct cli_progress_figures *figures, char *text, size_t size)
{
    int used = snprintf(text, size, "%u %%", percent(figures));
    if (figures->x_realtime > 0 && used > 0 && (size_t)used < size) {
        used += snprintf(text + used, size - (size_t)used,
                         figures->x_realtime < 10 ? ", %.1fx realtime" : ", %.0fx realtime", figures->x_realtime);
    }
    if (figures->seconds_left >= 0 && used > 0 && (size_t)used < size) {
        double left = ceil(figures->seconds_left);
        if (left < 60) {
            snprintf(text + used, size - (size_t)used, ", %.0f s left", left);
        } else {
            snprintf(text + used, size - (size_t)used, ", %.0f:%02.0f left", floor(left / 60), fmod(left, 60));
        }
    }
}

void cli_progress_bar(const struct cli_progress_figures *figures, unsigned columns, char *text, size_t size)
{
    char plain[TEXT_SIZE];
    cli_progress_plain(figures, plain, sizeof plain);
    size_t around = strlen(plain) + 3; /* brackets and a space */
    size_t width = columns > around ? columns - around : 0;
    width = width > (size_t)COLUMNS_STANDARD / 2 ? (size_t)COLUMNS_STANDARD / 2 : width;
    if (width < BAR_MIN || around + width >= size) {
        snprintf(text, size, "%.*s", (int)columns, plain);
        return;
    }
    size_t full = figures->total == 0 ? 0 : (size_t)((double)width * (double)figures->done / (double)figures->total);
    text[0] = '[';
    memset(text + 1, '#', full);
    memset(text + 1 + full, '-', width - full);
    snprintf(text + 1 + width, size - 1 - width, "] %s", plain);
}

static void tell_json(const struct cli_progress_figures *figures)
{
    struct cli_event event;
    cli_event_begin(&event, "progress");
    lh_json_put_integer(&event.emitter, "done", (int64_t)figures->done);
    lh_json_put_integer(&event.emitter, "total", (int64_t)figures->total);
    lh_json_put_integer(&event.emitter, "frames", (int64_t)figures->frames);
    lh_json_put_real(&event.emitter, "xRealtime",
                     figures->x_realtime > 0 ? figures->x_realtime : NAN); /* null while not known */
    lh_json_put_real(&event.emitter, "secondsLeft", figures->seconds_left >= 0 ? figures->seconds_left : NAN);
    cli_event_end(&event);
}

static void tell_first_block(double seconds)
{
    struct cli_event event;
    cli_event_begin(&event, "firstBlock");
    lh_json_put_real(&event.emitter, "seconds", seconds);
    cli_event_end(&event);
}

static unsigned terminal_columns(void)
{
    struct winsize window;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) {
        return COLUMNS_STANDARD;
    }
    return window.ws_col < COLUMNS_MAX ? window.ws_col : COLUMNS_MAX;
}

void cli_progress_init(struct cli_progress *progress, enum cli_progress_mode mode, uint32_t sample_rate,
                       uint64_t begun_ns)
{
    *progress = (struct cli_progress){
        .mode = mode,
        .bar = mode == CLI_PROGRESS_AUTO && isatty(STDERR_FILENO) == 1,
        .sample_rate = sample_rate,
        .begun_ns = begun_ns,
        .render_ns = lh_clock_monotonic_ns(),
    };
}

void cli_progress_tell(struct cli_progress *progress, const struct engine_progress *now)
{
    if (progress->mode == CLI_PROGRESS_NONE || (progress->mode == CLI_PROGRESS_AUTO && !progress->bar)) {
        return;
    }
    uint64_t first_block = atomic_load_explicit(&now->first_block_ns, memory_order_relaxed);
    if (progress->mode == CLI_PROGRESS_JSON && first_block != 0 && !progress->first_block_told) {
        tell_first_block(seconds_between(progress->begun_ns, first_block));
        progress->first_block_told = true;
    }
    uint64_t time = lh_clock_monotonic_ns();
    uint64_t interval = progress->bar                         ? BAR_INTERVAL_NS
                        : progress->mode == CLI_PROGRESS_JSON ? JSON_INTERVAL_NS
                                                              : LINE_INTERVAL_NS;
    uint64_t total = atomic_load_explicit(&now->total, memory_order_relaxed);
    if (total == 0 || time - (progress->told_ns != 0 ? progress->told_ns : progress->render_ns) < interval) {
        return;
    }
    progress->told_ns = time;
    struct cli_progress_figures figures =
        cli_progress_measure(atomic_load_explicit(&now->done, memory_order_relaxed), total,
                             atomic_load_explicit(&now->frames, memory_order_relaxed), progress->sample_rate,
                             seconds_between(progress->render_ns, time));
    char text[TEXT_SIZE];
    if (progress->mode == CLI_PROGRESS_JSON) {
        tell_json(&figures);
    } else if (progress->bar) {
        cli_progress_bar(&figures, terminal_columns() - 1, text, sizeof text);
        fprintf(stderr, "\r%s\033[K", text);
    } else {
        cli_progress_plain(&figures, text, sizeof text);
        fprintf(stderr, "%s\n", text);
    }
}

void cli_progress_clear(const struct cli_progress *progress)
{
    if (progress->bar) {
        fputs("\r\033[K", stderr);
    }
}

void cli_progress_end(enum cli_progress_mode mode, uint64_t begun_ns, int exit_status)
{
    if (mode == CLI_PROGRESS_JSON) {
        struct cli_event event;
        cli_event_begin(&event, exit_status == 0 ? "done" : "failed");
        lh_json_put_integer(&event.emitter, "exitStatus", exit_status);
        lh_json_put_real(&event.emitter, "seconds", seconds_between(begun_ns, lh_clock_monotonic_ns()));
        cli_event_end(&event);
    }
}
