/* SPDX-License-Identifier: MIT */
/* Status codes and the error a user gets to see. */
#ifndef LH_BASE_STATUS_H
#define LH_BASE_STATUS_H

#include <stdarg.h>
#include <stddef.h>

/* A call's result must be looked at. */
#define LH_NODISCARD __attribute__((warn_unused_result))
#define LH_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))

/* What a fallible function returns. Outputs are written last and left untouched on failure. */
enum lh_status {
    LH_OK = 0,
    LH_ERR_NO_MEMORY,   /* an allocation failed */
    LH_ERR_USAGE,       /* the command line or a call's arguments are wrong */
    LH_ERR_INVALID,     /* a project (or one of its values) breaks the format's rules */
    LH_ERR_MISSING,     /* a medium or plugin is not there or cannot be read */
    LH_ERR_FORMAT,      /* bytes from outside are malformed: media, encoded graph, message */
    LH_ERR_LIMIT,       /* a size, count or depth is past its documented limit */
    LH_ERR_UNSUPPORTED, /* well formed, but not something that this build can do */
    LH_ERR_IO,          /* reading or writing failed; errno is told in the message */
    LH_ERR_FAULT,       /* a node produced NaN, Inf or an overload (audio contract: named faults) */
    LH_ERR_CRASHED,     /* a child process died or hung */
    LH_ERR_CANCELLED,   /* interrupted on request */
    LH_ERR_UNAVAILABLE, /* what is needed does not answer now (a database that restarts): trying again may help */
    LH_ERR_TAKEN_OVER,  /* another Pulse leads this store now; this one has nothing more to say */
    LH_ERR_CONFLICT,    /* what was to be changed has changed meanwhile */
    LH_ERR_INTERNAL,    /* an invariant of ours is broken */
    LH_ERR_QUOTA,       /* a tenant may not keep more than it does: others have room */
};
#define LH_STATUS_LAST LH_ERR_QUOTA

/* The name of a status in plain English, never NULL. Total over the enum. */
const char *lh_status_text(enum lh_status status);

#define LH_ERROR_MESSAGE_SIZE 512
#define LH_ERROR_WHERE_SIZE 256

/* What a user must see: what went wrong, and where. Plain data; zero-initialise with LH_ERROR_INIT.
   `where` is a JSON Pointer, a file path, or a node and frame ("track kick, frame 48000"); may be empty. */
struct lh_error {
    enum lh_status code;
    char message[LH_ERROR_MESSAGE_SIZE];
    char where[LH_ERROR_WHERE_SIZE];
};

#define LH_ERROR_INIT ((struct lh_error){.code = LH_OK, .message = "", .where = ""})

/* Fills `error` (which may be NULL) and returns `code`, so that a failing function can `return lh_error_set(...)`.
   `where` may be NULL. Text too long is cut at a UTF-8 character. */
enum lh_status lh_error_set(struct lh_error *error, enum lh_status code, const char *where, const char *format, ...)
    LH_PRINTF(4, 5);

/* The same with the arguments as a list. */
enum lh_status lh_error_set_list(struct lh_error *error, enum lh_status code, const char *where, const char *format,
                                 va_list arguments) LH_PRINTF(4, 0);

/* The same for an allocation that failed: no formatting, cannot fail. Returns LH_ERR_NO_MEMORY. */
enum lh_status lh_error_no_memory(struct lh_error *error);

#endif
