/* SPDX-License-Identifier: MIT */
/* Says to an endpoint of Pulse what nobody should: garbage KIND ENDPOINT SEED SECONDS [PUBLIC SECRET SERVER-KEY]. The
   token of the environment's GARBAGE_TOKEN is said with every envelope. It prints what it sent and what it was
   answered.

   By way of ZeroMQ: noise (frames of random bytes), torn (envelopes cut off, with bits turned, with more behind them),
   version, state (messages of every kind, whoever may say them, in any order), large (40 MiB in one field), flood
   (questions whose answers are not read). On the socket itself: bytes, greeting (half handshakes, many at a time, and
   handshakes that go wrong), oversize (an endpoint on this host: frames that claim to be huge, and begin to come).
   Well-behaved: ping (asks, and tells how long answers took), stats (Pulse's figures). */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include "common/base/clock.h"
#include "proto/envelope.h"

#define PACKED_MAX 8192
#define FRAMES_MAX 5
#define LARGE ((size_t)40 << 20)
#define CLAIMED_MAX ((size_t)400 << 20)
#define HALF_MAX 200
#define CODES 20
#define GREETING_SIZE 64
#define PATIENCE_MS 5000

struct garbage {
    const char *endpoint, *token, *keys[3]; /* public, secret, server's */
    uint64_t state, until_ns;
    uint64_t sent, answered, refused[CODES], unread, connections;
    void *context, *socket;
    uint64_t id;
};

static uint64_t chance(struct garbage *garbage, uint64_t below)
{
    garbage->state ^= garbage->state >> 12; /* xorshift64* */
    garbage->state ^= garbage->state << 25;
    garbage->state ^= garbage->state >> 27;
    return (garbage->state * UINT64_C(2685821657736338717) >> 11) % below;
}

static void fill(struct garbage *garbage, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)chance(garbage, 256);
    }
}

static bool goes_on(const struct garbage *garbage)
{
    return lh_clock_monotonic_ns() < garbage->until_ns;
}

/* ---- by way of ZeroMQ ---- */

static void connect_anew(struct garbage *garbage)
{
    int linger = 0, queue = 100, patience = 200;
    if (garbage->socket != NULL) {
        zmq_close(garbage->socket);
    }
    garbage->socket = zmq_socket(garbage->context, ZMQ_DEALER);
    zmq_setsockopt(garbage->socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(garbage->socket, ZMQ_SNDHWM, &queue, sizeof queue);
    zmq_setsockopt(garbage->socket, ZMQ_SNDTIMEO, &patience, sizeof patience);
    if (garbage->keys[0] != NULL) {
        zmq_setsockopt(garbage->socket, ZMQ_CURVE_PUBLICKEY, garbage->keys[0], strlen(garbage->keys[0]) + 1);
        zmq_setsockopt(garbage->socket, ZMQ_CURVE_SECRETKEY, garbage->keys[1], strlen(garbage->keys[1]) + 1);
        zmq_setsockopt(garbage->socket, ZMQ_CURVE_SERVERKEY, garbage->keys[2], strlen(garbage->keys[2]) + 1);
    }
    if (zmq_connect(garbage->socket, garbage->endpoint) != 0) {
        fprintf(stderr, "garbage: %s: %s\n", garbage->endpoint, zmq_strerror(zmq_errno()));
        exit(2);
    }
    garbage->connections++;
}

static void count_answer(struct garbage *garbage, const void *data, size_t size)
{
    Wire__Envelope *envelope = wire__envelope__unpack(NULL, size, data);
    if (envelope == NULL) {
        garbage->unread += size > 1 ? 1 : 0; /* one byte is a sign of life */
        return;
    }
    garbage->answered++;
    if (envelope->body_case == WIRE__ENVELOPE__BODY_ERROR && (unsigned)envelope->error->code < CODES) {
        garbage->refused[envelope->error->code]++;
    }
    wire__envelope__free_unpacked(envelope, NULL);
}

static void hear(struct garbage *garbage, long wait_ms)
{
    zmq_pollitem_t item = {.socket = garbage->socket, .events = ZMQ_POLLIN};
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (zmq_poll(&item, 1, wait_ms) > 0 && zmq_msg_recv(&frame, garbage->socket, ZMQ_DONTWAIT) >= 0) {
        count_answer(garbage, zmq_msg_data(&frame), zmq_msg_size(&frame));
        wait_ms = 0;
    }
    zmq_msg_close(&frame);
}

static bool send_frame(struct garbage *garbage, const void *data, size_t size, bool more)
{
    return zmq_send(garbage->socket, data, size, more ? ZMQ_SNDMORE : 0) >= 0;
}

/* ---- envelopes of every kind ---- */

static uint64_t some_number(struct garbage *garbage)
{
    static const uint64_t odd[] = {0, 1, 2, UINT32_MAX, UINT64_MAX, INT64_MAX, 1 << 20};
    return chance(garbage, 2) == 0 ? chance(garbage, 100) : odd[chance(garbage, sizeof odd / sizeof *odd)];
}

/* Fields of a message that has no form yet: those that must be there, and some of the others, as their types are. */
static void fill_message(struct garbage *garbage, ProtobufCMessage *message, void *room, size_t *used, unsigned depth)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        uint8_t *at = (uint8_t *)message + field->offset, *has = (uint8_t *)message + field->quantifier_offset;
        bool wanted = field->label == PROTOBUF_C_LABEL_REQUIRED || chance(garbage, 2) == 0;
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 || field->label == PROTOBUF_C_LABEL_REPEATED || !wanted) {
            continue;
        }
        uint64_t number = some_number(garbage);
        size_t size = chance(garbage, 3) == 0 ? chance(garbage, 64) : 32;
        bool optional = field->label == PROTOBUF_C_LABEL_OPTIONAL;
        if (field->type == PROTOBUF_C_TYPE_STRING) {
            static const char *const texts[] = {"", "x", "worker-1", "/etc/passwd", "../..", "\x01\x02", "admin"};
            *(const char **)at = texts[chance(garbage, sizeof texts / sizeof *texts)];
        } else if (field->type == PROTOBUF_C_TYPE_BYTES && *used + size < PACKED_MAX) {
            *(ProtobufCBinaryData *)at = (ProtobufCBinaryData){.data = (uint8_t *)room + *used, .len = size};
            fill(garbage, (uint8_t *)room + *used, size);
            *used += size;
            *(protobuf_c_boolean *)has = optional ? true : *(protobuf_c_boolean *)has;
        } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
            const ProtobufCMessageDescriptor *part = field->descriptor;
            size_t start = (*used + 15) / 16 * 16;
            if (depth < 3 && start + part->sizeof_message < PACKED_MAX) {
                ProtobufCMessage *made = (void *)((uint8_t *)room + start);
                *used = start + part->sizeof_message;
                protobuf_c_message_init(part, made);
                fill_message(garbage, made, room, used, depth + 1);
                *(ProtobufCMessage **)at = made;
            }
        } else if (field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_DOUBLE) {
            memcpy(at, &number, sizeof number);
            *(protobuf_c_boolean *)has = optional ? true : *(protobuf_c_boolean *)has;
        } else if (field->type != PROTOBUF_C_TYPE_BYTES) {
            uint32_t half = field->type == PROTOBUF_C_TYPE_BOOL ? number % 2 : (uint32_t)number;
            memcpy(at, &half, sizeof half);
            *(protobuf_c_boolean *)has = optional ? true : *(protobuf_c_boolean *)has;
        }
    }
}

/* A body of the envelope's, by chance; none when it would not be whole. Its size in `packed`. */
static size_t compose(struct garbage *garbage, uint8_t packed[PACKED_MAX], bool odd_version)
{
    static _Alignas(16) uint8_t room[PACKED_MAX];
    const ProtobufCMessageDescriptor *all = &wire__envelope__descriptor;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(++garbage->id);
    const ProtobufCFieldDescriptor *field;
    size_t used = 0;
    do {
        field = &all->fields[chance(garbage, all->n_fields)];
    } while ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0);
    const ProtobufCMessageDescriptor *body = field->descriptor;
    protobuf_c_message_init(body, room);
    used = (body->sizeof_message + 15) / 16 * 16;
    fill_message(garbage, (ProtobufCMessage *)(void *)room, room, &used, 0);
    envelope.body_case = (Wire__Envelope__BodyCase)field->id;
    envelope.ping = (Wire__Ping *)(void *)room; /* a union of pointers */
    envelope.token = (char *)(uintptr_t)garbage->token;
    if (odd_version) {
        envelope.version_min = (uint32_t)some_number(garbage);
        envelope.version_max = (uint32_t)some_number(garbage);
    }
    bool whole = protobuf_c_message_check(&envelope.base) != 0;
    if (!whole) {
        Wire__Ping ping = WIRE__PING__INIT;
        WIRE_BODY(&envelope, PING, ping, &ping);
        return wire__envelope__pack(&envelope, packed);
    }
    return wire__envelope__get_packed_size(&envelope) <= PACKED_MAX ? wire__envelope__pack(&envelope, packed) : 0;
}

/* ---- what is said ---- */

static void say_noise(struct garbage *garbage)
{
    static uint8_t bytes[1 << 16];
    unsigned frames = 1 + (unsigned)chance(garbage, FRAMES_MAX);
    for (unsigned i = 0; i < frames; i++) {
        size_t size = chance(garbage, 4) == 0 ? chance(garbage, sizeof bytes) : chance(garbage, 40);
        fill(garbage, bytes, size < 4096 ? size : 4096);
        send_frame(garbage, bytes, size, i + 1 < frames);
    }
}

static void say_torn(struct garbage *garbage)
{
    uint8_t packed[PACKED_MAX + 64];
    size_t size = compose(garbage, packed, false);
    uint64_t how = chance(garbage, 3);
    if (how == 0 && size > 0) {
        size = chance(garbage, size);
    } else if (how == 1 && size > 0) {
        for (uint64_t turned = 1 + chance(garbage, 8); turned > 0; turned--) {
            packed[chance(garbage, size)] ^= (uint8_t)(1u << chance(garbage, 8));
        }
    } else {
        size_t more = 1 + chance(garbage, 63);
        fill(garbage, packed + size, more);
        size += more;
    }
    send_frame(garbage, packed, size, false);
}

static void say_version(struct garbage *garbage)
{
    uint8_t packed[PACKED_MAX];
    send_frame(garbage, packed, compose(garbage, packed, true), false);
}

static void say_state(struct garbage *garbage)
{
    uint8_t packed[PACKED_MAX], payload[512] = {0};
    size_t size = compose(garbage, packed, false);
    bool more = chance(garbage, 4) == 0;
    if (send_frame(garbage, packed, size, more) && more) {
        send_frame(garbage, payload, chance(garbage, sizeof payload), false);
    }
}

static void say_large(struct garbage *garbage)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(++garbage->id);
    Wire__ProjectCreate body = WIRE__PROJECT_CREATE__INIT;
    uint8_t *zeros = calloc(1, LARGE), *packed = malloc(LARGE + PACKED_MAX);
    if (zeros == NULL || packed == NULL) {
        exit(2);
    }
    body.document = (ProtobufCBinaryData){.data = zeros, .len = LARGE};
    envelope.token = (char *)(uintptr_t)garbage->token;
    WIRE_BODY(&envelope, PROJECT_CREATE, project_create, &body);
    send_frame(garbage, packed, wire__envelope__pack(&envelope, packed), false);
    free(zeros);
    free(packed);
    uint64_t answered = garbage->answered;
    for (unsigned i = 0; i < 100 && garbage->answered == answered; i++) { /* signs of life come before the answer */
        hear(garbage, 50);
        usleep(1000);
    }
}

static size_t pack_ping(struct garbage *garbage, uint8_t *packed)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(++garbage->id);
    Wire__Ping ping = WIRE__PING__INIT;
    envelope.token = (char *)(uintptr_t)garbage->token;
    WIRE_BODY(&envelope, PING, ping, &ping);
    return wire__envelope__pack(&envelope, packed);
}

static void say_flood(struct garbage *garbage)
{
    uint8_t packed[PACKED_MAX];
    send_frame(garbage, packed, pack_ping(garbage, packed), false);
}

static void talk(struct garbage *garbage, void (*say)(struct garbage *), bool reads)
{
    connect_anew(garbage);
    while (goes_on(garbage)) {
        if (chance(garbage, 100) == 0 && reads) {
            hear(garbage, 20);
            connect_anew(garbage);
        }
        say(garbage);
        garbage->sent++;
        if (reads) {
            hear(garbage, 0);
        }
    }
    if (reads) {
        hear(garbage, 300);
    }
}

/* ---- on the socket itself ---- */

static int dial_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memccpy(address.sun_path, path, '\0', sizeof address.sun_path - 1);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int dial(const struct garbage *garbage)
{
    if (strncmp(garbage->endpoint, "ipc://", 6) == 0) {
        return dial_unix(garbage->endpoint + 6);
    }
    char host[256] = "";
    const char *start = garbage->endpoint + 6, *colon = strrchr(start, ':');
    struct addrinfo *found, wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    memcpy(host, start, (size_t)(colon - start) < sizeof host ? (size_t)(colon - start) : 0);
    if (getaddrinfo(host, colon + 1, &wanted, &found) != 0) {
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

/* rfc.zeromq.org/spec/37 */
static void make_greeting(uint8_t greeting[GREETING_SIZE], const char *mechanism)
{
    memset(greeting, 0, GREETING_SIZE);
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[11] = 1;
    memcpy(greeting + 12, mechanism, strlen(mechanism));
}

static void write_some(struct garbage *garbage, int fd, const void *data, size_t size)
{
    garbage->sent += send(fd, data, size, MSG_NOSIGNAL) > 0 ? 1 : 0;
}

static void throw_bytes(struct garbage *garbage)
{
    uint8_t bytes[4096];
    while (goes_on(garbage)) {
        int fd = dial(garbage);
        garbage->connections += fd >= 0 ? 1 : 0;
        for (uint64_t i = chance(garbage, 8); fd >= 0 && i > 0; i--) {
            size_t size = 1 + chance(garbage, sizeof bytes);
            fill(garbage, bytes, size);
            write_some(garbage, fd, bytes, size);
        }
        close(fd);
    }
}

/* A few go on wrongly after their greeting, most just stay. */
static void greet_and_stay(struct garbage *garbage)
{
    int open[HALF_MAX];
    unsigned count = 0;
    uint8_t bytes[GREETING_SIZE + 256];
    while (goes_on(garbage)) {
        int fd = dial(garbage);
        if (fd < 0) {
            usleep(10000);
            continue;
        }
        garbage->connections++;
        make_greeting(bytes, chance(garbage, 4) == 0 ? "PLAIN" : garbage->endpoint[0] == 'i' ? "NULL" : "CURVE");
        fill(garbage, bytes + GREETING_SIZE, 256);
        size_t size = chance(garbage, 2) == 0 ? 1 + chance(garbage, GREETING_SIZE) : GREETING_SIZE;
        write_some(garbage, fd, bytes, chance(garbage, 4) == 0 ? GREETING_SIZE + chance(garbage, 256) : size);
        if (count == HALF_MAX) {
            unsigned victim = (unsigned)chance(garbage, HALF_MAX);
            close(open[victim]);
            open[victim] = fd;
            usleep(1000);
        } else {
            open[count++] = fd;
        }
    }
    while (count > 0) {
        close(open[--count]);
    }
}

/* A whole handshake, then a frame that says it is huge, and as much of it as is taken. */
static void claim_much(struct garbage *garbage)
{
    static const uint8_t ready[] = "\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06"
                                   "DEALER";
    static const uint64_t sizes[] = {UINT64_C(81) << 20, UINT64_C(1) << 30, UINT64_C(1) << 62, UINT64_MAX};
    uint8_t greeting[GREETING_SIZE], answer[512],
        *zeros = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct timeval patience = {.tv_sec = 1};
    make_greeting(greeting, "NULL");
    while (goes_on(garbage)) {
        int fd = dial(garbage);
        if (fd < 0) {
            usleep(10000);
            continue;
        }
        garbage->connections++;
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        uint64_t size = sizes[chance(garbage, sizeof sizes / sizeof *sizes)];
        uint8_t header[9] = {0x02};
        for (unsigned i = 0; i < 8; i++) {
            header[1 + i] = (uint8_t)(size >> (8 * (7 - i)));
        }
        write_some(garbage, fd, greeting, sizeof greeting);
        write_some(garbage, fd, ready, sizeof ready - 1);
        for (size_t got = 0; got < GREETING_SIZE + sizeof ready - 1;) {
            ssize_t more = recv(fd, answer, sizeof answer, 0);
            if (more <= 0) {
                break;
            }
            got += (size_t)more;
        }
        write_some(garbage, fd, header, sizeof header);
        size_t come = size < CLAIMED_MAX ? (size_t)size : CLAIMED_MAX;
        for (size_t all = 0; all < come && goes_on(garbage); all += 1 << 20) {
            if (send(fd, zeros, 1 << 20, MSG_NOSIGNAL) != 1 << 20) {
                garbage->answered++; /* by being shut out */
                break;
            }
        }
        close(fd);
        usleep(1000);
    }
    munmap(zeros, 1 << 20);
}

/* ---- well-behaved ---- */

static const Wire__Envelope *ask(struct garbage *garbage, const uint8_t *packed, size_t size)
{
    static Wire__Envelope *answer;
    zmq_pollitem_t item = {.socket = garbage->socket, .events = ZMQ_POLLIN};
    zmq_msg_t frame;
    if (answer != NULL) {
        wire__envelope__free_unpacked(answer, NULL);
        answer = NULL;
    }
    zmq_msg_init(&frame);
    send_frame(garbage, packed, size, false);
    garbage->sent++;
    while (answer == NULL && zmq_poll(&item, 1, PATIENCE_MS) > 0 && zmq_msg_recv(&frame, garbage->socket, 0) >= 0) {
        if (zmq_msg_size(&frame) > 1) {
            answer = wire__envelope__unpack(NULL, zmq_msg_size(&frame), zmq_msg_data(&frame));
        }
    }
    zmq_msg_close(&frame);
    garbage->answered += answer != NULL ? 1 : 0;
    return answer;
}

static void ping(struct garbage *garbage)
{
    uint8_t packed[PACKED_MAX];
    uint64_t longest_ns = 0;
    connect_anew(garbage);
    while (goes_on(garbage)) {
        uint64_t begun_ns = lh_clock_monotonic_ns();
        const Wire__Envelope *answer = ask(garbage, packed, pack_ping(garbage, packed));
        uint64_t took_ns = lh_clock_monotonic_ns() - begun_ns;
        longest_ns = took_ns > longest_ns ? took_ns : longest_ns;
        if (answer == NULL || answer->body_case != WIRE__ENVELOPE__BODY_PONG) {
            fprintf(stderr, "garbage: a ping was not answered with a pong\n");
            exit(1);
        }
        usleep(10000);
    }
    printf("longest_ms=%.1f ", (double)longest_ns / 1e6);
}

static void read_stats(struct garbage *garbage)
{
    uint8_t packed[PACKED_MAX];
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(1);
    Wire__StatsRead body = WIRE__STATS_READ__INIT;
    envelope.token = (char *)(uintptr_t)garbage->token;
    WIRE_BODY(&envelope, STATS_READ, stats_read, &body);
    connect_anew(garbage);
    const Wire__Envelope *answer = ask(garbage, packed, wire__envelope__pack(&envelope, packed));
    if (answer == NULL || answer->body_case != WIRE__ENVELOPE__BODY_STATS) {
        fprintf(stderr, "garbage: Pulse tells no figures\n");
        exit(1);
    }
    for (size_t i = 0; i < answer->stats->n_stats; i++) {
        printf("%s=%.17g ", answer->stats->stats[i]->name, answer->stats->stats[i]->value);
    }
}

int main(int count, char **arguments)
{
    static const struct {
        const char *kind;
        void (*say)(struct garbage *);
        bool reads;
        void (*run)(struct garbage *);
    } kinds[] = {
        {"noise", say_noise, true, NULL},      {"torn", say_torn, true, NULL},
        {"version", say_version, true, NULL},  {"state", say_state, true, NULL},
        {"large", say_large, true, NULL},      {"flood", say_flood, false, NULL},
        {"bytes", NULL, false, throw_bytes},   {"greeting", NULL, false, greet_and_stay},
        {"oversize", NULL, false, claim_much}, {"ping", NULL, false, ping},
        {"stats", NULL, false, read_stats},
    };
    struct garbage garbage = {.token = getenv("GARBAGE_TOKEN")};
    size_t kind = 0;
    while (count >= 5 && kind < sizeof kinds / sizeof *kinds && strcmp(kinds[kind].kind, arguments[1]) != 0) {
        kind++;
    }
    if ((count != 5 && count != 8) || kind == sizeof kinds / sizeof *kinds) {
        fprintf(stderr, "usage: garbage KIND ENDPOINT SEED SECONDS [PUBLIC SECRET SERVER-KEY]\n");
        return 2;
    }
    for (int i = 5; i < count; i++) {
        garbage.keys[i - 5] = arguments[i];
    }
    garbage.endpoint = arguments[2];
    garbage.state = strtoull(arguments[3], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    garbage.until_ns = lh_clock_monotonic_ns() + (uint64_t)(strtod(arguments[4], NULL) * 1e9);
    garbage.context = zmq_ctx_new();
    if (kinds[kind].run != NULL) {
        kinds[kind].run(&garbage);
    } else {
        talk(&garbage, kinds[kind].say, kinds[kind].reads);
    }
    printf("sent=%llu connections=%llu answered=%llu unread=%llu", (unsigned long long)garbage.sent,
           (unsigned long long)garbage.connections, (unsigned long long)garbage.answered,
           (unsigned long long)garbage.unread);
    for (unsigned i = 0; i < CODES; i++) {
        if (garbage.refused[i] > 0) {
            printf(" error_%u=%llu", i, (unsigned long long)garbage.refused[i]);
        }
    }
    putchar('\n');
    if (garbage.socket != NULL) {
        zmq_close(garbage.socket);
    }
    zmq_ctx_term(garbage.context);
    return 0;
}
