/* SPDX-License-Identifier: MIT */
/* Two ends of a link for the tests. */
#include "tests/proto/link/ends.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

const char *ends_folder(void)
{
    if (folder[0] == '\0') {
        strcpy(folder, "/tmp/loophole-link.XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
    }
    return folder;
}

const char *ends_ipc(const char *name)
{
    static char endpoint[WIRE_ENDPOINT_SIZE];
    snprintf(endpoint, sizeof endpoint, "ipc://%s/%s", ends_folder(), name);
    return endpoint;
}

void ends_folder_remove(void)
{
    DIR *files = folder[0] != '\0' ? opendir(folder) : NULL;
    if (files == NULL) {
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(files)) != NULL) {
        unlinkat(dirfd(files), entry->d_name, 0);
    }
    closedir(files);
    rmdir(folder);
    folder[0] = '\0';
}

void ends_sleep(int ms)
{
    poll(NULL, 0, ms);
}

struct wire_link *ends_link(const struct wire_link_options *options)
{
    struct wire_link *link = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(wire_link_new(options, &link, &error) == LH_OK, "%s", error.message);
    return link;
}

uint32_t ends_open(struct wire_link *link, const struct wire_socket_options *options)
{
    uint32_t socket = UINT32_MAX;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(wire_link_open(link, options, &socket, &error) == LH_OK, "%s: %s", error.where, error.message);
    return socket;
}

uint32_t ends_bind(struct wire_link *link, const char *endpoint, const struct wire_keys *keys)
{
    return ends_open(
        link, &(struct wire_socket_options){
                  .kind = WIRE_ROUTER, .endpoint = endpoint, .keys = keys, .heartbeat_ms = 100, .dead_ms = DEAD_MS});
}

uint32_t ends_connect(struct wire_link *link, const char *endpoint, const struct wire_keys *keys,
                      const char *server_key)
{
    return ends_open(link, &(struct wire_socket_options){.kind = WIRE_DEALER,
                                                         .endpoint = endpoint,
                                                         .keys = keys,
                                                         .server_key = server_key,
                                                         .heartbeat_ms = 100,
                                                         .dead_ms = DEAD_MS,
                                                         .reconnect_ms = 10,
                                                         .reconnect_max_ms = 50});
}

void ends_send(struct wire_link *link, uint32_t socket, uint64_t peer, const char *text, size_t payload_size)
{
    struct wire_buffer envelope = {.data = strdup(text), .size = strlen(text)};
    struct wire_buffer payload = {.size = payload_size};
    if (payload_size > 0) {
        payload.data = malloc(payload_size);
        memset(payload.data, 'p', payload_size);
    }
    ck_assert_int_eq(wire_link_send(link, socket, peer, &envelope, payload_size > 0 ? &payload : NULL), LH_OK);
}

static const char *const kind_names[] = {"JOINED", "MESSAGE", "GONE"};

struct wire_event *ends_expect(struct wire_link *link, enum wire_event_kind kind, const char *text)
{
    struct wire_event *event = wire_link_wait(link, ENDS_PATIENCE_MS);
    ck_assert_msg(event != NULL, "no %s came (%s)", kind_names[kind], text != NULL ? text : "");
    ck_assert_msg(event->kind == kind, "%s (%.*s) came, not %s (%s)", kind_names[event->kind],
                  (int)event->envelope_size, event->envelope_size > 0 ? (const char *)event->envelope : "",
                  kind_names[kind], text != NULL ? text : "");
    if (text != NULL) {
        ck_assert_msg(event->envelope_size == strlen(text) && memcmp(event->envelope, text, strlen(text)) == 0,
                      "\"%.*s\" came, not \"%s\"", (int)event->envelope_size, (const char *)event->envelope, text);
    }
    return event;
}

uint64_t ends_peer(struct wire_link *link, enum wire_event_kind kind, const char *text)
{
    struct wire_event *event = ends_expect(link, kind, text);
    uint64_t peer = event->peer;
    wire_event_free(event);
    return peer;
}

void ends_gone(struct wire_link *link, uint64_t peer, enum wire_gone why)
{
    struct wire_event *event = ends_expect(link, WIRE_GONE, NULL);
    ck_assert_uint_eq(event->peer, peer);
    ck_assert_int_eq(event->gone, why);
    wire_event_free(event);
}

void ends_silence(struct wire_link *link, int ms)
{
    struct wire_event *event = wire_link_wait(link, ms);
    ck_assert_msg(event == NULL, "%s came", event != NULL ? kind_names[event->kind] : "");
}
