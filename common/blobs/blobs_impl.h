/* SPDX-License-Identifier: MIT */
/* What the files of this folder share. Not for other folders. */
#ifndef LH_BLOBS_BLOBS_IMPL_H
#define LH_BLOBS_BLOBS_IMPL_H

#include <pthread.h>
#include <stddef.h>

#include "common/blobs/blobs.h"

#define LH_BLOBS_SHARDS 256u   /* of the index, by the digest's first byte, like the folders */
#define LH_BLOBS_PATH_SIZE 128 /* of any path in the folder, from the folder on */
#define LH_BLOBS_PIECE ((size_t)256 << 10)
#define LH_BLOBS_MS_NS UINT64_C(1000000)

enum lh_blobs_place { LH_BLOBS_IN_CACHED = 0, LH_BLOBS_IN_KEPT, LH_BLOBS_IN_SUSPECT };

/* What one thread does to an entry without the lock; all others wait for it to be idle. */
enum lh_blobs_work {
    LH_BLOBS_IDLE = 0,
    LH_BLOBS_PLACING,  /* new: its file has no name yet */
    LH_BLOBS_CHANGING, /* there, and will be: promoted or verified */
    LH_BLOBS_LEAVING,  /* marked */
};

struct lh_blobs_entry {
    struct lh_digest digest;
    uint64_t size;
    uint64_t used_ns; /* by the clock on the wall: it lives on as the file's time */
    uint32_t holds;
    enum lh_blobs_place place;
    enum lh_blobs_work work;
};

struct lh_blobs_shard {
    struct lh_blobs_entry **entries; /* ascending by digest */
    size_t count, capacity;
};

struct lh_blobs {
    int folder; /* descriptor */
    int lock;
    bool sync_at_close;
    uint8_t token[LH_BLOBS_TOKEN_SIZE];
    pthread_mutex_t mutex; /* over all that follows */
    pthread_cond_t idle;   /* some entry is idle again, or gone */
    struct lh_blobs_shard shards[LH_BLOBS_SHARDS];
    struct lh_blobs_usage usage; /* but for free_bytes */
    uint64_t quota, floor;
    uint64_t handed_over_max_ns;
    uint64_t reserved;  /* bytes of puts under way that count already */
    uint64_t unwritten; /* those of them that are not on the disk yet */
    uint64_t names;     /* given to files of our own */
};

/* index.c: entries. With the lock held, unless nobody else knows the folder yet. */
struct lh_blobs_entry *lh_blobs_find(const struct lh_blobs *blobs, const struct lh_digest *digest);
/* A new entry, PLACING, that counts for nothing; NULL when memory is out. There must be none of that digest. */
struct lh_blobs_entry *lh_blobs_insert(struct lh_blobs *blobs, const struct lh_digest *digest);
/* Adds it to the usage, or takes it out. `place` and `size` must not change between. */
void lh_blobs_count(struct lh_blobs *blobs, const struct lh_blobs_entry *entry);
void lh_blobs_discount(struct lh_blobs *blobs, const struct lh_blobs_entry *entry);
/* Takes it out of the index and frees it; does not count it out. */
void lh_blobs_delete(struct lh_blobs *blobs, struct lh_blobs_entry *entry);
/* The first entry after `after` (NULL: the first of all), or NULL. */
struct lh_blobs_entry *lh_blobs_after(const struct lh_blobs *blobs, const struct lh_digest *after);
/* The entry when it is idle, waiting for that; NULL when there is none (any more). */
struct lh_blobs_entry *lh_blobs_await(struct lh_blobs *blobs, const struct lh_digest *digest);
/* Idle again: whoever waits looks. */
void lh_blobs_settle(struct lh_blobs *blobs, struct lh_blobs_entry *entry);
struct lh_blob lh_blobs_told(const struct lh_blobs_entry *entry);
void lh_blobs_index_fini(struct lh_blobs *blobs);

/* layout.c: names and files. `path` has LH_BLOBS_PATH_SIZE bytes. */
void lh_blobs_path(enum lh_blobs_place place, const struct lh_digest *digest, char *path);
/* Reads what stands behind "kept/ab/": 64 digits. */
bool lh_blobs_parse_name(const char *name, struct lh_digest *digest);
/* Fails with LH_ERR_LIMIT or LH_ERR_IO by the errno `code`: "cannot be DONE: ...". */
enum lh_status lh_blobs_fail(struct lh_error *error, int code, const char *where, const char *done);
/* rename() within the folder; makes the target's folder when it is not there; `sync`: the new name is on the disk. 0 or
   the errno. */
int lh_blobs_rename(const struct lh_blobs *blobs, const char *from, const char *to, bool sync);
/* Opens the entry's file for reading and checks its size: 0 or the errno, ENOENT for another size too. */
int lh_blobs_open_file(const struct lh_blobs *blobs, enum lh_blobs_place place, const struct lh_digest *digest,
                       uint64_t size, int *fd);
/* A small file of the folder, replaced in one step and synchronised. */
LH_NODISCARD enum lh_status lh_blobs_write_small(const struct lh_blobs *blobs, const char *name, const void *data,
                                                 size_t size, struct lh_error *error);
/* As much of it as there is, up to `size`; 0 when it cannot be read. */
size_t lh_blobs_read_small(int folder, const char *name, void *data, size_t size);
uint64_t lh_blobs_wall_ns(void);

/* blobs.c. Of the file system, the floor included; 0 when it does not tell. */
uint64_t lh_blobs_free_space(const struct lh_blobs *blobs);

/* start.c: what an owner does first. The folder is open and locked. */
LH_NODISCARD enum lh_status lh_blobs_start(struct lh_blobs *blobs, struct lh_error *error);
/* Whether what lies in cached/ was written under this start of the machine, or synchronised by its owner before. */
bool lh_blobs_trusts_cached(int folder);
/* Says that everything is on the disk. */
LH_NODISCARD enum lh_status lh_blobs_mark_orderly(struct lh_blobs *blobs, struct lh_error *error);
/* Unlinks the files in a folder of ours that start with `prefix`: all of them, or with an age those that are older and
   that nobody has open by lh_blobs_hand_over(). */
void lh_blobs_clear(const struct lh_blobs *blobs, const char *name, const char *prefix, uint64_t older_than_ns);

/* hold.c: a suspect one that was verified moves to cached/. The entry is busy, and idle afterwards. 0 or the errno. */
int lh_blobs_believe(struct lh_blobs *blobs, struct lh_blobs_entry *entry);

/* take.c: a file that was found to have other bytes, or whose mark was carried out, loses its name. The entry is busy
   and goes. 0 or the errno, after which it is idle. */
int lh_blobs_take_out(struct lh_blobs *blobs, struct lh_blobs_entry *entry, bool damaged);

#endif
