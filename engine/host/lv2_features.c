/* SPDX-License-Identifier: MIT */
/* The features, in the order of what real plugins ask for. Never here: instance-access, data-access and anything of
   user interfaces. */
#include "engine/host/lv2_features.h"

#include <errno.h>
#include <fcntl.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/resize-port/resize-port.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/host/lv2_ports.h"

bool engine_lv2_features_known(const char *uri)
{
    static const char *const known[] = {
        LV2_URID__map,           LV2_URID__unmap,
        LV2_OPTIONS__options,    LV2_BUF_SIZE__boundedBlockLength,
        LV2_WORKER__schedule,    LV2_STATE__loadDefaultState,
        LV2_STATE__mapPath,      LV2_STATE__makePath,
        LV2_STATE__freePath,     LV2_STATE__threadSafeRestore, /* nothing else runs while a state is restored */
        LV2_STATE__interface,                                  /* some list what they offer as what they need */
        LV2_WORKER__interface,   LV2_LOG__log,
        LV2_CORE__inPlaceBroken, /* inputs and outputs never share memory */
        LV2_CORE__hardRTCapable, LV2_CORE__isLive,
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(uri, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

LV2_LOG_FUNC(3, 0)
static int keep_complaint(LV2_Log_Handle handle, LV2_URID type, const char *format, va_list arguments)
{
    struct engine_lv2_features *features = handle;
    bool serious = type == features->words->log_error || type == features->words->log_warning;
    if (!serious || atomic_flag_test_and_set_explicit(&features->complaining, memory_order_acquire)) {
        return 0;
    }
    int length = vsnprintf(features->complaint, sizeof features->complaint, format, arguments);
    features->complaint[strcspn(features->complaint, "\r\n")] = '\0';
    atomic_flag_clear_explicit(&features->complaining, memory_order_release);
    return length;
}

LV2_LOG_FUNC(3, 4)
static int log_printf(LV2_Log_Handle handle, LV2_URID type, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = keep_complaint(handle, type, format, arguments);
    va_end(arguments);
    return length;
}

LV2_LOG_FUNC(3, 0)
static int log_vprintf(LV2_Log_Handle handle, LV2_URID type, const char *format, va_list arguments)
{
    return keep_complaint(handle, type, format, arguments);
}

static char *join(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    bool slash = length > 0 && folder[length - 1] != '/';
    size_t size = length + strlen(path) + 2;
    char *joined = malloc(size);
    if (joined != NULL) {
        snprintf(joined, size, "%s%s%s", folder, slash ? "/" : "", path);
    }
    return joined;
}

/* access() does not ask the jail. */
static bool is_readable(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static char *absolute_path(LV2_State_Map_Path_Handle handle, const char *path)
{
    struct engine_lv2_paths *paths = handle;
    char *absolute = *path == '/' || *path == '\0' ? strdup(path)
                     : paths->inner != NULL        ? paths->inner->absolute_path(paths->inner->handle, path)
                                                   : join(paths->folder, path);
    if (absolute != NULL && *absolute != '\0' && paths->unreadable[0] == '\0' && !is_readable(absolute)) {
        snprintf(paths->unreadable, sizeof paths->unreadable, "%s", absolute);
    }
    return absolute;
}

/* States are read here, never written. */
static char *abstract_path(LV2_State_Map_Path_Handle handle, const char *path)
{
    (void)handle;
    return strdup(path);
}

/* A path for a new file beneath the scratch folder, the folders before it made; NULL: none, as LV2 has no other way to
   say that it cannot be. */
static char *make_path(LV2_State_Make_Path_Handle handle, const char *path)
{
    const struct engine_lv2_paths *paths = handle;
    if (paths->scratch == NULL || strstr(path, "..") != NULL) {
        return NULL;
    }
    char *made = join(paths->scratch, path);
    if (made == NULL) {
        return NULL;
    }
    for (char *slash = strchr(made + strlen(paths->scratch) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool there = mkdir(made, 0700) == 0 || errno == EEXIST;
        *slash = '/';
        if (!there) {
            free(made);
            return NULL;
        }
    }
    return made;
}

static void free_path(LV2_State_Free_Path_Handle handle, char *path)
{
    (void)handle;
    free(path);
}

static void fill_options(struct engine_lv2_features *features, const struct engine_plugin_config *config)
{
    const struct engine_lv2_vocabulary *words = features->words;
    features->sample_rate = (float)config->sample_rate;
    features->block_minimum = 1;
    features->block_maximum = (int32_t)config->quantum;
    features->sequence_bytes = (int32_t)ENGINE_LV2_EVENTS_CAPACITY;
    const struct {
        LV2_URID key, type;
        const void *value;
    } rows[] = {
        {words->param_sample_rate, words->atom_float, &features->sample_rate},
        {words->bufsz_minimum, words->atom_int, &features->block_minimum},
        {words->bufsz_maximum, words->atom_int, &features->block_maximum},
        {words->bufsz_nominal, words->atom_int, &features->block_maximum},
        {words->bufsz_sequence, words->atom_int, &features->sequence_bytes},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        features->options[i] =
            (LV2_Options_Option){LV2_OPTIONS_INSTANCE, 0, rows[i].key, 4, rows[i].type, rows[i].value};
    }
}

void engine_lv2_features_init(struct engine_lv2_features *features, struct engine_lv2_urids *urids,
                              const struct engine_plugin_config *config, struct engine_lv2_worker *worker, bool live)
{
    *features = (struct engine_lv2_features){.words = engine_lv2_urids_vocabulary(urids)};
    atomic_flag_clear(&features->complaining);
    fill_options(features, config);
    features->paths =
        (struct engine_lv2_paths){.folder = config->folder != NULL ? config->folder : "", .scratch = config->scratch};
    features->map = *engine_lv2_urids_map(urids);
    features->unmap = *engine_lv2_urids_unmap(urids);
    features->schedule = (LV2_Worker_Schedule){worker, engine_lv2_worker_schedule};
    features->log = (LV2_Log_Log){features, log_printf, log_vprintf};
    features->map_path = (LV2_State_Map_Path){&features->paths, abstract_path, absolute_path};
    features->make_path = (LV2_State_Make_Path){&features->paths, make_path};
    features->free_path = (LV2_State_Free_Path){&features->paths, free_path};
    const struct {
        const char *uri;
        void *data;
        bool given, when_restoring;
    } rows[] = {
        {LV2_URID__map, &features->map, true, true},
        {LV2_URID__unmap, &features->unmap, true, true},
        {LV2_OPTIONS__options, features->options, true, true},
        {LV2_BUF_SIZE__boundedBlockLength, NULL, true, false},
        {LV2_WORKER__schedule, &features->schedule, worker != NULL, false},
        {LV2_LOG__log, &features->log, true, true},
        {LV2_STATE__loadDefaultState, NULL, true, false},
        {LV2_STATE__mapPath, &features->map_path, true, true},
        {LV2_STATE__makePath, &features->make_path, config->scratch != NULL, true},
        {LV2_STATE__freePath, &features->free_path, true, true},
        {LV2_STATE__threadSafeRestore, NULL, true, false},
        {LV2_CORE__isLive, NULL, live, false},
    };
    size_t given = 0;
    size_t restoring = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        features->items[i] = (LV2_Feature){rows[i].uri, rows[i].data};
        if (rows[i].given) {
            features->instance[given++] = &features->items[i];
        }
        if (rows[i].given && rows[i].when_restoring) {
            features->restore[restoring++] = &features->items[i];
        }
    }
}
