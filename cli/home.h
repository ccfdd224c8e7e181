/* SPDX-License-Identifier: MIT */
/* Where the farm of this machine lives, as its clients see it: the data folder of Pulse.

       token                the token of whoever may read this folder
       run/clients.ipc ...  where Pulse listens; the folder is for its user alone
       run/up.lock          held by the `loophole up` that looks after it
       workers/N            what worker node N keeps

   $XDG_DATA_HOME/loophole unless the command says another one. */
#ifndef CLI_HOME_H
#define CLI_HOME_H

#include "common/base/arena.h"
#include "common/base/options.h"

#define CLI_ROW_DATA                                                                                                   \
    {                                                                                                                  \
        .name = "data", .type = LH_OPTION_TEXT, .placeholder = "DIR", .variable = "LOOPHOLE_DATA",                     \
        .help = "The farm's data folder. Standard: loophole in $XDG_DATA_HOME or ~/.local/share"                       \
    }

#define CLI_TOKEN_SIZE 256 /* with its NUL */

struct cli_home {
    const char *folder; /* absolute */
    const char *token_file;
};

/* From the options' row "data". Makes nothing. LH_ERR_LIMIT: a path too long for sockets beneath it. */
LH_NODISCARD enum lh_status cli_home_find(struct lh_arena *arena, const struct lh_options *options,
                                          struct cli_home *home, struct lh_error *error);
/* FOLDER/NAME in the arena, NULL when memory is out. */
char *cli_home_path(struct lh_arena *arena, const struct cli_home *home, const char *name);
/* "ipc://FOLDER/run/NAME.ipc", the same. */
char *cli_home_endpoint(struct lh_arena *arena, const struct cli_home *home, const char *name);
/* Makes the folder and those above it, for this user alone. LH_ERR_IO. */
LH_NODISCARD enum lh_status cli_home_make(const struct cli_home *home, struct lh_error *error);
/* LH_ERR_UNAVAILABLE when there is no token: no farm was ever started here. */
LH_NODISCARD enum lh_status cli_home_token(const struct cli_home *home, char token[CLI_TOKEN_SIZE],
                                           struct lh_error *error);

#endif
