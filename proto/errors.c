/* SPDX-License-Identifier: MIT */
/* Our statuses and the codes that travel. */
#include "proto/envelope.h"

Wire__ErrorCode wire_error_code(enum lh_status status)
{
    switch (status) {
    case LH_ERR_USAGE:
    case LH_ERR_UNSUPPORTED:
        return WIRE__ERROR_CODE__ERROR_UNSUPPORTED;
    case LH_ERR_INVALID:
        return WIRE__ERROR_CODE__ERROR_INVALID;
    case LH_ERR_MISSING:
        return WIRE__ERROR_CODE__ERROR_NOT_FOUND;
    case LH_ERR_FORMAT:
        return WIRE__ERROR_CODE__ERROR_MALFORMED;
    case LH_ERR_LIMIT:
        return WIRE__ERROR_CODE__ERROR_LIMIT;
    case LH_ERR_CANCELLED:
        return WIRE__ERROR_CODE__ERROR_CANCELLED;
    case LH_ERR_NO_MEMORY:
        return WIRE__ERROR_CODE__ERROR_BUSY;
    case LH_ERR_UNAVAILABLE:
    case LH_ERR_TAKEN_OVER:
        return WIRE__ERROR_CODE__ERROR_UNAVAILABLE;
    case LH_ERR_CONFLICT:
        return WIRE__ERROR_CODE__ERROR_CONFLICT;
    case LH_ERR_QUOTA:
        return WIRE__ERROR_CODE__ERROR_QUOTA;
    case LH_OK:
    case LH_ERR_IO:
    case LH_ERR_FAULT:
    case LH_ERR_CRASHED:
    case LH_ERR_INTERNAL:
        return WIRE__ERROR_CODE__ERROR_INTERNAL;
    }
    return WIRE__ERROR_CODE__ERROR_INTERNAL;
}

enum lh_status wire_error_status(Wire__ErrorCode code)
{
    switch (code) {
    case WIRE__ERROR_CODE__ERROR_MALFORMED:
    case WIRE__ERROR_CODE__ERROR_DIGEST:
        return LH_ERR_FORMAT;
    case WIRE__ERROR_CODE__ERROR_VERSION:
    case WIRE__ERROR_CODE__ERROR_UNSUPPORTED:
        return LH_ERR_UNSUPPORTED;
    case WIRE__ERROR_CODE__ERROR_UNAUTHENTICATED:
    case WIRE__ERROR_CODE__ERROR_FORBIDDEN:
        return LH_ERR_USAGE;
    case WIRE__ERROR_CODE__ERROR_NOT_FOUND:
        return LH_ERR_MISSING;
    case WIRE__ERROR_CODE__ERROR_INVALID:
        return LH_ERR_INVALID;
    case WIRE__ERROR_CODE__ERROR_CONFLICT:
    case WIRE__ERROR_CODE__ERROR_KEY_REUSED:
        return LH_ERR_CONFLICT;
    case WIRE__ERROR_CODE__ERROR_LIMIT:
        return LH_ERR_LIMIT;
    case WIRE__ERROR_CODE__ERROR_QUOTA:
        return LH_ERR_QUOTA;
    case WIRE__ERROR_CODE__ERROR_BUSY:
    case WIRE__ERROR_CODE__ERROR_UNAVAILABLE:
    case WIRE__ERROR_CODE__ERROR_TIMEOUT:
        return LH_ERR_UNAVAILABLE;
    case WIRE__ERROR_CODE__ERROR_CANCELLED:
        return LH_ERR_CANCELLED;
    case WIRE__ERROR_CODE__ERROR_INTERNAL:
    case _WIRE__ERROR_CODE_IS_INT_SIZE:
        return LH_ERR_INTERNAL;
    }
    return LH_ERR_INTERNAL;
}

void wire_error_make(const struct lh_error *error, Wire__Error *message)
{
    *message = (Wire__Error)WIRE__ERROR__INIT;
    message->code = wire_error_code(error->code);
    message->message = wire_text(error->message);
    message->where = error->where[0] != '\0' ? wire_text(error->where) : NULL;
}

enum lh_status wire_error_read(const Wire__Error *message, struct lh_error *error)
{
    return lh_error_set(error, wire_error_status(message->code), message->where, "%s", message->message);
}
