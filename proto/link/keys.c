/* SPDX-License-Identifier: MIT */
/* CURVE keys in files. */
#include "proto/link/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "common/base/file.h"

#define RAW_SIZE 32
#define HEAD "loophole-curve "
#define HEAD_SIZE (sizeof HEAD - 1)
#define KEY_LENGTH (WIRE_KEY_SIZE - 1)
#define FILE_BYTES (HEAD_SIZE + 2 * KEY_LENGTH + 2)

static void wipe(void *secret, size_t size)
{
    explicit_bzero(secret, size);
}

enum lh_status wire_keys_generate(struct wire_keys *keys, struct lh_error *error)
{
    struct wire_keys made;
    if (zmq_curve_keypair(made.public_key, made.secret_key) != 0) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, "", "ZeroMQ was built without CURVE");
    }
    *keys = made;
    return LH_OK;
}

bool wire_key_valid(const char *text)
{
    uint8_t raw[RAW_SIZE];
    bool valid = strnlen(text, WIRE_KEY_SIZE) == KEY_LENGTH && zmq_z85_decode(raw, text) != NULL;
    wipe(raw, sizeof raw);
    return valid;
}

enum lh_status wire_keys_save(const struct wire_keys *keys, const char *path, struct lh_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return lh_error_set(error, LH_ERR_IO, path, "the key cannot be written: %s", strerror(errno));
    }
    char text[FILE_BYTES + 1];
    snprintf(text, sizeof text, HEAD "%s %s\n", keys->public_key, keys->secret_key);
    int why = lh_file_write_at(fd, text, FILE_BYTES, 0);
    wipe(text, sizeof text);
    why = why == 0 && fchmod(fd, 0600) != 0 ? errno : why; /* whatever the umask */
    why = why == 0 && fsync(fd) != 0 ? errno : why;
    why = close(fd) != 0 && why == 0 ? errno : why;
    if (why != 0) {
        unlink(path);
        return lh_error_set(error, LH_ERR_IO, path, "the key cannot be written: %s", strerror(why));
    }
    return LH_OK;
}

/* The file's text names two keys, and the first belongs to the second. */
static bool parse(const char *text, struct wire_keys *keys)
{
    char derived[WIRE_KEY_SIZE];
    if (memcmp(text, HEAD, HEAD_SIZE) != 0 || text[HEAD_SIZE + KEY_LENGTH] != ' ' || text[FILE_BYTES - 1] != '\n') {
        return false;
    }
    memcpy(keys->public_key, text + HEAD_SIZE, KEY_LENGTH);
    memcpy(keys->secret_key, text + HEAD_SIZE + KEY_LENGTH + 1, KEY_LENGTH);
    keys->public_key[KEY_LENGTH] = '\0';
    keys->secret_key[KEY_LENGTH] = '\0';
    return wire_key_valid(keys->public_key) && wire_key_valid(keys->secret_key) &&
           zmq_curve_public(derived, keys->secret_key) == 0 && strcmp(derived, keys->public_key) == 0;
}

static enum lh_status load_open(int fd, const char *path, struct wire_keys *keys, struct lh_error *error)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0) {
        return lh_error_set(error, LH_ERR_IO, path, "the key cannot be read: %s", strerror(errno));
    }
    if (!S_ISREG(facts.st_mode) || (facts.st_mode & 077) != 0) {
        return lh_error_set(error, LH_ERR_INVALID, path, "others may use this key: its file must have mode 0600");
    }
    char text[FILE_BYTES + 1] = "";
    size_t got = 0;
    int why = lh_file_read_some_at(fd, text, sizeof text, 0, &got);
    if (why != 0) {
        return lh_error_set(error, LH_ERR_IO, path, "the key cannot be read: %s", strerror(why));
    }
    struct wire_keys read = {0};
    bool good = got == FILE_BYTES && parse(text, &read);
    wipe(text, sizeof text);
    if (good) {
        *keys = read;
    }
    wipe(&read, sizeof read);
    return good ? LH_OK : lh_error_set(error, LH_ERR_INVALID, path, "this is no file with a pair of keys");
}

enum lh_status wire_keys_load(const char *path, struct wire_keys *keys, struct lh_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return lh_error_set(error, errno == ENOENT ? LH_ERR_MISSING : LH_ERR_IO, path, "the key cannot be read: %s",
                            strerror(errno));
    }
    enum lh_status status = load_open(fd, path, keys, error);
    close(fd);
    return status;
}

enum lh_status wire_keys_ensure(const char *path, struct wire_keys *keys, struct lh_error *error)
{
    enum lh_status status = wire_keys_load(path, keys, error);
    if (status != LH_ERR_MISSING) {
        return status;
    }
    struct wire_keys made;
    status = wire_keys_generate(&made, error);
    if (status == LH_OK) {
        status = wire_keys_save(&made, path, error);
        wipe(&made, sizeof made);
    }
    /* Somebody else may have been first: what is in the file counts. */
    return status == LH_OK || status == LH_ERR_IO ? wire_keys_load(path, keys, error) : status;
}
