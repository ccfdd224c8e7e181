/* SPDX-License-Identifier: MIT */
/* Status texts and filling an error. */
#include "common/base/status.h"

#include <stdio.h>
#include <string.h>

const char *lh_status_text(enum lh_status status)
{
    switch (status) {
    case LH_OK:
        return "done";
    case LH_ERR_NO_MEMORY:
        return "out of memory";
    case LH_ERR_USAGE:
        return "wrong usage";
    case LH_ERR_INVALID:
        return "the project is invalid";
    case LH_ERR_MISSING:
        return "a medium or plugin is missing";
    case LH_ERR_FORMAT:
        return "malformed data";
    case LH_ERR_LIMIT:
        return "a limit is exceeded";
    case LH_ERR_UNSUPPORTED:
        return "not supported";
    case LH_ERR_IO:
        return "reading or writing failed";
    case LH_ERR_FAULT:
        return "a node failed";
    case LH_ERR_CRASHED:
        return "a child process died";
    case LH_ERR_CANCELLED:
        return "interrupted";
    case LH_ERR_UNAVAILABLE:
        return "not available now";
    case LH_ERR_TAKEN_OVER:
        return "another Pulse has taken over";
    case LH_ERR_CONFLICT:
        return "changed meanwhile";
    case LH_ERR_INTERNAL:
        return "internal error";
    case LH_ERR_QUOTA:
        return "quota reached";
    }
    return "unknown status";
}

/* Copies what fits, never ending inside a UTF-8 character. */
static void copy_text(char *target, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length >= size) {
        length = size - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xC0u) == 0x80u) {
            length--;
        }
    }
    memcpy(target, text, length);
    target[length] = '\0';
}

enum lh_status lh_error_set_list(struct lh_error *error, enum lh_status code, const char *where, const char *format,
                                 va_list arguments)
{
    if (error == NULL) {
        return code;
    }
    /* Both texts are made aside first: the arguments may be views of the error that is being filled. */
    char text[2 * LH_ERROR_MESSAGE_SIZE];
    char place[LH_ERROR_WHERE_SIZE];
    vsnprintf(text, sizeof text, format, arguments);
    copy_text(place, sizeof place, where != NULL ? where : "");
    error->code = code;
    copy_text(error->message, sizeof error->message, text);
    memcpy(error->where, place, sizeof place);
    return code;
}

enum lh_status lh_error_set(struct lh_error *error, enum lh_status code, const char *where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    lh_error_set_list(error, code, where, format, arguments);
    va_end(arguments);
    return code;
}

enum lh_status lh_error_no_memory(struct lh_error *error)
{
    if (error != NULL) {
        *error = LH_ERROR_INIT;
        error->code = LH_ERR_NO_MEMORY;
        memcpy(error->message, "out of memory", sizeof "out of memory");
    }
    return LH_ERR_NO_MEMORY;
}
