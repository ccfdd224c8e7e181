/* SPDX-License-Identifier: MIT */
/* UTF-8 against the definition: every code point, and every sequence of up to three bytes. */
#include "common/base/utf8.h"

#include <stdint.h>
#include <string.h>

#include "tests/support/testing.h"

/* The bytes of a code point by the definition. */
static size_t encode(uint32_t point, char *text)
{
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length; length > 1 && i-- > 1; point >>= 6) {
        text[i] = (char)(0x80 | (point & 0x3F));
    }
    text[0] = (char)(length == 1 ? point : leads[length] | point);
    return length;
}

START_TEST(every_code_point_has_its_length)
{
    for (uint32_t point = 0; point <= 0x10FFFF; point++) {
        char text[4];
        size_t length = encode(point, text);
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        if (lh_utf8_length(text, 4) != (surrogate ? 0 : length) || lh_utf8_length(text, length - 1) != 0) {
            ck_abort_msg("U+%04X", point);
        }
    }
    char beyond[4];
    encode(0x110000, beyond);
    ck_assert_uint_eq(lh_utf8_length(beyond, 4), 0);
}
END_TEST

/* A sequence is a character when it is what the definition gives for the code point that its bits spell. */
START_TEST(nothing_else_is_a_character)
{
    size_t characters = 0;
    for (uint32_t bits = 0; bits < 1u << 24; bits++) {
        char text[4] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits, 0};
        size_t length = lh_utf8_length(text, 3);
        if (length != 3) {
            continue;
        }
        uint32_t point = (bits >> 16 & 0xF) << 12 | (bits >> 8 & 0x3F) << 6 | (bits & 0x3F);
        char again[4];
        ck_assert_uint_eq(encode(point, again), 3);
        ck_assert_mem_eq(text, again, 3);
        characters++;
    }
    ck_assert_uint_eq(characters, 0x10000 - 0x800 - 0x800);
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("utf8");
    tcase_add_test(group, every_code_point_has_its_length);
    tcase_add_test(group, nothing_else_is_a_character);
    Suite *suite = suite_create("base/utf8");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
