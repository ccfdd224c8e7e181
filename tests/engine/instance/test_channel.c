/* SPDX-License-Identifier: MIT */
/* engine/instance/channel.c: bodies and descriptors arrive whole and in order; malformed packets are refused. */
#include "engine/instance/channel.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/testing.h"

#define FILES 3
#define KIND 42

static int sockets[2];
static int files[FILES];

static void setup(void)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(engine_channel_pair(sockets, NULL), LH_OK);
    for (int i = 0; i < FILES; i++) {
        files[i] = memfd_create("file", MFD_CLOEXEC);
        ck_assert_int_ge(files[i], 0);
    }
}

static void teardown(void)
{
    close(sockets[0]);
    close(sockets[1]);
    for (int i = 0; i < FILES; i++) {
        close(files[i]);
    }
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

static bool same_file(int a, int b)
{
    struct stat left;
    struct stat right;
    return fstat(a, &left) == 0 && fstat(b, &right) == 0 && left.st_ino == right.st_ino && left.st_dev == right.st_dev;
}

static void round_trip(size_t size, size_t count)
{
    uint8_t *body = malloc(size + 1);
    int *fds = malloc((count + 1) * sizeof *fds);
    for (size_t i = 0; i < size; i++) {
        body[i] = (uint8_t)(i * 7);
    }
    for (size_t i = 0; i < count; i++) {
        fds[i] = files[i * i % FILES];
    }
    int before = open_descriptors();
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(engine_channel_send(sockets[0], KIND, body, size, fds, count, &error) == LH_OK, "%s", error.message);
    struct engine_message message = {.kind = 0};
    ck_assert_msg(engine_channel_receive(sockets[1], count, &message, &error) == LH_OK, "%s", error.message);
    ck_assert_uint_eq(message.kind, KIND);
    ck_assert_uint_eq(message.size, size);
    ck_assert(size == 0 || memcmp(message.body, body, size) == 0);
    ck_assert_uint_eq(message.fd_count, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert(same_file(message.fds[i], fds[i]));
        ck_assert_int_ne(fcntl(message.fds[i], F_GETFD) & FD_CLOEXEC, 0);
    }
    engine_message_fini(&message);
    ck_assert_int_eq(open_descriptors(), before);
    free(body);
    free(fds);
}

START_TEST(messages_arrive_whole)
{
    static const size_t counts[] = {0, 1, 198, 199, 200, 201, 400, 1000};
    static const size_t sizes[] = {0, 1, ENGINE_CHANNEL_INLINE_MAX, ENGINE_CHANNEL_INLINE_MAX + 1, 3000000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            round_trip(sizes[j], counts[i]);
        }
    }
}
END_TEST

START_TEST(taken_descriptors_stay_open)
{
    ck_assert_int_eq(engine_channel_send(sockets[0], KIND, NULL, 0, files, 2, NULL), LH_OK);
    struct engine_message message = {.kind = 0};
    ck_assert_int_eq(engine_channel_receive(sockets[1], 2, &message, NULL), LH_OK);
    int taken = message.fds[1];
    message.fds[1] = -1;
    engine_message_fini(&message);
    ck_assert(same_file(taken, files[1]));
    close(taken);
    engine_message_fini(NULL);
}
END_TEST

START_TEST(the_other_side_may_be_gone)
{
    struct engine_message message = {.kind = 0};
    close(sockets[0]);
    ck_assert_int_eq(engine_channel_receive(sockets[1], 0, &message, NULL), LH_ERR_CRASHED);
    ck_assert_int_eq(engine_channel_send(sockets[1], KIND, "x", 1, NULL, 0, NULL), LH_ERR_CRASHED);
    sockets[0] = -1;
}
END_TEST

START_TEST(limits_hold)
{
    ck_assert_int_eq(engine_channel_send(sockets[0], KIND, "", (size_t)ENGINE_CHANNEL_BODY_MAX + 1, NULL, 0, NULL),
                     LH_ERR_LIMIT);
    ck_assert_int_eq(engine_channel_send(sockets[0], KIND, "", 0, files, ENGINE_CHANNEL_DESCRIPTORS_MAX + 1, NULL),
                     LH_ERR_LIMIT);
    int before = open_descriptors();
    ck_assert_int_eq(engine_channel_send(sockets[0], KIND, NULL, 0, files, 3, NULL), LH_OK);
    struct engine_message message = {.kind = 0};
    ck_assert_int_eq(engine_channel_receive(sockets[1], 2, &message, NULL), LH_ERR_FORMAT);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* When this process may open no more files, the kernel drops what was sent. */
START_TEST(lost_descriptors_are_noticed)
{
    ck_assert_int_eq(engine_channel_send(sockets[0], KIND, NULL, 0, files, 3, NULL), LH_OK);
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit tight = {.rlim_cur = (rlim_t)open_descriptors() - 2, .rlim_max = limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    struct engine_message message = {.kind = 0};
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = engine_channel_receive(sockets[1], 3, &message, &error);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(status, LH_ERR_LIMIT);
}
END_TEST

struct raw_head {
    uint32_t magic, kind;
    uint64_t size;
    uint32_t fd_count, in_file;
};

/* Any packet with `count` descriptors. */
static void send_parts(struct iovec *parts, size_t part_count, const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * ENGINE_CHANNEL_BATCH)];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = part_count};
    if (count > 0) {
        packet.msg_control = control.bytes;
        packet.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&packet);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(rights), fds, sizeof(int) * count);
    }
    ck_assert_int_ge(sendmsg(sockets[0], &packet, 0), 0);
}

/* A head and `size` bytes behind it, whatever the head says. */
static void send_raw(const struct raw_head *head, size_t size, const int *fds, size_t count)
{
    static uint8_t zeros[ENGINE_CHANNEL_INLINE_MAX + 1000];
    struct iovec parts[2] = {{(void *)(uintptr_t)head, sizeof *head}, {zeros, size}};
    send_parts(parts, 2, fds, count);
}

/* The first `size` bytes of a head. */
static void send_sized(const struct raw_head *head, size_t size, const int *fds, size_t count)
{
    struct iovec part = {(void *)(uintptr_t)head, size};
    send_parts(&part, 1, fds, count);
}

static void expect_refusal(void)
{
    struct engine_message message = {.kind = 77};
    ck_assert_int_eq(engine_channel_receive(sockets[1], 8, &message, NULL), LH_ERR_FORMAT);
    ck_assert_uint_eq(message.kind, 77);
}

START_TEST(malformed_packets_are_refused)
{
    const struct raw_head good = {.magic = 0x3148634Cu, .kind = KIND};
    int before = open_descriptors();
    for (size_t size = 1; size < sizeof good; size++) {
        ck_assert_int_ge(send(sockets[0], &good, size, 0), 0);
        expect_refusal();
    }
    struct raw_head bad = good;
    bad.magic++;
    send_raw(&bad, 0, NULL, 0);
    expect_refusal();
    bad = good;
    bad.size = 1; /* shorter than it says, longer than it says, longer than a packet may be */
    send_raw(&bad, 0, NULL, 0);
    expect_refusal();
    send_raw(&good, 1, NULL, 0);
    expect_refusal();
    bad.size = ENGINE_CHANNEL_INLINE_MAX + 500;
    send_raw(&bad, ENGINE_CHANNEL_INLINE_MAX + 500, NULL, 0);
    expect_refusal();
    bad = good;
    bad.fd_count = 2; /* fewer and more descriptors than it says */
    send_raw(&bad, 0, files, 1);
    expect_refusal();
    send_raw(&good, 0, files, 1);
    expect_refusal();
    bad.fd_count = UINT32_MAX;
    send_raw(&bad, 0, files, 1);
    expect_refusal();
    bad = good;
    bad.in_file = 2;
    send_raw(&bad, 0, files, 2);
    expect_refusal();
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(only_sealed_bodies_are_mapped)
{
    struct raw_head head = {.magic = 0x3148634Cu, .kind = KIND, .size = 100000, .in_file = 1};
    int before = open_descriptors();
    ck_assert_int_eq(ftruncate(files[0], 100000), 0);
    send_raw(&head, 0, files, 1);
    expect_refusal();
    int sealed;
    uint8_t *data = calloc(1, 100001);
    ck_assert_int_eq(engine_sealed_file(data, 100001, &sealed, NULL), LH_OK);
    send_raw(&head, 0, &sealed, 1); /* another size than it says */
    expect_refusal();
    ck_assert(write(sealed, "x", 1) < 0);
    ck_assert_int_ne(ftruncate(sealed, 5), 0);
    head.size = ENGINE_CHANNEL_BODY_MAX + 1;
    send_raw(&head, 0, &sealed, 1);
    expect_refusal();
    close(sealed);
    free(data);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* A message of 201 descriptors whose second packet is missing, of another kind, or brings too few or too many. */
START_TEST(a_broken_sequence_is_refused)
{
    int before = open_descriptors();
    int fds[ENGINE_CHANNEL_BATCH];
    for (int i = 0; i < ENGINE_CHANNEL_BATCH; i++) {
        fds[i] = files[0];
    }
    for (size_t wrong = 0; wrong < 4; wrong++) {
        struct raw_head head = {.magic = 0x3148634Cu, .kind = KIND, .fd_count = ENGINE_CHANNEL_BATCH + 1};
        send_raw(&head, 0, fds, ENGINE_CHANNEL_BATCH);
        struct raw_head more = {.magic = wrong == 0 ? 0x3148634Cu : 0x2B48634Cu, .kind = wrong == 1 ? KIND + 1 : KIND};
        send_sized(&more, 8, fds, wrong == 2 ? 0 : wrong == 3 ? 2 : 1);
        struct engine_message message = {.kind = 77};
        ck_assert_int_eq(engine_channel_receive(sockets[1], 1000, &message, NULL), LH_ERR_FORMAT);
        ck_assert_int_eq(open_descriptors(), before);
    }
    struct raw_head more = {.magic = 0x2B48634Cu, .kind = KIND};
    send_sized(&more, 8, fds, 1); /* a continuation of nothing */
    expect_refusal();
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(allocations_may_fail)
{
    int before = open_descriptors();
    for (size_t n = 1; n <= 3; n++) {
        int fds[ENGINE_CHANNEL_BATCH + 1];
        for (int i = 0; i <= ENGINE_CHANNEL_BATCH; i++) {
            fds[i] = files[0];
        }
        ck_assert_int_eq(engine_channel_send(sockets[0], KIND, "x", 1, fds, ENGINE_CHANNEL_BATCH + 1, NULL), LH_OK);
        struct engine_message message = {.kind = 0};
        testing_fail_allocation(n);
        enum lh_status status = engine_channel_receive(sockets[1], 1000, &message, NULL);
        ck_assert(testing_fail_allocation_end());
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
        teardown();
        setup();
        ck_assert_int_eq(open_descriptors(), before);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/channel");
    TCase *test = tcase_create("channel");
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, messages_arrive_whole);
    tcase_add_test(test, taken_descriptors_stay_open);
    tcase_add_test(test, the_other_side_may_be_gone);
    tcase_add_test(test, limits_hold);
    tcase_add_test(test, lost_descriptors_are_noticed);
    tcase_add_test(test, malformed_packets_are_refused);
    tcase_add_test(test, only_sealed_bodies_are_mapped);
    tcase_add_test(test, a_broken_sequence_is_refused);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
