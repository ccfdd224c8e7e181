/* SPDX-License-Identifier: MIT */
/* From blobs to facts. */
#include "pulse-daemon/service/file_facts.h"

#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"

#define FACTS_MAX (256u << 20) /* bytes: the notes of a large MIDI file */

enum lh_status pulse_blob_bytes(struct lh_blobs *blobs, const struct lh_digest *digest, uint64_t most,
                                struct lh_arena *arena, char **data, size_t *size, struct lh_error *error)
{
    struct lh_blob blob;
    int fd;
    enum lh_status status = lh_blobs_read(blobs, digest, &fd, &blob, error);
    if (status != LH_OK) {
        return status;
    }
    char *read = blob.size <= most ? lh_arena_alloc(arena, (size_t)blob.size + 1) : NULL;
    int code = read != NULL ? lh_file_read_at(fd, read, (size_t)blob.size, 0) : 0;
    close(fd);
    if (blob.size > most) {
        return lh_error_set(error, LH_ERR_LIMIT, NULL, "it is larger than %llu bytes", (unsigned long long)most);
    }
    if (read == NULL) {
        return lh_error_no_memory(error);
    }
    if (code != 0) {
        return lh_error_set(error, LH_ERR_IO, NULL, "%s", strerror(code));
    }
    read[blob.size] = '\0';
    *data = read;
    *size = (size_t)blob.size;
    return LH_OK;
}

enum lh_status pulse_file_facts(struct lh_blobs *blobs, const struct lh_digest *digest, bool is_midi,
                                struct lh_arena *arena, struct graph_file_facts *facts, struct lh_error *error)
{
    struct graph_file_facts read;
    char *data = NULL;
    size_t size = 0;
    enum lh_status status = pulse_blob_bytes(blobs, digest, FACTS_MAX, arena, &data, &size, error);
    if (status != LH_OK) {
        return status;
    }
    status = graph_facts_read(data, size, arena, &read);
    if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(error);
    }
    if (status != LH_OK) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the %zu bytes cannot be read as facts of a file", size);
    }
    if (read.is_midi != is_midi) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "they are of a %s file, and this is a %s file",
                            read.is_midi ? "MIDI" : "sound", is_midi ? "MIDI" : "sound");
    }
    *facts = read;
    return LH_OK;
}

void pulse_facts_doubt(struct lh_blobs *blobs, const struct lh_digest *digest)
{
    struct lh_blob blob;
    struct lh_digest found;
    int fd;
    if (lh_blobs_read(blobs, digest, &fd, &blob, NULL) != LH_OK) {
        return;
    }
    bool damaged = blob.kind == LH_BLOBS_CACHED && blob.size <= FACTS_MAX &&
                   lh_digest_file(fd, &found, NULL) == LH_OK && !lh_digest_equal(&found, digest);
    close(fd);
    if (!damaged || !lh_blobs_mark(blobs, digest, 0)) {
        return;
    }
    char text[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(digest, text);
    LH_LOG(LH_LOG_ERROR, "blob damaged", LH_LOG_TEXT("digest", text));
    if (lh_blobs_remove(blobs, digest, NULL, NULL) != LH_OK) {
        lh_blobs_unmark(blobs, digest);
    }
}
