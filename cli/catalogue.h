/* SPDX-License-Identifier: MIT */
/* The catalogue of plugins (engine/catalogue) as the commands use it: it heeds signals, and finds what people mean. */
#ifndef CLI_CATALOGUE_H
#define CLI_CATALOGUE_H

#include "engine/catalogue/catalogue.h"
#include "inventory/near.h"

/* engine_catalogue_init(); a signal ends what is waited for. */
LH_NODISCARD enum lh_status cli_catalogue_init(struct lh_arena *arena, const char *project_folder,
                                               struct engine_catalogue *catalogue, struct lh_error *error);
/* The one plugin that somebody means by `text` (inventory/near.h). LH_ERR_MISSING: there is none, or there are several;
   the message names some. The catalogue is complete. */
LH_NODISCARD enum lh_status cli_catalogue_choose(struct engine_catalogue *catalogue, const char *text, size_t *entry,
                                                 struct lh_error *error);

#endif
