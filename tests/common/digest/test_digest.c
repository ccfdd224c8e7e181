/* SPDX-License-Identifier: MIT */
/* SHA-256 against the examples of FIPS 180-4, files, and the text form. */
#include "common/digest/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/testing.h"

#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define TWO_BLOCKS "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
#define MILLION_A "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static const char *text_of(const struct lh_digest *digest)
{
    static char text[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(digest, text);
    return text;
}

static void digests(const char *data, const char *expected)
{
    struct lh_digest digest;
    ck_assert_int_eq(lh_digest_bytes(data, strlen(data), &digest), LH_OK);
    ck_assert_str_eq(text_of(&digest), expected);
}

START_TEST(the_standard_examples)
{
    digests("", EMPTY);
    digests("abc", ABC);
    digests("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", TWO_BLOCKS);
}
END_TEST

START_TEST(a_hasher_takes_pieces_and_starts_anew)
{
    struct lh_hasher *hasher = NULL;
    struct lh_digest digest;
    char block[1000];
    memset(block, 'a', sizeof block);
    ck_assert_int_eq(lh_hasher_new(&hasher), LH_OK);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++) {
            lh_hasher_update(hasher, block, 333);
            lh_hasher_update(hasher, NULL, 0);
            lh_hasher_update(hasher, block + 333, 667);
        }
        lh_hasher_finish(hasher, &digest);
        ck_assert_str_eq(text_of(&digest), MILLION_A);
    }
    lh_hasher_finish(hasher, &digest);
    ck_assert_str_eq(text_of(&digest), EMPTY);
    lh_hasher_free(hasher);
    lh_hasher_free(NULL);
}
END_TEST

static FILE *file_of(size_t size)
{
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    char *data = malloc(size + 1);
    ck_assert_ptr_nonnull(data);
    memset(data, 'a', size);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    ck_assert_int_eq(fflush(file), 0);
    free(data);
    return file;
}

START_TEST(a_file_is_read_whole_wherever_its_offset_is)
{
    struct lh_digest digest;
    struct lh_error error = LH_ERROR_INIT;
    FILE *file = file_of(1000000);
    ck_assert_int_eq(lseek(fileno(file), 77, SEEK_SET), 77);
    ck_assert_int_eq(lh_digest_file(fileno(file), &digest, &error), LH_OK);
    ck_assert_str_eq(text_of(&digest), MILLION_A);
    ck_assert_int_eq(lseek(fileno(file), 0, SEEK_CUR), 77);
    fclose(file);
    file = file_of(0);
    ck_assert_int_eq(lh_digest_file(fileno(file), &digest, &error), LH_OK);
    ck_assert_str_eq(text_of(&digest), EMPTY);
    fclose(file);
}
END_TEST

START_TEST(what_cannot_be_read_is_told)
{
    struct lh_digest digest;
    struct lh_error error = LH_ERROR_INIT;
    int ends[2];
    ck_assert_int_eq(lh_digest_file(-1, &digest, &error), LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "Bad file descriptor"));
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(lh_digest_file(ends[0], &digest, &error), LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "Illegal seek"));
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(the_text_form_is_read_back)
{
    struct lh_digest digest;
    struct lh_digest again;
    ck_assert_int_eq(lh_digest_bytes("abc", 3, &digest), LH_OK);
    ck_assert(lh_digest_parse(ABC, &again));
    ck_assert(lh_digest_equal(&digest, &again));
    again.bytes[31] ^= 1;
    ck_assert(!lh_digest_equal(&digest, &again));
}
END_TEST

START_TEST(other_texts_are_not)
{
    static const char *const wrong[] = {
        "",
        "sha256:",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015add",
        "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ag",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a ",
        "SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    };
    struct lh_digest digest;
    memset(&digest, 0x5A, sizeof digest);
    struct lh_digest before = digest;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_msg(!lh_digest_parse(wrong[i], &digest), "'%s'", wrong[i]);
        ck_assert(lh_digest_equal(&before, &digest));
    }
}
END_TEST

START_TEST(memory_running_out_is_a_status)
{
    FILE *file = file_of(10);
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct lh_digest digest;
        struct lh_hasher *hasher = NULL;
        testing_fail_allocation(n);
        enum lh_status status = lh_digest_file(fileno(file), &digest, NULL);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        testing_fail_allocation(n);
        status = lh_hasher_new(&hasher);
        ck_assert_int_eq(status, testing_fail_allocation_end() ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert((status == LH_OK) == (hasher != NULL));
        lh_hasher_free(hasher);
        testing_fail_allocation(n);
        status = lh_digest_bytes("abc", 3, &digest);
        ck_assert_int_eq(status, testing_fail_allocation_end() ? LH_ERR_NO_MEMORY : LH_OK);
    }
    fclose(file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/digest/digest");
    TCase *tests = tcase_create("digest");
    tcase_add_test(tests, the_standard_examples);
    tcase_add_test(tests, a_hasher_takes_pieces_and_starts_anew);
    tcase_add_test(tests, a_file_is_read_whole_wherever_its_offset_is);
    tcase_add_test(tests, what_cannot_be_read_is_told);
    tcase_add_test(tests, the_text_form_is_read_back);
    tcase_add_test(tests, other_texts_are_not);
    tcase_add_test(tests, memory_running_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
