/* SPDX-License-Identifier: MIT */
/* What the files of the child's side share: one answer to each question. A status other than LH_OK ends the
   conversation; a question that cannot be met is answered with its error. */
#ifndef ENGINE_INSTANCE_SERVE_PARTS_H
#define ENGINE_INSTANCE_SERVE_PARTS_H

#include "engine/instance/channel.h"
#include "engine/instance/page.h"
#include "engine/instance/protocol.h"
#include "engine/instance/serve.h"

/* Sends what was written and lets go of it. */
LH_NODISCARD enum lh_status engine_serve_send(const struct engine_serving *serving, enum engine_message_kind kind,
                                              struct lh_writer *writer, struct lh_error *error);

/* Maps the page that comes with a question, and tells it what crashes from here on. */
LH_NODISCARD enum lh_status engine_serve_map_page(int fd, struct engine_page **page, struct lh_error *error);
void engine_serve_unmap_page(struct engine_page *page);

LH_NODISCARD enum lh_status engine_serve_render(const struct engine_serving *serving,
                                                const struct engine_message *message, struct lh_error *error);
LH_NODISCARD enum lh_status engine_serve_describe(const struct engine_serving *serving,
                                                  const struct engine_message *message, struct lh_error *error);
LH_NODISCARD enum lh_status engine_serve_trial(const struct engine_serving *serving,
                                               const struct engine_message *message, struct lh_error *error);

#endif
