/* SPDX-License-Identifier: MIT */
/* Runs every plugin of the bundles that are named, each in a process of its own: half a second of noise and notes at
   48 kHz in chunks of 1024. One line for each: what happened, the time, the ports, the URI.

   usage: survey_tool [-s SECONDS] [-u PART-OF-URI] BUNDLE/... */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "engine/host/host.h"

#define RATE 48000u
#define QUANTUM 1024u
#define TIME_LIMIT_S 60u

static struct engine_watch_slot *slot;

static const char *phase_name(uint32_t phase)
{
    static const char *const names[] = {"outside", "load", "restore", "activate", "run", "work", "free"};
    return phase < sizeof names / sizeof *names ? names[phase] : "?";
}

/* Noise at -12 dBFS, the same for every plugin. */
static float noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(int32_t)*state * (0.25f / 2147483648.0f);
}

static void fill(struct engine_plugin *plugin, uint32_t *state)
{
    for (uint32_t i = 0; i < engine_plugin_audio_inputs(plugin); i++) {
        float *input = engine_plugin_audio_input(plugin, i);
        for (uint32_t k = 0; k < QUANTUM; k++) {
            input[k] = noise(state);
        }
    }
}

static void measure(const struct engine_plugin *plugin, float *peak)
{
    for (uint32_t i = 0; i < engine_plugin_audio_outputs(plugin); i++) {
        const float *output = engine_plugin_audio_output(plugin, i);
        for (uint32_t k = 0; k < QUANTUM; k++) {
            float level = output[k] < 0 ? -output[k] : output[k];
            *peak = level > *peak ? level : *peak;
        }
    }
}

/* In the child: prints what came of it. */
static int run(struct engine_host *host, const char *uri, double seconds)
{
    struct lh_error error = LH_ERROR_INIT;
    struct engine_plugin_config config = {.uri = uri,
                                          .sample_rate = RATE,
                                          .quantum = QUANTUM,
                                          .preset = "",
                                          .state = "",
                                          .folder = "",
                                          .scratch = "/tmp"};
    struct engine_plugin *plugin;
    uint64_t begin = lh_clock_monotonic_ns();
    if (engine_plugin_new(host, &config, slot, GRAPH_NONE, &plugin, &error) != LH_OK) {
        printf("%s: %s", lh_status_text(error.code), error.message);
        return 1;
    }
    uint64_t made = lh_clock_monotonic_ns();
    uint64_t busy = 0;
    uint32_t state = 1;
    float peak = 0;
    int64_t fault = 0;
    int64_t end = (int64_t)(seconds * RATE);
    const struct engine_position position = {.bpm = 120, .numerator = 4, .denominator = 4};
    for (int64_t frame = 0; frame < end; frame += QUANTUM) {
        fill(plugin, &state);
        const struct graph_event on = {.frame = frame + 10, .size = 3, .bytes = {0x90, 60, 100}};
        const struct engine_plugin_chunk chunk = {.frame = frame,
                                                  .frames = QUANTUM,
                                                  .events = &on,
                                                  .event_count = frame == 0 ? 1 : 0,
                                                  .position = frame == 0 ? &position : NULL};
        uint64_t before = lh_clock_monotonic_ns();
        if (engine_plugin_run(plugin, &chunk, slot, GRAPH_NONE, &fault, &error) != LH_OK) {
            printf("%s: %s, frame %lld", lh_status_text(error.code), error.message, (long long)fault);
            return 1;
        }
        busy += lh_clock_monotonic_ns() - before;
        measure(plugin, &peak);
    }
    printf("ran: peak %.3g, latency %u, %.1f ns/frame, made in %.1f ms, %u+%u>%u%s", (double)peak,
           engine_plugin_latency(plugin), (double)busy / (double)end, (double)(made - begin) / 1e6,
           engine_plugin_audio_inputs(plugin), engine_plugin_sidechain_inputs(plugin),
           engine_plugin_audio_outputs(plugin), engine_plugin_takes_notes(plugin) ? ", notes" : "");
    fflush(stdout);
    engine_plugin_free(plugin, slot, GRAPH_NONE);
    return 0;
}

static bool survey(struct engine_host *host, const char *uri, double seconds)
{
    fflush(stdout);
    memset(slot, 0, sizeof *slot);
    pid_t child = fork();
    if (child == 0) {
        alarm(TIME_LIMIT_S);
        int status = run(host, uri, seconds);
        fflush(stdout);
        _exit(status);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        printf("signal %d (%s) in %s", WTERMSIG(status), strsignal(WTERMSIG(status)), phase_name(slot->phase));
    } else if (WEXITSTATUS(status) > 1) {
        printf("exit status %d in %s", WEXITSTATUS(status), phase_name(slot->phase));
    }
    printf("\t%s\n", uri);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
    double seconds = 0.5;
    int first = 1;
    const char *part = "";
    for (; first + 1 < argc && argv[first][0] == '-'; first += 2) {
        if (strcmp(argv[first], "-s") == 0) {
            seconds = strtod(argv[first + 1], NULL);
        } else if (strcmp(argv[first], "-u") == 0) {
            part = argv[first + 1];
        }
    }
    struct lh_error error = LH_ERROR_INIT;
    struct engine_host *host;
    slot = mmap(NULL, sizeof *slot, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (slot == MAP_FAILED || engine_host_new((const char *const *)(const void *)(argv + first), (size_t)(argc - first),
                                              NULL, &host, &error) != LH_OK) {
        fprintf(stderr, "survey_tool: %s\n", error.message);
        return 2;
    }
    size_t ran = 0;
    size_t tried = 0;
    for (size_t i = 0; i < engine_host_count(host); i++) {
        if (strstr(engine_host_uri(host, i), part) != NULL) {
            ran += survey(host, engine_host_uri(host, i), seconds) ? 1 : 0;
            tried++;
        }
    }
    printf("%zu of %zu ran\n", ran, tried);
    engine_host_free(host);
    return 0;
}
