/* SPDX-License-Identifier: MIT */
/* Tenants by name, for commands that take one. */
#ifndef CLI_TENANTS_H
#define CLI_TENANTS_H

#include "cli/farm.h"

#define CLI_ROW_TENANT                                                                                                 \
    {                                                                                                                  \
        .name = "tenant", .type = LH_OPTION_TEXT, .placeholder = "NAME",                                               \
        .help = "Whose: a tenant by its name. Standard: the tenant of who asks"                                        \
    }

/* The number of the tenant that --tenant names; 0: it is not given. LH_ERR_MISSING: there is no such tenant. */
LH_NODISCARD enum lh_status cli_tenant_find(struct cli_farm *farm, struct lh_arena *arena,
                                            const struct lh_options *options, uint64_t *tenant, struct lh_error *error);

#endif
