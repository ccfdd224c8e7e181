/* SPDX-License-Identifier: MIT */
/* Names for the system calls that end a jailed process. */
#include <sys/syscall.h>

#include "engine/instance/jail.h"
#include "engine/instance/jail_calls.h"

const char *engine_jail_hostile_name(uint64_t number)
{
#define CALL(call) {#call, SYS_##call},
    static const struct {
        const char *name;
        uint64_t number;
    } calls[] = {ENGINE_JAIL_HOSTILE(CALL)};
#undef CALL
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (calls[i].number == number) {
            return calls[i].name;
        }
    }
    return NULL;
}
