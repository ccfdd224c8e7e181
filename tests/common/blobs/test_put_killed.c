/* SPDX-License-Identifier: MIT */
/* A writer that is killed in the midst of its work, again and again: whatever has a name is whole. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/blobs/blobs.h"
#include "tests/common/blobs/folder.h"
#include "tests/support/testing.h"

#define KILLS 40
#define SIZE_MAX_KIB 512

static uint64_t state = 1;

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

/* Puts, promotes, hands over, adopts, removes, as fast as it can, until it is killed. Every blob that is KEPT when the
   call returns is told through the pipe, and none of those is removed. */
static void work(const char *path, int told, uint64_t seed)
{
    struct lh_blobs *blobs = NULL;
    struct lh_error error;
    if (lh_blobs_open(path, &(struct lh_blobs_options){0}, &blobs, &error) != LH_OK) {
        _exit(3);
    }
    state = seed;
    for (;;) {
        uint64_t content = draw(40);
        size_t size = (size_t)(content * content % SIZE_MAX_KIB) * 1024 + (size_t)content;
        uint8_t *bytes = folder_bytes(content, size);
        struct lh_blob blob;
        bool kept = draw(2) == 0;
        if (lh_blobs_put_bytes(blobs, bytes, size, kept ? LH_BLOBS_KEPT : LH_BLOBS_CACHED, &blob, &error) != LH_OK) {
            _exit(4);
        }
        kept = kept || (draw(3) == 0 && lh_blobs_keep(blobs, &blob.digest, &error) == LH_OK);
        lh_blobs_release(blobs, &blob.digest);
        if (kept && write(told, &blob.digest, sizeof blob.digest) != (ssize_t)sizeof blob.digest) {
            _exit(5);
        }
        if (blob.kind == LH_BLOBS_CACHED && !kept && draw(3) == 0 && lh_blobs_mark(blobs, &blob.digest, 0) &&
            lh_blobs_remove(blobs, &blob.digest, NULL, &error) != LH_OK) {
            _exit(6);
        }
        char name[LH_BLOBS_NAME_SIZE];
        int fd = -1;
        if (lh_blobs_hand_over(path, name, &fd, &error) != LH_OK || write(fd, bytes, size) != (ssize_t)size) {
            _exit(7);
        }
        close(fd);
        blob.kind = LH_BLOBS_CACHED;
        if (draw(2) == 0 && lh_blobs_adopt(blobs, name, &blob, false, &blob, &error) == LH_OK) {
            lh_blobs_release(blobs, &blob.digest);
        }
        free(bytes);
    }
}

START_TEST(test_killed_writer)
{
    char path[FOLDER_SIZE];
    folders_make(path, sizeof path);
    uint64_t whole = 0, told = 0;
    for (uint64_t kill_number = 0; kill_number < KILLS; kill_number++) {
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            close(ends[0]);
            work(path, ends[1], kill_number * 7919 + 1);
        }
        close(ends[1]);
        struct lh_digest last;
        ck_assert_int_eq(read(ends[0], &last, sizeof last), (ssize_t)sizeof last); /* it is at work */
        nanosleep(&(struct timespec){.tv_nsec = (long)(draw(20000) * 1000)}, NULL);
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        int ending = 0;
        ck_assert_int_eq(waitpid(child, &ending, 0), child);
        ck_assert_msg(WIFSIGNALED(ending), "the writer failed by itself: %d", WEXITSTATUS(ending));
        struct lh_blobs *blobs = folder_open(path);
        struct lh_blobs_usage usage;
        lh_blobs_usage(blobs, &usage);
        uint64_t found = folder_verify(path);
        ck_assert_uint_eq(found, usage.count);
        ck_assert_uint_eq(usage.suspect_count, 0); /* the kernel lives on: nothing can be torn */
        ck_assert_uint_eq(folder_count(path, "incoming"), 0);
        do {
            ck_assert(lh_blobs_has(blobs, &last, NULL));
            told++;
        } while (read(ends[0], &last, sizeof last) == (ssize_t)sizeof last);
        close(ends[0]);
        lh_blobs_close(blobs);
        whole += found;
    }
    ck_assert_uint_gt(whole, KILLS);
    ck_assert_uint_gt(told, KILLS);
    folders_remove(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/blobs/put_killed");
    TCase *tests = tcase_create("killed");
    tcase_set_timeout(tests, 170); /* each of them waits for the disk */
    tcase_add_test(tests, test_killed_writer);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
