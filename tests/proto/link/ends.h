/* SPDX-License-Identifier: MIT */
/* Two ends of a link for the tests: folders, endpoints, messages, and waiting for what is to come. Every call aborts
   the test when it fails. */
#ifndef TESTS_PROTO_LINK_ENDS_H
#define TESTS_PROTO_LINK_ENDS_H

#include "proto/link/link.h"
#include "tests/support/testing.h"

#define ENDS_PATIENCE_MS 20000

/* A new folder of mode 0700, and "ipc://FOLDER/NAME" in it. Both are static: one for each test process. */
const char *ends_folder(void);
const char *ends_ipc(const char *name);
void ends_folder_remove(void);

struct wire_link *ends_link(const struct wire_link_options *options);
/* Opens; the socket's number. */
uint32_t ends_open(struct wire_link *link, const struct wire_socket_options *options);
/* A ROUTER and a DEALER in short: 100 ms between beats, dead after DEAD_MS. */
uint32_t ends_bind(struct wire_link *link, const char *endpoint, const struct wire_keys *keys);
uint32_t ends_connect(struct wire_link *link, const char *endpoint, const struct wire_keys *keys,
                      const char *server_key);

/* Sends a text, with a payload of `payload_size` bytes when it is not 0. */
void ends_send(struct wire_link *link, uint32_t socket, uint64_t peer, const char *text, size_t payload_size);
/* The next event, which must be of that kind (and, of a message, that text unless NULL); freed by the caller. */
struct wire_event *ends_expect(struct wire_link *link, enum wire_event_kind kind, const char *text);
/* The same; gives the peer. */
uint64_t ends_peer(struct wire_link *link, enum wire_event_kind kind, const char *text);
/* GONE of that peer and for that reason. */
void ends_gone(struct wire_link *link, uint64_t peer, enum wire_gone why);
/* Nothing comes within `ms`. */
void ends_silence(struct wire_link *link, int ms);
/* Waits until a counter has at least that value. */
#define ends_count(link, name, least)                                                                                  \
    do {                                                                                                               \
        struct wire_counters counters_;                                                                                \
        for (int left_ = ENDS_PATIENCE_MS; wire_link_counters((link), &counters_), counters_.name < (least);           \
             left_--) {                                                                                                \
            ck_assert_msg(left_ > 0, #name " stays at %llu", (unsigned long long)counters_.name);                      \
            ends_sleep(1);                                                                                             \
        }                                                                                                              \
    } while (0)
void ends_sleep(int ms);

#endif
