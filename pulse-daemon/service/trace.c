/* SPDX-License-Identifier: MIT */
/* Reading and making traceparents. */
#include "pulse-daemon/service/trace.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* The next `count` characters are lower-case hexadecimal digits, then `end`; *zero: all are '0'. */
static bool read_field(const char **at, size_t count, char end, bool *zero)
{
    *zero = strspn(*at, "0") >= count;
    bool good = strspn(*at, "0123456789abcdef") == count && (*at)[count] == end;
    *at += good ? count + (end != '\0') : 0;
    return good;
}

bool pulse_trace_ok(const char *text)
{
    bool zero = false, no_trace = true, no_parent = true;
    const char *at = text;
    return text != NULL && strncmp(text, "00-", 3) == 0 && read_field(&at, 2, '-', &zero) &&
           read_field(&at, 32, '-', &no_trace) && read_field(&at, 16, '-', &no_parent) &&
           read_field(&at, 2, '\0', &zero) && !no_trace && !no_parent;
}

enum lh_status pulse_trace_make(char text[PULSE_TRACE_SIZE], struct lh_error *error)
{
    uint64_t random[3];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the system has no random bytes");
    }
    random[2] |= 1; /* zero is nobody's */
    random[1] |= 1;
    snprintf(text, PULSE_TRACE_SIZE, "00-%016llx%016llx-%016llx-01", (unsigned long long)random[0],
             (unsigned long long)random[1], (unsigned long long)random[2]);
    return LH_OK;
}
