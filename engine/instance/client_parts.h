/* SPDX-License-Identifier: MIT */
/* What the files of the parent's side share. */
#ifndef ENGINE_INSTANCE_CLIENT_PARTS_H
#define ENGINE_INSTANCE_CLIENT_PARTS_H

#include "engine/instance/channel.h"
#include "engine/instance/client.h"
#include "engine/instance/death.h"
#include "engine/instance/folder.h"
#include "engine/instance/process.h"
#include "engine/instance/protocol.h"

#define ENGINE_CLIENT_WAIT_MS 50 /* the longest wait between two looks at the child */

struct engine_instance {
    struct engine_process process;
    struct engine_hello hello;
    bool greeted;
    bool was_killed; /* by somebody else */
    bool (*go_on)(void *context);
    void *context;
    struct engine_folder scratch;
    uint64_t memory_bytes;
    uint32_t hang_ms;
    const struct engine_scene *scene; /* while plugins may run, else NULL */
};

/* The child's first message, taken before the first question. */
LH_NODISCARD enum lh_status engine_client_greet(struct engine_instance *instance, struct lh_error *error);
LH_NODISCARD enum lh_status engine_client_ask(struct engine_instance *instance, enum engine_message_kind kind,
                                              const struct lh_writer *body, const int *fds, size_t count,
                                              struct lh_error *error);
/* The answer to a question that runs no plugin. */
LH_NODISCARD enum lh_status engine_client_await(struct engine_instance *instance, enum engine_message_kind kind,
                                                struct engine_message *message, struct lh_error *error);
/* What the reader of an answer returned, as the caller is to see it: a child that broke the rules is not spoken to
   again. */
LH_NODISCARD enum lh_status engine_client_understood(struct engine_instance *instance, enum lh_status status,
                                                     struct lh_error *error);

/* Waits up to `timeout_ms` for the child to say something or to go. A signal ends the wait early. */
bool engine_client_wait(const struct engine_instance *instance, int timeout_ms);
/* The child's next message, which must be of `kind`. Descriptors are not accepted from a child. */
LH_NODISCARD enum lh_status engine_client_receive(struct engine_instance *instance, enum engine_message_kind kind,
                                                  struct engine_message *message, struct lh_error *error);

/* The page that both sides see, all zero. Its size is sealed: neither can pull it away from the other. */
LH_NODISCARD enum lh_status engine_client_page_new(int *fd, struct engine_page **page, struct lh_error *error);
void engine_client_page_free(int fd, struct engine_page *page);

/* Asks for something that runs plugins, with the page as the first descriptor, and watches over the child until it
   answers, is killed for a hang, or is to be left: `beat` is called after every wait, and before the first, with
   whether a signal ended it; it returns the milliseconds to wait next, or -1 to kill the child (LH_ERR_CANCELLED). */
struct engine_client_work {
    enum engine_message_kind question, answer;
    const struct lh_writer *body;
    const int *fds; /* the page comes first */
    size_t fd_count;
    struct engine_page *page;
    const struct graph *graph; /* of the scene */
    const char *uri;           /* the same */
    int (*beat)(void *context, bool interrupted);
    void *context;
};
LH_NODISCARD enum lh_status engine_client_work(struct engine_instance *instance, const struct engine_client_work *work,
                                               struct engine_message *message, struct lh_error *error);

#endif
