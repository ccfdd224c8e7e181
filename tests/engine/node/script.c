/* SPDX-License-Identifier: MIT */
/* The scripted Pulse. */
#include "tests/engine/node/script.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tests/support/folders.h"

#define ARGUMENTS_MAX 48
#define NS_PER_MS UINT64_C(1000000)

extern char **environ;

static void need(bool good, const char *what, const struct lh_error *error)
{
    if (!good) {
        fprintf(stderr, "script: %s: %s\n", what, error != NULL ? error->message : strerror(errno));
        abort();
    }
}

static void path_in(const struct script *script, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", script->folder, name);
}

/* ---- Pulse's side */

/* Everything may be brought and fetched; what was brought is kept. */
static void on_ask(void *user, const struct pulse_bulk_ask *ask)
{
    struct script *script = user;
    struct lh_blob blob;
    struct pulse_bulk_answer answer = {.kind = LH_BLOBS_CACHED};
    if (ask->question == PULSE_BULK_MAY_GET && !lh_blobs_has(script->media, &ask->digest, &blob)) {
        answer.status = LH_ERR_MISSING;
    }
    if (ask->question != PULSE_BULK_PUT_DONE && ask->shard == 0) {
        answer.status = LH_ERR_USAGE; /* a worker says which claim entitles it */
    }
    (void)pulse_bulk_answer(script->bulk, ask->ticket, &answer);
}

void script_return(struct script *script)
{
    char path[400];
    struct lh_error error = LH_ERROR_INIT;
    struct lh_blobs_options folder = {.handed_over_max_ms = 3600000};
    path_in(script, "media", path, sizeof path);
    need(lh_blobs_open(path, &folder, &script->media, &error) == LH_OK, "media", &error);
    struct pulse_bulk_options options = {.blobs = script->media, .user = script, .ask = on_ask};
    need(pulse_bulk_new(&options, &script->bulk, &error) == LH_OK, "bulk", &error);
    struct wire_socket_options socket = {.kind = WIRE_ROUTER, .endpoint = script->bulk_endpoint};
    uint32_t number;
    need(wire_link_open(pulse_bulk_link(script->bulk), &socket, &number, &error) == LH_OK, "bulk socket", &error);
    need(wire_link_new(NULL, &script->link, &error) == LH_OK, "link", &error);
    socket.endpoint = script->endpoint;
    socket.message_max = WIRE_MESSAGE_MAX;
    need(wire_link_open(script->link, &socket, &script->socket, &error) == LH_OK, "socket", &error);
}

void script_leave(struct script *script)
{
    wire_link_free(script->link, 0);
    pulse_bulk_free(script->bulk);
    lh_blobs_close(script->media);
    script->link = NULL;
    script->bulk = NULL;
    script->media = NULL;
    script->peer = 0;
}

void script_restart(struct script *script)
{
    script_leave(script);
    script_return(script);
}

void script_begin(struct script *script, bool remote)
{
    char path[400];
    *script = (struct script){.remote = remote, .beat_ms = 100};
    lh_arena_init(&script->arena);
    if (access("/dev/shm", W_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 0); /* nothing here hangs on a disk that synchronises */
    }
    folders_make(script->folder, sizeof script->folder);
    path_in(script, "run", path, sizeof path);
    need(mkdir(path, 0700) == 0, path, NULL);
    snprintf(script->endpoint, sizeof script->endpoint, "ipc://%s/run/workers.ipc", script->folder);
    snprintf(script->bulk_endpoint, sizeof script->bulk_endpoint, "ipc://%s/run/bulk.ipc", script->folder);
    script_return(script);
}

void script_end(struct script *script)
{
    if (script->node > 0) {
        kill(script->node, SIGKILL);
        (void)script_wait(script);
    }
    script_leave(script);
    lh_arena_fini(&script->arena);
    folders_remove(script->folder);
}

/* ---- the node */

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

/* A name space for mounts: root may have one, others where they may be root in one of users. */
static bool leave_mounts(void)
{
    char users[40], groups[40];
    if (unshare(CLONE_NEWNS) == 0) {
        return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    }
    snprintf(users, sizeof users, "0 %u 1", (unsigned)getuid());
    snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getgid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text("/proc/self/uid_map", users) &&
           write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/gid_map", groups);
}

/* A file system of its own. */
static bool mount_disk(const char *folder, const char *options)
{
    return leave_mounts() && (mkdir(folder, 0700) == 0 || errno == EEXIST) &&
           mount("tmpfs", folder, "tmpfs", 0, options) == 0;
}

bool script_may_mount(void)
{
    char folder[256];
    int ended = 1;
    folders_make(folder, sizeof folder);
    pid_t tried = fork();
    if (tried == 0) {
        _exit(mount_disk(folder, "size=1m") ? 0 : 1);
    }
    need(waitpid(tried, &ended, 0) == tried, "waitpid", NULL);
    folders_remove(folder);
    return ended == 0;
}

/* The thread sanitizer starts a program that reads symbols, even for what it suppresses: tests count the node's
   children and its descriptors, so its reports have addresses only. */
static void sanitize_alone(void)
{
    const char *given = getenv("TSAN_OPTIONS");
    char options[1024];
    if (given != NULL && snprintf(options, sizeof options, "%s symbolize=0", given) < (int)sizeof options) {
        setenv("TSAN_OPTIONS", options, 1);
    }
}

void script_start(struct script *script, const char *const *arguments, const char *const *variables)
{
    char cache[400];
    const char *all[ARGUMENTS_MAX] = {
        getenv("LOOPHOLE_NODE"), "--connect", script->endpoint, "--name", "tested", "--slots", "2", "--cache", cache,
    };
    size_t count = 9;
    path_in(script, "cache", cache, sizeof cache);
    for (; arguments != NULL && *arguments != NULL && count < ARGUMENTS_MAX - 1; arguments++) {
        all[count++] = *arguments;
    }
    script->node = fork();
    need(script->node >= 0, "fork", NULL);
    if (script->node == 0) {
        need(script->disk == NULL || mount_disk(cache, script->disk), "mount", NULL);
        setenv("XDG_CACHE_HOME", cache, 1);
        setenv("XDG_DATA_HOME", cache, 1);
        setenv("LOOPHOLE_NODE_FREE_MIN", "1", 1);
        sanitize_alone();
        for (; variables != NULL && *variables != NULL; variables++) {
            putenv((char *)(uintptr_t)*variables);
        }
        execv(all[0], (char *const *)(uintptr_t)all);
        perror(all[0]);
        _exit(127);
    }
}

int script_wait(struct script *script)
{
    int ended = 0;
    while (waitpid(script->node, &ended, 0) < 0) {
        need(errno == EINTR, "waitpid", NULL);
    }
    script->node = 0;
    return WIFSIGNALED(ended) ? 1000 + WTERMSIG(ended) : WEXITSTATUS(ended);
}

size_t script_instances(const struct script *script, pid_t *pids, size_t most)
{
    size_t found = 0;
    DIR *folder = opendir("/proc");
    need(folder != NULL, "/proc", NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[300], line[512] = "";
        int parent = 0;
        char state = 0;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        int fd = entry->d_name[0] >= '0' && entry->d_name[0] <= '9' ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd < 0) {
            continue;
        }
        ssize_t got = read(fd, line, sizeof line - 1);
        close(fd);
        const char *behind = got > 0 ? strrchr(line, ')') : NULL;
        if (behind != NULL && sscanf(behind + 1, " %c %d", &state, &parent) == 2 && parent == script->node &&
            state != 'Z') {
            if (found < most) {
                pids[found] = (pid_t)atoi(entry->d_name);
            }
            found++;
        }
    }
    closedir(folder);
    return found;
}

/* ---- messages */

void script_say(struct script *script, Wire__Envelope *envelope)
{
    struct lh_error error = LH_ERROR_INIT;
    uint8_t *data = NULL;
    size_t size = 0;
    envelope->id = ++script->said;
    need(wire_envelope_pack(envelope, &data, &size, &error) == LH_OK, error.where, &error);
    struct wire_buffer buffer = {.data = data, .size = size};
    need(wire_link_send(script->link, script->socket, script->peer, &buffer, NULL) == LH_OK, "send", NULL);
}

/* What is packed and shipped after a render is no part of it: a share of it can be told to people at any time. */
static void check_share(const Wire__Held *held)
{
    need(!held->has_total || held->done <= held->total, "more is done than there is", NULL);
}

static void note_beat(struct script *script, const Wire__Beat *beat)
{
    script->beats++;
    script->held_count = 0;
    for (size_t i = 0; i < beat->n_held && i < SCRIPT_HELD_MAX; i++) {
        check_share(beat->held[i]);
        script->held[i].shard = beat->held[i]->shard;
        script->held[i].attempt = beat->held[i]->attempt;
        script->held[i].finished = beat->held[i]->finished;
        script->held[i].done = beat->held[i]->done;
        script->held_count++;
    }
}

/* What a node says by itself. */
/* Whether the last beat listed it as finished: then its result was told before. */
static bool is_known(const struct script *script, const Wire__Complete *complete)
{
    for (size_t i = 0; i < script->held_count; i++) {
        if (script->held[i].shard == complete->shard && script->held[i].attempt == complete->attempt) {
            return script->held[i].finished;
        }
    }
    return false;
}

static bool note(struct script *script, const Wire__Envelope *envelope)
{
    if (envelope->body_case == WIRE__ENVELOPE__BODY_BEAT) {
        note_beat(script, envelope->beat);
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_CREDIT) {
        need(envelope->credit->granted > script->granted, "a credit that grants nothing", NULL);
        script->granted = envelope->credit->granted;
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_PROGRESS) {
        check_share(envelope->progress->held);
        script->progresses++;
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_COMPLETE && is_known(script, envelope->complete)) {
        script->repeats++;
    } else if (envelope->body_case != WIRE__ENVELOPE__BODY_INVENTORY) {
        return false;
    }
    return true;
}

/* The next message until then; NULL: none. */
static const Wire__Envelope *next(struct script *script, uint64_t until_ns)
{
    for (;;) {
        uint64_t now = lh_clock_monotonic_ns();
        int wait = until_ns > now ? (int)((until_ns - now) / NS_PER_MS) + 1 : 0;
        struct wire_event *event = wire_link_wait(script->link, wait);
        if (event == NULL && lh_clock_monotonic_ns() >= until_ns) {
            return NULL;
        }
        if (event != NULL && event->kind == WIRE_JOINED) {
            script->peer = event->peer;
        } else if (event != NULL && event->kind == WIRE_MESSAGE && event->peer == script->peer) {
            struct lh_error error = LH_ERROR_INIT;
            lh_arena_fini(&script->arena);
            need(wire_envelope_unpack(event->envelope, event->envelope_size, &script->arena, &script->heard, &error) ==
                     LH_OK,
                 error.where, &error);
            wire_event_free(event);
            return script->heard;
        }
        wire_event_free(event);
    }
}

const Wire__Envelope *script_hear(struct script *script, Wire__Envelope__BodyCase body)
{
    uint64_t until = lh_clock_monotonic_ns() + SCRIPT_PATIENCE_MS * NS_PER_MS;
    const Wire__Envelope *envelope;
    while ((envelope = next(script, until)) != NULL) {
        bool usual = note(script, envelope);
        if (envelope->body_case == body) {
            return envelope;
        }
        ck_assert_msg(usual, "heard %s while waiting for %s: %s", wire_body_name(envelope->body_case),
                      wire_body_name(body),
                      envelope->body_case == WIRE__ENVELOPE__BODY_FAILED ? envelope->failed->message : "");
    }
    ck_abort_msg("no %s was heard", wire_body_name(body));
    return NULL;
}

void script_listen(struct script *script, int milliseconds)
{
    uint64_t until = lh_clock_monotonic_ns() + (uint64_t)milliseconds * NS_PER_MS;
    const Wire__Envelope *envelope;
    while ((envelope = next(script, until)) != NULL) {
        ck_assert_msg(note(script, envelope), "heard %s", wire_body_name(envelope->body_case));
    }
}

void script_welcome(struct script *script, bool wants_inventory)
{
    const Wire__Hello *hello = script_hear(script, WIRE__ENVELOPE__BODY_HELLO)->hello;
    script->hellos++;
    script->granted = 0;
    snprintf(script->name, sizeof script->name, "%s", hello->name);
    snprintf(script->engine, sizeof script->engine, "%s", hello->engine);
    snprintf(script->cpu_class, sizeof script->cpu_class, "%s", hello->cpu_class);
    memcpy(script->session, hello->session.data, sizeof script->session);
    memcpy(script->inventory, hello->inventory.data, sizeof script->inventory);

    char media[400];
    uint8_t token[LH_BLOBS_TOKEN_SIZE];
    path_in(script, "media", media, sizeof media);
    lh_blobs_token(script->media, token);
    Wire__HostMedia host = WIRE__HOST_MEDIA__INIT;
    host.folder = media;
    host.token_file = wire_text(LH_BLOBS_TOKEN_FILE);
    host.token = wire_bytes(token, sizeof token);
    Wire__Welcome welcome = WIRE__WELCOME__INIT;
    welcome.lease_ms = 3 * script->beat_ms;
    welcome.beat_ms = script->beat_ms;
    welcome.inventory_wanted = wants_inventory;
    welcome.bulk_endpoint = script->bulk_endpoint;
    welcome.host = script->remote ? NULL : &host;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    envelope.has_correlation = true;
    envelope.correlation = script->heard->id;
    WIRE_BODY(&envelope, WELCOME, welcome, &welcome);
    script_say(script, &envelope);
}

void script_greet(struct script *script, const char *const *arguments, const char *const *variables)
{
    script_start(script, arguments, variables);
    script_welcome(script, false);
    (void)script_hear(script, WIRE__ENVELOPE__BODY_CREDIT);
}

void script_put(struct script *script, const void *data, size_t size, struct lh_blob *blob)
{
    struct lh_error error = LH_ERROR_INIT;
    need(lh_blobs_put_bytes(script->media, data, size, LH_BLOBS_CACHED, blob, &error) == LH_OK, "put", &error);
    lh_blobs_release(script->media, &blob->digest);
}

void script_assign(struct script *script, uint64_t shard, uint32_t attempt, const struct graph_shard *work,
                   const struct script_input *inputs, size_t count, const struct script_limits *limits)
{
    struct lh_writer spec;
    struct lh_error error = LH_ERROR_INIT;
    lh_writer_init(&spec);
    need(graph_shard_check(work, &error) == LH_OK, error.where, &error);
    need(graph_shard_encode(work, &spec) == LH_OK, "spec", NULL);
    Wire__Blob *blobs = calloc(count + 1, sizeof *blobs);
    Wire__ShardInput *messages = calloc(count + 1, sizeof *messages), **pointers = calloc(count + 1, sizeof(void *));
    need(blobs != NULL && messages != NULL && pointers != NULL, "memory", NULL);
    for (size_t i = 0; i < count; i++) {
        blobs[i] = (Wire__Blob)WIRE__BLOB__INIT;
        blobs[i].digest = wire_bytes(inputs[i].blob.digest.bytes, LH_DIGEST_SIZE);
        blobs[i].size = inputs[i].blob.size;
        messages[i] = (Wire__ShardInput)WIRE__SHARD_INPUT__INIT;
        messages[i].key = wire_bytes(inputs[i].key.bytes, LH_DIGEST_SIZE);
        messages[i].blob = &blobs[i];
        pointers[i] = &messages[i];
    }
    Wire__Limits bounds = WIRE__LIMITS__INIT;
    if (limits != NULL) {
        bounds.has_threads = limits->threads > 0;
        bounds.threads = limits->threads;
        bounds.has_no_progress_ms = limits->no_progress_ms > 0;
        bounds.no_progress_ms = limits->no_progress_ms;
        bounds.has_hard_ms = limits->hard_ms > 0;
        bounds.hard_ms = limits->hard_ms;
        bounds.has_memory = limits->memory > 0;
        bounds.memory = limits->memory;
    }
    Wire__Assign assign = WIRE__ASSIGN__INIT;
    assign.shard = shard;
    assign.attempt = attempt;
    assign.tenant = 7;
    assign.kind = (Wire__ShardKind)work->kind;
    assign.spec = wire_bytes(spec.data, spec.size);
    assign.n_inputs = count;
    assign.inputs = pointers;
    assign.limits = limits != NULL ? &bounds : NULL;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    envelope.trace = wire_text("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    WIRE_BODY(&envelope, ASSIGN, assign, &assign);
    script_say(script, &envelope);
    lh_writer_fini(&spec);
    free(blobs);
    free(messages);
    free(pointers);
}

void script_cancel(struct script *script, uint64_t shard, uint32_t attempt)
{
    Wire__Cancel cancel = WIRE__CANCEL__INIT;
    cancel.shard = shard;
    cancel.attempt = attempt;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    WIRE_BODY(&envelope, CANCEL, cancel, &cancel);
    script_say(script, &envelope);
}

void script_ack(struct script *script, uint64_t shard, uint32_t attempt, Wire__Ack__Verdict verdict)
{
    Wire__Ack ack = WIRE__ACK__INIT;
    ack.shard = shard;
    ack.attempt = attempt;
    ack.verdict = verdict;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    WIRE_BODY(&envelope, ACK, ack, &ack);
    script_say(script, &envelope);
}

int script_adopt(struct script *script, const Wire__ShardOutput *output, struct lh_blob *blob)
{
    struct lh_error error = LH_ERROR_INIT;
    struct lh_blob announced = {.size = output->blob->size};
    memcpy(announced.digest.bytes, output->blob->digest.data, LH_DIGEST_SIZE);
    if (script->remote) {
        ck_assert(output->blob->location->bulk);
        ck_assert_ptr_null(output->blob->location->path);
    } else {
        const char *path = output->blob->location->path;
        ck_assert_msg(path != NULL && strncmp(path, "incoming/", 9) == 0, "%s", path);
        need(lh_blobs_adopt(script->media, path + 9, &announced, true, blob, &error) == LH_OK, "adopt", &error);
        lh_blobs_release(script->media, &announced.digest);
    }
    int fd = -1;
    need(lh_blobs_read(script->media, &announced.digest, &fd, blob, &error) == LH_OK, "read", &error);
    ck_assert_uint_eq(blob->size, announced.size);
    return fd;
}

struct pulse_bulk_figures script_figures(const struct script *script)
{
    struct pulse_bulk_figures figures;
    pulse_bulk_figures(script->bulk, &figures);
    return figures;
}

bool script_holds(const struct script *script, uint64_t shard, uint32_t attempt)
{
    for (size_t i = 0; i < script->held_count; i++) {
        if (script->held[i].shard == shard && script->held[i].attempt == attempt) {
            return true;
        }
    }
    return false;
}

#define AWAITED_NS (30 * LH_CLOCK_SECOND_NS)

void script_await_held(struct script *script, size_t count)
{
    uint64_t begun_ns = lh_clock_monotonic_ns();
    do {
        (void)script_hear(script, WIRE__ENVELOPE__BODY_BEAT);
        ck_assert_msg(lh_clock_monotonic_ns() - begun_ns < AWAITED_NS, "%zu held", script->held_count);
    } while (script->held_count != count);
}

void script_hear_beats(struct script *script, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)script_hear(script, WIRE__ENVELOPE__BODY_BEAT);
    }
}

void script_await_instances(const struct script *script, size_t count)
{
    uint64_t begun_ns = lh_clock_monotonic_ns();
    while (script_instances(script, NULL, 0) != count) {
        ck_assert_msg(lh_clock_monotonic_ns() - begun_ns < AWAITED_NS, "%zu instances",
                      script_instances(script, NULL, 0));
        usleep(10000);
    }
}
