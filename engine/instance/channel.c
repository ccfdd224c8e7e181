/* SPDX-License-Identifier: MIT */
/* The channel: packets, descriptors in batches, large bodies in sealed memory files. */
#include "engine/instance/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"

#define HEAD_MAGIC 0x3148634Cu /* "LcH1" */
#define MORE_MAGIC 0x2B48634Cu /* "LcH+" */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
/* Descriptors that are sent but not yet received count against the sender's limit of open files; the receiver takes
   them within milliseconds unless it hangs. */
#define SEND_RETRY_NS 1000000
#define SEND_RETRIES 5000

struct head {
    uint32_t magic, kind;
    uint64_t size;
    uint32_t fd_count, in_file;
};

struct more {
    uint32_t magic, kind;
};

/* Room for a batch of descriptors as control data, suitably aligned. */
union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * ENGINE_CHANNEL_BATCH)];
};

static enum lh_status system_error(struct lh_error *error, const char *what)
{
    return lh_error_set(error, LH_ERR_IO, NULL, "%s: %s", what, strerror(errno));
}

static enum lh_status malformed(struct lh_error *error)
{
    return lh_error_set(error, LH_ERR_FORMAT, NULL, "a malformed message arrived from the other process");
}

enum lh_status engine_channel_pair(int sockets[2], struct lh_error *error)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return system_error(error, "cannot create a socket pair");
    }
    sockets[0] = pair[0];
    sockets[1] = pair[1];
    return LH_OK;
}

enum lh_status engine_sealed_file(const void *data, size_t size, int *fd, struct lh_error *error)
{
    int file = memfd_create("loophole", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0) {
        return system_error(error, "cannot create a memory file");
    }
    int cause = lh_file_write_at(file, data, size, 0);
    if (cause == 0 && fcntl(file, F_ADD_SEALS, SEALS | F_SEAL_SEAL) != 0) {
        cause = errno;
    }
    if (cause != 0) {
        close(file);
        return lh_error_set(error, LH_ERR_IO, NULL, "cannot fill a memory file: %s", strerror(cause));
    }
    *fd = file;
    return LH_OK;
}

/* One packet of two parts with `count` descriptors, without a signal when nobody is there. */
static enum lh_status send_packet(int socket, const void *head, size_t head_size, const void *body, size_t size,
                                  const int *fds, size_t count, struct lh_error *error)
{
    struct iovec parts[2] = {
        {.iov_base = (void *)(uintptr_t)head, .iov_len = head_size},
        {.iov_base = (void *)(uintptr_t)body, .iov_len = size},
    };
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = size > 0 ? 2 : 1};
    union control control;
    memset(&control, 0, sizeof control);
    if (count > 0) {
        packet.msg_control = control.bytes;
        packet.msg_controllen = CMSG_SPACE(count * sizeof *fds);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&packet);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(count * sizeof *fds);
        memcpy(CMSG_DATA(rights), fds, count * sizeof *fds);
    }
    int retries = SEND_RETRIES;
    while (sendmsg(socket, &packet, MSG_NOSIGNAL) < 0) {
        if (errno == ETOOMANYREFS && retries-- > 0) {
            nanosleep(&(struct timespec){.tv_nsec = SEND_RETRY_NS}, NULL);
        } else if (errno == EPIPE || errno == ECONNRESET || errno == EAGAIN) {
            return lh_error_set(error, LH_ERR_CRASHED, NULL, "the other process does not listen any more");
        } else if (errno != EINTR) {
            return system_error(error, "cannot send to the other process");
        }
    }
    return LH_OK;
}

/* The head, with the memory file (or -1) and as many descriptors as fit; *sent says how many of `fds`. */
static enum lh_status send_head(int socket, const struct head *head, const void *body, int file, const int *fds,
                                size_t *sent, struct lh_error *error)
{
    int batch[ENGINE_CHANNEL_BATCH];
    size_t count = 0;
    if (file >= 0) {
        batch[count++] = file;
    }
    size_t first = head->fd_count;
    if (first > ENGINE_CHANNEL_BATCH - count) {
        first = ENGINE_CHANNEL_BATCH - count;
    }
    for (size_t i = 0; i < first; i++) {
        batch[count++] = fds[i];
    }
    *sent = first;
    return send_packet(socket, head, sizeof *head, body, file >= 0 ? 0 : (size_t)head->size, batch, count, error);
}

enum lh_status engine_channel_send(int socket, uint32_t kind, const void *body, size_t size, const int *fds,
                                   size_t fd_count, struct lh_error *error)
{
    if (size > ENGINE_CHANNEL_BODY_MAX || fd_count > ENGINE_CHANNEL_DESCRIPTORS_MAX) {
        return lh_error_set(error, LH_ERR_LIMIT, NULL, "a message of %zu bytes and %zu files is too large", size,
                            fd_count);
    }
    struct head head = {.magic = HEAD_MAGIC, .kind = kind, .size = size, .fd_count = (uint32_t)fd_count};
    int file = -1;
    if (size > ENGINE_CHANNEL_INLINE_MAX) {
        enum lh_status status = engine_sealed_file(body, size, &file, error);
        if (status != LH_OK) {
            return status;
        }
        head.in_file = 1;
    }
    size_t sent = 0;
    enum lh_status status = send_head(socket, &head, body, file, fds, &sent, error);
    if (file >= 0) {
        close(file);
    }
    struct more more = {.magic = MORE_MAGIC, .kind = kind};
    while (status == LH_OK && sent < fd_count) {
        size_t batch = fd_count - sent < ENGINE_CHANNEL_BATCH ? fd_count - sent : ENGINE_CHANNEL_BATCH;
        status = send_packet(socket, &more, sizeof more, NULL, 0, fds + sent, batch, error);
        sent += batch;
    }
    return status;
}

/* What one packet brought. */
struct packet {
    uint8_t *data; /* PACKET_MAX bytes */
    size_t size;
    int fds[ENGINE_CHANNEL_BATCH];
    size_t fd_count;
};

#define PACKET_MAX (sizeof(struct head) + ENGINE_CHANNEL_INLINE_MAX)

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

/* Collects the descriptors before anything else is looked at: they are ours to close now. */
static void take_descriptors(struct msghdr *header, struct packet *packet)
{
    packet->fd_count = 0;
    for (struct cmsghdr *one = CMSG_FIRSTHDR(header); one != NULL; one = CMSG_NXTHDR(header, one)) {
        if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(one) + i * sizeof fd, sizeof fd);
            if (packet->fd_count < ENGINE_CHANNEL_BATCH) {
                packet->fds[packet->fd_count++] = fd;
            } else {
                close(fd);
            }
        }
    }
}

static enum lh_status receive_packet(int socket, struct packet *packet, struct lh_error *error)
{
    union control control;
    struct iovec part = {.iov_base = packet->data, .iov_len = PACKET_MAX};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t size;
    do {
        size = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    if (size == 0 || (size < 0 && errno == ECONNRESET)) {
        return lh_error_set(error, LH_ERR_CRASHED, NULL, "the other process is gone");
    }
    if (size < 0) {
        return system_error(error, "cannot receive from the other process");
    }
    take_descriptors(&header, packet);
    packet->size = (size_t)size;
    if ((header.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0) {
        close_all(packet->fds, packet->fd_count);
        return (header.msg_flags & MSG_CTRUNC) != 0
                   ? lh_error_set(
                         error, LH_ERR_LIMIT, NULL,
                         "files were lost on the way between processes; raise the limit of open files (ulimit -n)")
                   : malformed(error);
    }
    return LH_OK;
}

/* Maps a large body. Only a file that nobody can change or shorten any more may be mapped: a page that went away would
   kill this process. */
static enum lh_status map_body(int file, uint64_t size, struct engine_message *message, struct lh_error *error)
{
    struct stat facts;
    int seals = fcntl(file, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(file, &facts) != 0 || facts.st_size < 0 ||
        (uint64_t)facts.st_size != size) {
        return malformed(error);
    }
    void *map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, file, 0);
    if (map == MAP_FAILED) {
        return system_error(error, "cannot map a message");
    }
    message->body = map;
    message->size = message->map_size = (size_t)size;
    return LH_OK;
}

/* Whether the head is one that engine_channel_send() can have written. */
static bool head_is_valid(const struct packet *packet, const struct head *head, size_t fds_max)
{
    if (head->magic != HEAD_MAGIC || head->in_file > 1 || head->fd_count > fds_max ||
        head->fd_count > ENGINE_CHANNEL_DESCRIPTORS_MAX) {
        return false;
    }
    bool large = head->in_file == 1;
    size_t behind = packet->size - sizeof *head;
    if (large ? head->size <= ENGINE_CHANNEL_INLINE_MAX || head->size > ENGINE_CHANNEL_BODY_MAX || behind != 0
              : head->size != behind) {
        return false;
    }
    size_t expected = head->fd_count + head->in_file;
    return packet->fd_count == (expected < ENGINE_CHANNEL_BATCH ? expected : ENGINE_CHANNEL_BATCH);
}

/* The packets behind the head, until the message has all its descriptors. */
static enum lh_status receive_more(int socket, struct packet *packet, size_t expected, struct engine_message *message,
                                   struct lh_error *error)
{
    while (message->fd_count < expected) {
        enum lh_status status = receive_packet(socket, packet, error);
        if (status != LH_OK) {
            return status;
        }
        struct more more = {.magic = 0};
        if (packet->size == sizeof more) {
            memcpy(&more, packet->data, sizeof more);
        }
        if (more.magic != MORE_MAGIC || more.kind != message->kind || packet->fd_count == 0 ||
            packet->fd_count > expected - message->fd_count) {
            close_all(packet->fds, packet->fd_count);
            return malformed(error);
        }
        memcpy(message->fds + message->fd_count, packet->fds, packet->fd_count * sizeof *packet->fds);
        message->fd_count += packet->fd_count;
    }
    return LH_OK;
}

/* Takes the head packet apart; its descriptors become the message's, or are closed. */
static enum lh_status open_head(struct packet *packet, size_t fds_max, struct engine_message *message, size_t *expected,
                                struct lh_error *error)
{
    struct head head = {.magic = 0};
    if (packet->size >= sizeof head) {
        memcpy(&head, packet->data, sizeof head);
    }
    if (packet->size < sizeof head || !head_is_valid(packet, &head, fds_max)) {
        close_all(packet->fds, packet->fd_count);
        return malformed(error);
    }
    message->kind = head.kind;
    message->body = packet->data + sizeof head;
    message->size = (size_t)head.size;
    message->fds = malloc((head.fd_count + 1) * sizeof *message->fds);
    if (message->fds == NULL) {
        close_all(packet->fds, packet->fd_count);
        return lh_error_no_memory(error);
    }
    message->fd_count = packet->fd_count - head.in_file;
    memcpy(message->fds, packet->fds + head.in_file, message->fd_count * sizeof *message->fds);
    *expected = head.fd_count;
    if (head.in_file == 0) {
        return LH_OK;
    }
    enum lh_status status = map_body(packet->fds[0], head.size, message, error);
    close(packet->fds[0]);
    return status;
}

enum lh_status engine_channel_receive(int socket, size_t fds_max, struct engine_message *message,
                                      struct lh_error *error)
{
    struct packet packet = {.data = malloc(PACKET_MAX)};
    if (packet.data == NULL) {
        return lh_error_no_memory(error);
    }
    struct engine_message made = {.storage = packet.data};
    size_t expected = 0;
    enum lh_status status = receive_packet(socket, &packet, error);
    status = status != LH_OK ? status : open_head(&packet, fds_max, &made, &expected, error);
    if (status == LH_OK && made.fd_count < expected) {
        /* Its own buffer: the body may lie in the first packet. */
        struct packet more = {.data = malloc(PACKET_MAX)};
        status = more.data != NULL ? receive_more(socket, &more, expected, &made, error) : lh_error_no_memory(error);
        free(more.data);
    }
    if (status != LH_OK) {
        engine_message_fini(&made);
        return status;
    }
    *message = made;
    return LH_OK;
}

void engine_message_fini(struct engine_message *message)
{
    if (message == NULL) {
        return;
    }
    close_all(message->fds, message->fd_count);
    free(message->fds);
    if (message->map_size > 0) {
        munmap((void *)(uintptr_t)message->body, message->map_size);
    }
    free(message->storage);
    *message = (struct engine_message){.kind = 0};
}
