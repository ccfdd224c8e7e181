/* SPDX-License-Identifier: MIT */
/* Messages with descriptors between two processes, over one SOCK_SEQPACKET socket.

   A message has a kind, a body and any number of descriptors. On the wire it is a head packet (u32 magic, u32 kind,
   u64 body size, u32 descriptors, u32 1 if the body is in a memory file) with the body behind it, or, when the body is
   larger than ENGINE_CHANNEL_INLINE_MAX, in a sealed memory file, whose descriptor comes first. Descriptors travel by
   SCM_RIGHTS, at most ENGINE_CHANNEL_BATCH in one packet; the rest follows in packets that hold u32 magic and u32 kind
   alone. The other side may be hostile: nothing that it sends is believed before it is checked, and what arrives of a
   refused message is closed. A receiver that allows no descriptors takes exactly one packet, so it never waits for a
   second.

   Functions may be called from any thread, one sender and one receiver at a time for each socket. */
#ifndef ENGINE_INSTANCE_CHANNEL_H
#define ENGINE_INSTANCE_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define ENGINE_CHANNEL_INLINE_MAX 16384             /* bytes of a body in the packet itself */
#define ENGINE_CHANNEL_BODY_MAX (UINT64_C(1) << 30) /* bytes */
#define ENGINE_CHANNEL_BATCH 200                    /* descriptors; Linux allows 253 in one packet */
#define ENGINE_CHANNEL_DESCRIPTORS_MAX (1u << 20)

struct engine_message {
    uint32_t kind;
    const uint8_t *body; /* stays valid until engine_message_fini() */
    size_t size;
    int *fds; /* owned: what still is >= 0 is closed by engine_message_fini() */
    size_t fd_count;
    void *storage;   /* malloc'd packet, or NULL */
    size_t map_size; /* > 0: the body is mapped */
};

/* Two connected sockets, both close-on-exec. */
LH_NODISCARD enum lh_status engine_channel_pair(int sockets[2], struct lh_error *error);

/* The descriptors stay the caller's. LH_ERR_CRASHED: nobody is there to receive, or it took nothing for a while.
   LH_ERR_LIMIT: a body or a number of descriptors past the limits. */
LH_NODISCARD enum lh_status engine_channel_send(int socket, uint32_t kind, const void *body, size_t size,
                                                const int *fds, size_t fd_count, struct lh_error *error);
/* Waits for a message with at most `fds_max` descriptors. LH_ERR_CRASHED: the other side is gone. LH_ERR_FORMAT: it
   broke the rules. LH_ERR_LIMIT: this process cannot hold more descriptors. */
LH_NODISCARD enum lh_status engine_channel_receive(int socket, size_t fds_max, struct engine_message *message,
                                                   struct lh_error *error);
void engine_message_fini(struct engine_message *message); /* accepts NULL and a zeroed message */

/* A sealed memory file of `size` bytes at `data`: it can neither be written nor change its size. The caller closes
   it. */
LH_NODISCARD enum lh_status engine_sealed_file(const void *data, size_t size, int *fd, struct lh_error *error);

#endif
