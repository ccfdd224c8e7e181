/* SPDX-License-Identifier: MIT */
/* What the commands need of the catalogue beside what a worker node does. */
#include "cli/catalogue.h"

#include <stdio.h>

#include "cli/interrupt.h"

#define CHOICES_TOLD 5

static bool go_on(void *context)
{
    (void)context;
    return !cli_interrupted();
}

enum lh_status cli_catalogue_init(struct lh_arena *arena, const char *project_folder,
                                  struct engine_catalogue *catalogue, struct lh_error *error)
{
    enum lh_status status = engine_catalogue_init(arena, project_folder, catalogue, error);
    catalogue->go_on = go_on;
    return status;
}

static enum lh_status refuse_none(const struct engine_catalogue *catalogue, const char *text, struct lh_error *error)
{
    const char *near[INVENTORY_NEAR_MAX];
    inventory_index_near(catalogue->index, text, near);
    if (near[0] == NULL) {
        return lh_error_set(error, LH_ERR_MISSING, text,
                            "no such plugin is installed; 'loophole plugins list' shows those that are");
    }
    return lh_error_set(error, LH_ERR_MISSING, text, "no such plugin is installed; did you mean %s%s%s%s%s?", near[0],
                        near[1] != NULL ? " or " : "", near[1] != NULL ? near[1] : "", near[2] != NULL ? " or " : "",
                        near[2] != NULL ? near[2] : "");
}

static enum lh_status refuse_several(const struct engine_catalogue *catalogue, const char *text, const size_t *entries,
                                     size_t count, struct lh_error *error)
{
    char list[LH_ERROR_MESSAGE_SIZE] = "";
    size_t used = 0;
    for (size_t i = 0; i < count && i < CHOICES_TOLD && used < sizeof list; i++) {
        int length = snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                              inventory_index_uri(catalogue->index, entries[i]));
        used += length > 0 ? (size_t)length : 0;
    }
    return lh_error_set(error, LH_ERR_MISSING, text, "%zu plugins have that in their URI or name: %s%s", count, list,
                        count > CHOICES_TOLD ? ", ..." : "");
}

enum lh_status cli_catalogue_choose(struct engine_catalogue *catalogue, const char *text, size_t *entry,
                                    struct lh_error *error)
{
    size_t entries[CHOICES_TOLD];
    size_t count = inventory_index_match(catalogue->index, text, entries, CHOICES_TOLD);
    if (count == 0) {
        return refuse_none(catalogue, text, error);
    }
    if (count > 1) {
        return refuse_several(catalogue, text, entries, count, error);
    }
    *entry = entries[0];
    return LH_OK;
}
