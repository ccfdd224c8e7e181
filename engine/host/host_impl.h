/* SPDX-License-Identifier: MIT */
/* What host.c and plugin.c share. */
#ifndef ENGINE_HOST_HOST_IMPL_H
#define ENGINE_HOST_HOST_IMPL_H

#include "engine/host/provider.h"

struct engine_host {
    const struct engine_provider *provider;
    struct engine_provider_world *world;
};

#endif
