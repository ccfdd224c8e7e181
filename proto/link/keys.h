/* SPDX-License-Identifier: MIT */
/* CURVE keys: a pair names a peer on endpoints that are not local. A key file is one line of text,
   "loophole-curve PUBLIC SECRET\n", both in Z85, readable by its owner alone. Any thread. */
#ifndef WIRE_LINK_KEYS_H
#define WIRE_LINK_KEYS_H

#include <stdbool.h>

#include "common/base/status.h"

#define WIRE_KEY_SIZE 41 /* 40 characters of Z85 and a NUL */

struct wire_keys {
    char public_key[WIRE_KEY_SIZE];
    char secret_key[WIRE_KEY_SIZE];
};

/* A new pair. LH_ERR_UNSUPPORTED: this libzmq has no CURVE. */
LH_NODISCARD enum lh_status wire_keys_generate(struct wire_keys *keys, struct lh_error *error);
/* Writes the file with mode 0600; one that is there already is not touched. LH_ERR_IO. */
LH_NODISCARD enum lh_status wire_keys_save(const struct wire_keys *keys, const char *path, struct lh_error *error);
/* LH_ERR_MISSING: no such file; LH_ERR_INVALID: others may read it, or its keys are no pair; LH_ERR_IO. */
LH_NODISCARD enum lh_status wire_keys_load(const char *path, struct wire_keys *keys, struct lh_error *error);
/* The pair of the file, made first if there is none. */
LH_NODISCARD enum lh_status wire_keys_ensure(const char *path, struct wire_keys *keys, struct lh_error *error);

/* Whether that is a key by its form. */
bool wire_key_valid(const char *text);

#endif
