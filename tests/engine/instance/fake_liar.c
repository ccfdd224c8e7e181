/* SPDX-License-Identifier: MIT */
/* A child that breaks the rules of the conversation, in the way that LOOPHOLE_LIAR names. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/instance/channel.h"
#include "engine/instance/protocol.h"

#define SOCKET_FD 3

static void say(uint32_t kind, const void *body, size_t size, const int *fds, size_t count)
{
    if (engine_channel_send(SOCKET_FD, kind, body, size, fds, count, NULL) != LH_OK) {
        _exit(3);
    }
}

static void hello(uint32_t version)
{
    struct engine_hello greeting = {.version = version, .libraries = "liar\x1B[2J", .cpu_class = "x"};
    struct lh_writer writer;
    lh_writer_init(&writer);
    engine_hello_write(&writer, &greeting);
    say(ENGINE_MESSAGE_HELLO, writer.data, writer.size, NULL, 0);
    lh_writer_fini(&writer);
}

/* A large body in a file that this side can still change. */
static void unsealed(void)
{
    struct {
        uint32_t magic, kind;
        uint64_t size;
        uint32_t fd_count, in_file;
    } head = {.magic = 0x3148634Cu, .kind = ENGINE_MESSAGE_FACTS, .size = 100000, .in_file = 1};
    int file = memfd_create("liar", MFD_ALLOW_SEALING);
    if (file < 0 || ftruncate(file, 100000) != 0) {
        _exit(4);
    }
    struct iovec part = {.iov_base = &head, .iov_len = sizeof head};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct msghdr packet = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&packet);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &file, sizeof file);
    if (sendmsg(SOCKET_FD, &packet, MSG_NOSIGNAL) < 0) {
        _exit(5);
    }
}

int main(void)
{
    const char *lie = getenv("LOOPHOLE_LIAR");
    if (lie == NULL || strcmp(lie, "mute") == 0) {
        return 9;
    }
    if (strcmp(lie, "garbage") == 0) {
        if (send(SOCKET_FD, "hello there", 11, 0) < 0) {
            return 3;
        }
    } else if (strcmp(lie, "version") == 0) {
        hello(ENGINE_PROTOCOL_VERSION + 1);
    } else {
        hello(ENGINE_PROTOCOL_VERSION);
    }
    struct engine_message message = {.kind = 0};
    if (engine_channel_receive(SOCKET_FD, ENGINE_CHANNEL_DESCRIPTORS_MAX, &message, NULL) != LH_OK) {
        return 0;
    }
    static const uint8_t zeros[1000];
    if (strcmp(lie, "kind") == 0) {
        say(ENGINE_MESSAGE_RESULT, zeros, 4, NULL, 0);
    } else if (strcmp(lie, "facts") == 0) {
        say(ENGINE_MESSAGE_FACTS, zeros, sizeof zeros, NULL, 0);
    } else if (strcmp(lie, "descriptor") == 0) {
        say(ENGINE_MESSAGE_FACTS, NULL, 0, (int[]){0}, 1);
    } else if (strcmp(lie, "unsealed") == 0) {
        unsealed();
    } else if (strcmp(lie, "close") == 0) {
        close(SOCKET_FD);
    }
    for (;;) {
        pause();
    }
}
