/* SPDX-License-Identifier: MIT */
/* Friendly plugins with more than ports: a state (numbers and a file), a worker. */
#include <lv2/state/state.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/plugins/friendly.lv2/friendly.h"

#define TAPS_KEY "urn:loophole:test:taps"
#define FILE_KEY "urn:loophole:test:file"
#define TAPS 4

struct vector {
    LV2_Atom_Vector_Body head;
    float taps[TAPS];
};

static const void *feature_data(const LV2_Feature *const *features, const char *uri)
{
    for (; features != NULL && *features != NULL; features++)
        if (strcmp((*features)->URI, uri) == 0)
            return (*features)->data;
    return NULL;
}

static void free_path(const LV2_Feature *const *features, char *path)
{
    const LV2_State_Free_Path *freer = feature_data(features, LV2_STATE__freePath);
    if (freer != NULL)
        freer->free_path(freer->handle, path);
    else
        free(path);
}

static LV2_State_Status save(LV2_Handle handle, LV2_State_Store_Function store, LV2_State_Handle state, uint32_t flags,
                             const LV2_Feature *const *features)
{
    (void)flags;
    const struct friendly *self = handle;
    struct vector vector = {.head = {sizeof(float), friendly_urid(self, LV2_ATOM__Float)}};
    memcpy(vector.taps, self->taps, sizeof(vector.taps));
    LV2_State_Status status = store(state, friendly_urid(self, TAPS_KEY), &vector, sizeof(vector),
                                    friendly_urid(self, LV2_ATOM__Vector), LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE);
    const LV2_State_Map_Path *map = feature_data(features, LV2_STATE__mapPath);
    if (status != LV2_STATE_SUCCESS || self->path[0] == '\0' || map == NULL)
        return status;
    char *path = map->abstract_path(map->handle, self->path);
    if (path == NULL)
        return LV2_STATE_ERR_UNKNOWN;
    status = store(state, friendly_urid(self, FILE_KEY), path, strlen(path) + 1, friendly_urid(self, LV2_ATOM__Path),
                   LV2_STATE_IS_POD);
    free_path(features, path);
    return status;
}

/* The number that a text file starts with. */
static LV2_State_Status read_factor(struct friendly *self, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return LV2_STATE_ERR_UNKNOWN;
    char text[32] = "";
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[size] = '\0';
    self->factor = strtof(text, NULL);
    snprintf(self->path, sizeof(self->path), "%s", path);
    return LV2_STATE_SUCCESS;
}

static LV2_State_Status restore(LV2_Handle handle, LV2_State_Retrieve_Function retrieve, LV2_State_Handle state,
                                uint32_t flags, const LV2_Feature *const *features)
{
    (void)flags;
    struct friendly *self = handle;
    size_t size = 0;
    uint32_t type = 0, how = 0;
    const struct vector *vector = retrieve(state, friendly_urid(self, TAPS_KEY), &size, &type, &how);
    if (vector != NULL && type == friendly_urid(self, LV2_ATOM__Vector) && size == sizeof(*vector))
        memcpy(self->taps, vector->taps, sizeof(self->taps));
    const char *stored = retrieve(state, friendly_urid(self, FILE_KEY), &size, &type, &how);
    if (stored == NULL)
        return LV2_STATE_SUCCESS;
    if (type != friendly_urid(self, LV2_ATOM__Path))
        return LV2_STATE_ERR_BAD_TYPE;
    const LV2_State_Map_Path *map = feature_data(features, LV2_STATE__mapPath);
    if (map == NULL)
        return LV2_STATE_ERR_NO_FEATURE;
    char *path = map->absolute_path(map->handle, stored);
    if (path == NULL)
        return LV2_STATE_ERR_UNKNOWN;
    LV2_State_Status status = read_factor(self, path);
    free_path(features, path);
    return status;
}

static const void *state_interface(const char *uri)
{
    static const LV2_State_Interface interface = {save, restore};
    return strcmp(uri, LV2_STATE__interface) == 0 ? &interface : NULL;
}

/* Silent until a state is restored: a host that forgets the default state is heard. */
static LV2_Handle instantiate_state(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                                    const LV2_Feature *const *features)
{
    struct friendly *self = friendly_instantiate(descriptor, rate, bundle, features);
    if (self != NULL)
        self->factor = 1;
    return self;
}

static void state_holder(LV2_Handle handle, uint32_t frames)
{
    struct friendly *self = handle;
    float trim = friendly_value(self, 2);
    for (uint32_t i = 0; i < frames; i++) {
        memmove(self->value + 1, self->value, (TAPS - 1) * sizeof(float));
        self->value[0] = friendly_in(self, 0)[i];
        float sum = 0;
        for (size_t tap = 0; tap < TAPS; tap++)
            sum += self->value[tap] * self->taps[tap];
        friendly_out(self, 1)[i] = sum * self->factor * trim;
    }
}

static LV2_Worker_Status work(LV2_Handle handle, LV2_Worker_Respond_Function respond, LV2_Worker_Respond_Handle to,
                              uint32_t size, const void *data)
{
    (void)handle;
    const uint32_t *question = data;
    if (size != sizeof(*question))
        return LV2_WORKER_ERR_UNKNOWN;
    uint32_t answer[2] = {*question, 2};
    return respond(to, sizeof(answer), answer);
}

static LV2_Worker_Status work_response(LV2_Handle handle, uint32_t size, const void *body)
{
    struct friendly *self = handle;
    const uint32_t *answer = body;
    if (size != 2 * sizeof(*answer))
        return LV2_WORKER_ERR_UNKNOWN;
    self->factor = (float)answer[1];
    self->value[1]++;
    return LV2_WORKER_SUCCESS;
}

static const void *worker_interface(const char *uri)
{
    static const LV2_Worker_Interface interface = {work, work_response, NULL};
    return strcmp(uri, LV2_WORKER__interface) == 0 ? &interface : NULL;
}

static void activate_worker(LV2_Handle handle)
{
    struct friendly *self = handle;
    friendly_activate(self);
    self->factor = 1;
}

static void worker_doubler(LV2_Handle handle, uint32_t frames)
{
    struct friendly *self = handle;
    for (uint32_t i = 0; i < frames; i++)
        friendly_out(self, 1)[i] = friendly_in(self, 0)[i] * self->factor;
    *friendly_out(self, 2) = self->value[1];
    uint32_t question = self->count;
    self->count += frames > 0 ? 1 : 0; /* a host may run it for no frames, to let its worker settle */
    if (self->schedule != NULL && frames > 0)
        self->schedule->schedule_work(self->schedule->handle, sizeof(question), &question);
}

const LV2_Descriptor friendly_states[] = {
    FRIENDLY_WITH("state-holder", instantiate_state, friendly_activate, state_holder, state_interface),
    FRIENDLY_WITH("worker-doubler", friendly_instantiate, activate_worker, worker_doubler, worker_interface),
    {0},
};
