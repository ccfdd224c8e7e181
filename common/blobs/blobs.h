/* SPDX-License-Identifier: MIT */
/* A folder of blobs, each named by the SHA-256 of its bytes: Pulse's media store and a worker's local cache. One
   process owns a folder (a lock says so); others on the host may read its blobs by path and hand files over into it.

       lock        held by the owner
       kept/ab/HEX      on the disk before they have their name: media, deliverables
       cached/ab/HEX    not synchronised: what can be made again
       suspect/ab/HEX   cached ones that a power cut may have torn: believed only after their digest was verified
       incoming/        files being written or handed over; nothing in it is believed
       trash/           files that have no name any more and wait to be unlinked
       damaged/HEX      kept ones whose bytes turned out to be others: for the operator
       token            for others on the host (lh_blobs_visit)
       boot, scrub      which start of the machine wrote last; where the scrub is

   What stands under kept/ and cached/ is whole at every moment, whoever is killed. A kernel that stops without warning
   can tear cached ones: those written under another start of the machine are moved to suspect/ by the next owner
   (unless the last one stopped in order), and verified when somebody asks for them or by the scrub.

   Any thread, several at once, but for a put, a scrub or an iteration, which belong to one thread at a time. File input
   and output is never done under the lock that they share.

   Errors: LH_ERR_LIMIT when the disk, the quota or the space to be left free forbids it (ENOSPC and EDQUOT included),
   LH_ERR_FORMAT when bytes are not what was announced, LH_ERR_MISSING when there is no such blob, LH_ERR_IO with the
   cause else. */
#ifndef LH_BLOBS_BLOBS_H
#define LH_BLOBS_BLOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/digest/digest.h"

#define LH_BLOBS_NAME_SIZE 40            /* of a file in incoming/, with its NUL */
#define LH_BLOBS_SIZE_UNKNOWN UINT64_MAX /* a put whose length nobody announced */

struct lh_blobs;
struct lh_blobs_put;

enum lh_blobs_kind {
    LH_BLOBS_CACHED = 0, /* can be made again: not synchronised */
    LH_BLOBS_KEPT,       /* on the disk when the call returns */
};

struct lh_blobs_options {
    uint64_t quota_bytes;        /* of all blobs together; 0: none */
    uint64_t floor_bytes;        /* of the file system that stay free */
    uint64_t handed_over_max_ms; /* files handed over that nobody adopted are removed when older and not open with
                                    whoever made them; 0: all of them, at the start */
    bool sync_at_close;          /* closing synchronises the file system and marks that; may take long */
};

struct lh_blob {
    struct lh_digest digest;
    uint64_t size;
    enum lh_blobs_kind kind;
};

struct lh_blobs_usage {
    uint64_t count, bytes;               /* of all blobs, also suspect ones */
    uint64_t cached_count, cached_bytes; /* of those not KEPT */
    uint64_t suspect_count;
    uint64_t free_bytes; /* of the file system, above the floor */
};

/* Makes the folder when it is not there (mode 0700), takes its lock, clears incoming/ and trash/ and learns what is
   there: one look at each file's name and size, no byte is read. LH_ERR_USAGE when another process owns it. */
LH_NODISCARD enum lh_status lh_blobs_open(const char *folder, const struct lh_blobs_options *options,
                                          struct lh_blobs **blobs, struct lh_error *error);
/* No put or scrub may be left. Accepts NULL. */
void lh_blobs_close(struct lh_blobs *blobs);
void lh_blobs_usage(struct lh_blobs *blobs, struct lh_blobs_usage *usage);
/* Takes effect for what comes after. */
void lh_blobs_limit(struct lh_blobs *blobs, uint64_t quota_bytes, uint64_t floor_bytes);

/* Putting: bytes are written aside and hashed on the way; finishing gives them their name. `announced` may be NULL.
   Refused at the beginning when `size` is known and does not fit, later when the disk is full all the same. */
LH_NODISCARD enum lh_status lh_blobs_put_begin(struct lh_blobs *blobs, const struct lh_digest *announced, uint64_t size,
                                               enum lh_blobs_kind kind, struct lh_blobs_put **put,
                                               struct lh_error *error);
/* The next bytes. After a failure only lh_blobs_put_free() is left. */
LH_NODISCARD enum lh_status lh_blobs_put_write(struct lh_blobs_put *put, const void *data, size_t size,
                                               struct lh_error *error);
uint64_t lh_blobs_put_size(const struct lh_blobs_put *put); /* bytes written so far: where a resumed upload goes on */
/* Whole: checks size and digest, synchronises when KEPT, names it. Bytes that are there already are not stored twice (a
   KEPT put of a CACHED blob makes it KEPT). The blob is held once for the caller; *blob says what it is. */
LH_NODISCARD enum lh_status lh_blobs_put_finish(struct lh_blobs_put *put, struct lh_blob *blob, struct lh_error *error);
/* Without a trace unless finished. Accepts NULL. */
void lh_blobs_put_free(struct lh_blobs_put *put);
/* All of it for bytes in memory. */
LH_NODISCARD enum lh_status lh_blobs_put_bytes(struct lh_blobs *blobs, const void *data, size_t size,
                                               enum lh_blobs_kind kind, struct lh_blob *blob, struct lh_error *error);

/* The other way in: a file that a process of the same host wrote into incoming/, under a name made by
   lh_blobs_hand_over(). Its size is checked, its digest is believed unless `verify`. It must be a plain file with one
   name. Held once for the caller. A file that is refused stays. */
LH_NODISCARD enum lh_status lh_blobs_adopt(struct lh_blobs *blobs, const char *name, const struct lh_blob *announced,
                                           bool verify, struct lh_blob *blob, struct lh_error *error);

/* Holding: a blob that is held is not removed. Whoever puts, adopts or finds a blob holds it until what refers to it is
   committed, or until it has been read. lh_blobs_hold() waits while the blob is being removed. LH_ERR_MISSING. A
   suspect one is verified first, which reads all of it. */
LH_NODISCARD enum lh_status lh_blobs_hold(struct lh_blobs *blobs, const struct lh_digest *digest, struct lh_blob *blob,
                                          struct lh_error *error);
void lh_blobs_release(struct lh_blobs *blobs, const struct lh_digest *digest);
/* There, as far as is known: no file is looked at, a suspect one counts. */
bool lh_blobs_has(struct lh_blobs *blobs, const struct lh_digest *digest, struct lh_blob *blob);
/* Opens for reading; the descriptor stays good when the blob is removed. A file that is gone behind our back is
   forgotten: LH_ERR_MISSING. */
LH_NODISCARD enum lh_status lh_blobs_read(struct lh_blobs *blobs, const struct lh_digest *digest, int *fd,
                                          struct lh_blob *blob, struct lh_error *error);
/* From CACHED to KEPT: synchronised. */
LH_NODISCARD enum lh_status lh_blobs_keep(struct lh_blobs *blobs, const struct lh_digest *digest,
                                          struct lh_error *error);

/* Removing, in two steps, so that a store can be asked between them. Marked: false when it is held, not there, or was
   used within the last `unused_ms`. From then on puts, adoptions and holds of this digest wait. */
bool lh_blobs_mark(struct lh_blobs *blobs, const struct lh_digest *digest, uint64_t unused_ms);
/* It stays after all; whoever waited goes on. */
void lh_blobs_unmark(struct lh_blobs *blobs, const struct lh_digest *digest);
/* A marked one loses its name (a rename into trash/); whoever waited goes on and finds it gone. On failure it stays.
 *size (may be NULL): of what went. */
LH_NODISCARD enum lh_status lh_blobs_remove(struct lh_blobs *blobs, const struct lh_digest *digest, uint64_t *size,
                                            struct lh_error *error);
/* Unlinks what lies in trash/. Takes as long as the file system needs for it. */
void lh_blobs_empty_trash(struct lh_blobs *blobs);
/* Unlinks what was handed over by processes that ended before they told (`handed_over_max_ms`; if 0, nothing). */
void lh_blobs_drop_strays(struct lh_blobs *blobs);
/* How much has to go so that `bytes` more fit under quota and floor. */
uint64_t lh_blobs_excess(struct lh_blobs *blobs, uint64_t bytes);
/* Removes CACHED ones that are not held, longest unused first, until `bytes` more fit under quota and floor. For an
   owner that has no store (a worker). *freed may be less than it takes. */
LH_NODISCARD enum lh_status lh_blobs_evict(struct lh_blobs *blobs, uint64_t bytes, uint64_t *freed,
                                           struct lh_error *error);
/* The digests of all blobs in ascending order from `after` on (NULL: from the first), at most `capacity`. For comparing
   with a store's rows. */
size_t lh_blobs_list(struct lh_blobs *blobs, const struct lh_digest *after, struct lh_blob *items, size_t capacity);

/* The scrub: reads everything again, in the order of the digests, a piece at a time, and goes on where it was after a
   restart. The caller sets the pace. */
struct lh_blobs_scrub;
struct lh_blobs_scrubbed {
    uint64_t bytes;          /* read by this call */
    bool round;              /* the last blob was reached: the next call begins anew */
    bool damaged;            /* `digest` had other bytes or could not be read: it is gone from the folder */
    struct lh_digest digest; /* of the blob that was finished last */
};
LH_NODISCARD enum lh_status lh_blobs_scrub_new(struct lh_blobs *blobs, struct lh_blobs_scrub **scrub);
/* Reads at most `bytes` (at least 1), less when blobs are small, since each has to be looked up; and returns early when
   a blob was damaged. */
LH_NODISCARD enum lh_status lh_blobs_scrub_step(struct lh_blobs_scrub *scrub, uint64_t bytes,
                                                struct lh_blobs_scrubbed *scrubbed, struct lh_error *error);
void lh_blobs_scrub_free(struct lh_blobs_scrub *scrub); /* accepts NULL */

/* For processes of the same host and user that do not own the folder. */

/* Proof of being on the same host with the same files: random bytes in a file of the folder, new at each start of the
   owner. */
#define LH_BLOBS_TOKEN_FILE "token"
#define LH_BLOBS_TOKEN_SIZE 32
void lh_blobs_token(const struct lh_blobs *blobs, uint8_t token[LH_BLOBS_TOKEN_SIZE]);
/* LH_ERR_MISSING when the folder cannot be opened or holds another token: then it is not the same host. */
LH_NODISCARD enum lh_status lh_blobs_visit(const char *folder, const uint8_t token[LH_BLOBS_TOKEN_SIZE],
                                           struct lh_error *error);
/* Opens a blob by path for reading; what its owner would suspect is not found. Its size is checked. LH_ERR_MISSING. */
LH_NODISCARD enum lh_status lh_blobs_visit_read(const char *folder, const struct lh_digest *digest, uint64_t size,
                                                int *fd, struct lh_error *error);
/* A new file in incoming/, readable and writable, and its name for lh_blobs_adopt(). Whoever made it writes it and then
   tells the owner, or unlinks it by lh_blobs_hand_back(). It is locked while it is open, so that the owner can tell it
   from one that a process left behind. */
LH_NODISCARD enum lh_status lh_blobs_hand_over(const char *folder, char name[LH_BLOBS_NAME_SIZE], int *fd,
                                               struct lh_error *error);
void lh_blobs_hand_back(const char *folder, const char *name);

#endif
