/* SPDX-License-Identifier: MIT */
/* Hosts: which plugins there are. LV2 is the one provider so far. */
#include "engine/host/host.h"

#include <stdlib.h>

#include "engine/host/host_impl.h"

enum lh_status engine_host_new(const char *const *bundles, size_t count, const char *const *specs,
                               struct engine_host **host, struct lh_error *error)
{
    struct engine_host *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->provider = &engine_provider_lv2;
    enum lh_status status = made->provider->open(bundles, count, specs, &made->world, error);
    if (status != LH_OK) {
        free(made);
        return status;
    }
    *host = made;
    return LH_OK;
}

void engine_host_free(struct engine_host *host)
{
    if (host != NULL) {
        host->provider->close(host->world);
        free(host);
    }
}

size_t engine_host_count(const struct engine_host *host)
{
    return host->provider->count(host->world);
}

const char *engine_host_uri(const struct engine_host *host, size_t index)
{
    return host->provider->uri(host->world, index);
}

enum lh_status engine_host_describe(struct engine_host *host, const char *uri, struct lh_arena *arena,
                                    struct graph_plugin_facts *facts, struct lh_error *error)
{
    return host->provider->describe(host->world, uri, arena, facts, error);
}

enum lh_status engine_host_audio_ports(struct engine_host *host, const char *uri, uint32_t *inputs, uint32_t *outputs,
                                       struct lh_error *error)
{
    const struct graph_plugin_facts *facts;
    enum lh_status status = host->provider->facts(host->world, uri, &facts, error);
    if (status == LH_OK) {
        *inputs = graph_plugin_audio_inputs(facts);
        *outputs = graph_plugin_audio_outputs(facts);
    }
    return status;
}

const char *engine_host_libraries(void)
{
    return engine_provider_lv2.libraries;
}
