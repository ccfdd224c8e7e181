/* SPDX-License-Identifier: MIT */
/* The jail of a signal instance, which shuts itself in before it looks at anything from outside: media and plugins are
   hostile. From then on, whatever code runs in the process:

   - no privileges: no capabilities, and none to be had (no_new_privs);
   - files (Landlock): the system's libraries, shared data and a few of its devices can be read, and what is named in
     `readable`; only the scratch folder can be written. Descriptors that the parent sends are as they were opened;
   - no network, no other sockets, no signals to others, no new processes or programs (Landlock, and seccomp by the
     allow-list of jail_calls.h). A denied call fails with EPERM; one that no plugin has a good reason for ends the
     process by SIGSYS;
   - bounded address space and stacks, no core files; first in line when the machine runs out of memory.

   A sanitizer takes what address space it wants: under one it is not bounded. */
#ifndef ENGINE_INSTANCE_JAIL_H
#define ENGINE_INSTANCE_JAIL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ENGINE_JAIL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ENGINE_JAIL_SANITIZED 1
#endif
#endif
#ifndef ENGINE_JAIL_SANITIZED
#define ENGINE_JAIL_SANITIZED 0
#endif

struct engine_jail {
    const char *const *readable; /* absolute paths of folders and files; those that are not there are passed over */
    size_t readable_count;
    const char *scratch;   /* folder, or NULL */
    uint64_t memory_bytes; /* of address space; 0: not bounded */
};

/* Applied to the whole process, for good; call it before there are threads. `note` (ENGINE_JAIL_NOTE_SIZE) gets what
   holds: "seccomp, landlock 7". A kernel without Landlock is told there and is no failure. LH_ERR_UNSUPPORTED: the
   system has no such jail; LH_ERR_IO. */
#define ENGINE_JAIL_NOTE_SIZE 128
LH_NODISCARD enum lh_status engine_jail_enter(const struct engine_jail *jail, char *note, struct lh_error *error);

/* What engine_jail_enter() is made of. */
LH_NODISCARD enum lh_status engine_jail_files(const struct engine_jail *jail, char *note, struct lh_error *error);
LH_NODISCARD enum lh_status engine_jail_filter(struct lh_error *error);

/* The name of a system call that ends the process, NULL: none of those. Any process. */
const char *engine_jail_hostile_name(uint64_t number);

#endif
