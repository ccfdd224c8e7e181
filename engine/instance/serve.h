/* SPDX-License-Identifier: MIT */
/* The child's side of the conversation: answers questions until the parent is gone. */
#ifndef ENGINE_INSTANCE_SERVE_H
#define ENGINE_INSTANCE_SERVE_H

#include "common/base/status.h"

struct engine_serving {
    int socket;
    const char *scratch; /* folder that plugins may write files to, or NULL */
    const char *jail;    /* what to say of the jail: "off" */
};

/* Says hello on the socket, then serves. Returns LH_OK when the parent has closed it between two messages; anything
   else means that the conversation broke. */
LH_NODISCARD enum lh_status engine_instance_serve(const struct engine_serving *serving, struct lh_error *error);

/* The CPU's class as it enters render keys: "x86-64-v3", or "generic" where there are no such classes. Static. */
const char *engine_instance_own_cpu_class(void);

#endif
