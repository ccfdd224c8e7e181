/* SPDX-License-Identifier: MIT */
/* UTF-8, one character at a time. Any thread. */
#ifndef LH_BASE_UTF8_H
#define LH_BASE_UTF8_H

#include <stddef.h>

/* The bytes of the UTF-8 character that begins at `text` (`left` bytes are there), 0 when there is none. */
size_t lh_utf8_length(const char *text, size_t left);

#endif
