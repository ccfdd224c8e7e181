/* SPDX-License-Identifier: MIT */
/* The lengths of UTF-8 characters, as table 3-7 of the Unicode Standard has them. */
#include "common/base/utf8.h"

size_t lh_utf8_length(const char *text, size_t left)
{
    const unsigned char *byte = (const unsigned char *)text;
    size_t length;
    unsigned char lowest = 0x80;  /* of the second byte: refuses overlong forms */
    unsigned char highest = 0xBF; /* of the second byte: refuses surrogates and what is past U+10FFFF */
    if (left == 0) {
        return 0;
    }
    if (byte[0] < 0x80) {
        return 1;
    }
    if (byte[0] >= 0xC2 && byte[0] <= 0xDF) {
        length = 2;
    } else if (byte[0] >= 0xE0 && byte[0] <= 0xEF) {
        length = 3;
        lowest = byte[0] == 0xE0 ? 0xA0 : 0x80;
        highest = byte[0] == 0xED ? 0x9F : 0xBF;
    } else if (byte[0] >= 0xF0 && byte[0] <= 0xF4) {
        length = 4;
        lowest = byte[0] == 0xF0 ? 0x90 : 0x80;
        highest = byte[0] == 0xF4 ? 0x8F : 0xBF;
    } else {
        return 0;
    }
    if (left < length || byte[1] < lowest || byte[1] > highest) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((byte[i] & 0xC0u) != 0x80u) {
            return 0;
        }
    }
    return length;
}
