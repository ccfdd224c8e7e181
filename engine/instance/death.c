/* SPDX-License-Identifier: MIT */
/* Reading the page of a dead child: who was inside which plugin, and what of it is worth telling. Nothing on the page
   is believed beyond its bounds: a plugin may have written all over it. */
#include "engine/instance/death.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "engine/instance/jail.h"

#define NAMED_MAX 3   /* plugins and places that a message names */
#define URI_SHOWN 160 /* bytes */
#define PREDICATE_SIZE 160
#define NEARLY(bytes) ((bytes) - (bytes) / 16)
#define MIB (UINT64_C(1) << 20)

/* One slot, as it was left. */
struct suspect {
    uint32_t phase, node;
    int64_t frame;
    int signal, exit_called;
    uint64_t address;
};

struct suspects {
    struct suspect all[ENGINE_WATCH_SLOTS];
    uint32_t count;
    bool sure; /* it is written down that it was the first */
};

static struct suspect look_at(const struct engine_watch_slot *slot)
{
    return (struct suspect){
        .phase = atomic_load_explicit(&slot->phase, memory_order_relaxed),
        .node = atomic_load_explicit(&slot->node, memory_order_relaxed),
        .frame = atomic_load_explicit(&slot->frame, memory_order_relaxed),
        .signal = atomic_load_explicit(&slot->signal, memory_order_relaxed),
        .exit_called = atomic_load_explicit(&slot->exit_called, memory_order_relaxed),
        .address = atomic_load_explicit(&slot->address, memory_order_relaxed),
    };
}

/* Whoever's end is written down, or else everyone who was inside. */
static void find(const struct engine_death *death, const struct engine_watch *watch, struct suspects *suspects)
{
    for (uint32_t i = 0; i < ENGINE_WATCH_SLOTS; i++) {
        struct suspect one = look_at(&watch->slots[i]);
        bool written =
            death->kind == ENGINE_DEATH_HANG ? (int)i == death->number : one.exit_called > 0 || one.signal > 0;
        if (written) {
            suspects->all[0] = one;
            suspects->count = 1;
            suspects->sure = true;
            return;
        }
        if (one.phase != ENGINE_WATCH_OUTSIDE) {
            suspects->all[suspects->count++] = one;
        }
    }
}

__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static const char *uri_of(const struct engine_scene *scene, uint32_t node)
{
    const struct graph *graph = scene->graph;
    if (graph == NULL) {
        return scene->uri;
    }
    if (node >= graph->node_count || graph->nodes[node].kind != GRAPH_NODE_PLUGIN) {
        return "of unknown name";
    }
    return graph->plugins[graph->inserts[graph->nodes[node].insert].plugin].uri;
}

/* "the plugin A", "one of the plugins A, B and 2 others". */
static void write_plugins(const char *const *uris, size_t shown, size_t count, char *text, size_t size)
{
    append(text, size, count == 1 ? "the plugin " : "one of the plugins ");
    for (size_t i = 0; i < shown; i++) {
        const char *between = i == 0 ? "" : i + 1 == count ? " and " : ", ";
        append(text, size, "%s%.*s", between, URI_SHOWN, uris[i]);
    }
    if (count > shown) {
        append(text, size, " and %zu other%s", count - shown, count - shown == 1 ? "" : "s");
    }
}

/* Is this worker the first that was inside its plugin? */
static bool is_first(const struct suspects *suspects, const struct engine_scene *scene, uint32_t index)
{
    const char *uri = uri_of(scene, suspects->all[index].node);
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(uri_of(scene, suspects->all[i].node), uri) == 0) {
            return false;
        }
    }
    return true;
}

static void write_suspects(const struct suspects *suspects, const struct engine_scene *scene, char *text, size_t size)
{
    const char *uris[NAMED_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < suspects->count; i++) {
        if (is_first(suspects, scene, i)) {
            if (count < NAMED_MAX) {
                uris[count] = uri_of(scene, suspects->all[i].node);
            }
            count++;
        }
    }
    write_plugins(uris, count < NAMED_MAX ? count : NAMED_MAX, count, text, size);
}

/* "track kick, node comp, frame 4711; ..." */
static void write_places(const struct suspects *suspects, const struct engine_scene *scene, char *text, size_t size)
{
    for (uint32_t i = 0; i < suspects->count && i < NAMED_MAX; i++) {
        const struct suspect *one = &suspects->all[i];
        const char *label =
            scene->graph != NULL && one->node < scene->graph->node_count ? scene->graph->nodes[one->node].label : NULL;
        bool runs = one->phase == ENGINE_WATCH_RUN || one->phase == ENGINE_WATCH_WORK ||
                    one->phase == ENGINE_WATCH_OUTSIDE; /* has just run */
        const char *between = text[0] != '\0' && (label != NULL || runs) ? "; " : "";
        append(text, size, "%s%s", between, label != NULL ? label : "");
        if (runs) {
            append(text, size, "%sframe %lld", label != NULL ? ", " : "", (long long)one->frame);
        }
    }
}

static const char *phase_words(uint32_t phase)
{
    switch ((enum engine_watch_phase)phase) {
    case ENGINE_WATCH_LOAD:
        return " while it was loaded";
    case ENGINE_WATCH_RESTORE:
        return " while its preset or state was restored";
    case ENGINE_WATCH_ACTIVATE:
        return " while it was activated";
    case ENGINE_WATCH_WORK:
        return " in its worker";
    case ENGINE_WATCH_FREE:
        return " while it was freed";
    case ENGINE_WATCH_OUTSIDE:
        return " right after it returned";
    case ENGINE_WATCH_RUN:
        break;
    }
    return "";
}

/* The C++ library's last words, or hardly any address space left. */
static bool ran_out_of_memory(const struct engine_death *death, const struct engine_scene *scene)
{
    uint64_t used = atomic_load_explicit(&scene->page->address_space, memory_order_relaxed);
    return strstr(death->words, "bad_alloc") != NULL ||
           (scene->memory_bytes > 0 && used >= NEARLY(scene->memory_bytes));
}

static bool is_crash(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE || number == SIGABRT ||
           number == SIGTRAP;
}

static void write_signal(const struct engine_death *death, const struct engine_scene *scene,
                         const struct suspect *suspect, int number, char *text, size_t size)
{
    const char *name = strsignal(number);
    if (number == SIGSYS) {
        const char *call = engine_jail_hostile_name(suspect->address);
        append(text, size, "was killed by the jail: a forbidden system call%s%s%s", call != NULL ? " (" : "",
               call != NULL ? call : "", call != NULL ? ")" : "");
    } else if (ran_out_of_memory(death, scene)) {
        append(text, size, "ran out of memory: signal %d (%s)", number, name);
        if (scene->memory_bytes > 0) {
            append(text, size, ", with %llu MiB of address space", (unsigned long long)(scene->memory_bytes / MIB));
        }
    } else if (number == SIGKILL) {
        append(text, size, "was running when signal %d (%s) ended it, perhaps for want of memory", number, name);
    } else if (!is_crash(number)) {
        append(text, size, "was running when signal %d (%s) ended it", number, name);
    } else {
        append(text, size, "crashed: signal %d (%s)", number, name);
        if (suspect->signal > 0 && (number == SIGSEGV || number == SIGBUS)) {
            append(text, size, " at address 0x%llx", (unsigned long long)suspect->address);
        }
    }
}

/* What the plugin did. */
static void write_deed(const struct engine_death *death, const struct engine_scene *scene,
                       const struct suspect *suspect, char *text, size_t size)
{
    if (death->kind == ENGINE_DEATH_HANG) {
        bool whole = scene->hang_ms % 1000 == 0;
        append(text, size, "hangs: one call took longer than %u %s", whole ? scene->hang_ms / 1000 : scene->hang_ms,
               whole ? "s" : "ms");
    } else if (suspect->exit_called > 0) {
        append(text, size, "ended the process: exit(%d)", suspect->exit_called - 1);
    } else if (suspect->signal > 0) {
        write_signal(death, scene, suspect, suspect->signal, text, size);
    } else if (death->kind == ENGINE_DEATH_SIGNAL) {
        write_signal(death, scene, suspect, death->number, text, size);
    } else if (death->kind == ENGINE_DEATH_EXIT) {
        append(text, size, "ended the process with exit status %d", death->number);
    } else {
        append(text, size, "garbled the conversation of the signal instance, which was killed");
    }
}

/* Nobody was inside a plugin, yet there are some, and threads that they may have started. */
static void write_guess(const struct engine_scene *scene, char *text, size_t size)
{
    const char *uris[NAMED_MAX];
    size_t count = scene->graph != NULL ? scene->graph->plugin_count : 1;
    size_t shown = count < NAMED_MAX ? count : NAMED_MAX;
    for (size_t i = 0; i < shown; i++) {
        uris[i] = scene->graph != NULL ? scene->graph->plugins[i].uri : scene->uri;
    }
    append(text, size, ", outside of every plugin's call; perhaps by ");
    write_plugins(uris, shown, count, text, size);
}

static void write_plainly(const struct engine_death *death, char *text, size_t size)
{
    switch (death->kind) {
    case ENGINE_DEATH_SIGNAL:
        append(text, size, "the signal instance was killed by signal %d (%s)", death->number, strsignal(death->number));
        break;
    case ENGINE_DEATH_EXIT:
        append(text, size, "the signal instance ended by itself with exit status %d", death->number);
        break;
    case ENGINE_DEATH_BROKE_OFF:
        append(text, size, "the signal instance broke off the conversation and was killed");
        break;
    case ENGINE_DEATH_NONSENSE:
        append(text, size, "the signal instance gave an answer that makes no sense and was killed");
        break;
    case ENGINE_DEATH_HANG:
        append(text, size, "the signal instance hung and was killed");
        break;
    }
}

enum lh_status engine_death_tell(const struct engine_death *death, const struct engine_scene *scene,
                                 struct lh_error *error)
{
    char text[LH_ERROR_MESSAGE_SIZE + PREDICATE_SIZE] = "";
    char where[LH_ERROR_WHERE_SIZE] = "";
    struct suspects suspects = {.count = 0};
    int stray = 0;
    if (scene != NULL) {
        find(death, &scene->page->watch, &suspects);
        stray = atomic_load_explicit(&scene->page->watch.stray_signal, memory_order_relaxed);
    }
    bool has_plugins = scene != NULL && (scene->graph == NULL || scene->graph->plugin_count > 0);
    if (suspects.sure || (suspects.count > 0 && stray <= 0)) {
        write_suspects(&suspects, scene, text, sizeof text);
        append(text, sizeof text, " ");
        write_deed(death, scene, &suspects.all[0], text, sizeof text);
        append(text, sizeof text, "%s", suspects.count == 1 ? phase_words(suspects.all[0].phase) : "");
        write_places(&suspects, scene, where, sizeof where);
    } else {
        write_plainly(death, text, sizeof text);
        if (has_plugins) {
            write_guess(scene, text, sizeof text);
        }
    }
    const char *before = death->words[0] != '\0' ? "; its last words: " : "";
    return lh_error_set(error, LH_ERR_CRASHED, where, "%s%s%s", text, before, death->words);
}
