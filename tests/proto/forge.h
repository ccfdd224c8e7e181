/* SPDX-License-Identifier: MIT */
/* Messages as bytes, written by hand from the table of limits and not by protobuf-c: whole ones with every field, bare
   ones with what is required, and such in which one field breaks one rule. */
#ifndef TESTS_PROTO_FORGE_H
#define TESTS_PROTO_FORGE_H

#include <stdbool.h>

#include "common/base/bytes.h"
#include "proto/limit.h"

enum forge_spoil {
    FORGE_WHOLE = 0,
    FORGE_TOO_LONG,  /* a text or bytes */
    FORGE_TOO_SHORT, /* the same */
    FORGE_LONGEST,   /* nothing wrong */
    FORGE_SHORTEST,  /* nothing wrong */
    FORGE_NO_UTF8,
    FORGE_CONTROL, /* an escape character */
    FORGE_UPWARDS, /* ".." */
    FORGE_TOO_LOW,
    FORGE_TOO_HIGH,
    FORGE_TOO_WIDE, /* more bits than the type has */
    FORGE_NO_NUMBER,
    FORGE_MANY,     /* as many as allowed: nothing wrong */
    FORGE_TOO_MANY, /* or twice what may stand once */
    FORGE_MISSING,
    FORGE_WRONG_TYPE,
    FORGE_JUNK, /* of a message: bytes that are no fields */
    FORGE_SPOILS,
};

struct forge {
    bool bare;
    unsigned body; /* index of the envelope's body among its fields */
    /* What is spoiled: the first time that this field of this message is written. */
    enum forge_spoil spoil;
    const struct wire_limits *message;
    unsigned field;
    bool done; /* it came to that */
};

/* Whether that can be done to the field. */
bool forge_applies(enum forge_spoil spoil, const struct wire_limits *message, unsigned field);
/* What is to come of it. */
enum lh_status forge_expected(enum forge_spoil spoil);
/* An envelope. */
void forge_envelope(struct forge *forge, struct lh_writer *writer);
/* The number of the first body in the envelope's fields; those behind it are bodies too. */
unsigned forge_first_body(void);
/* A field with this number and these bytes. */
void forge_bytes(struct lh_writer *writer, unsigned number, const void *data, size_t size);
void forge_varint(struct lh_writer *writer, uint64_t value);

#endif
