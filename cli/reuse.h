/* SPDX-License-Identifier: MIT */
/* What a session need not render: deliverables that a cache has, found by their render keys, and media that it has
   converted, found by their conform keys. */
#ifndef CLI_REUSE_H
#define CLI_REUSE_H

#include "cli/session.h"

/* Render keys of all deliverables into session->render_keys, from the digests of the sources (all of which must be
 * known). */
LH_NODISCARD enum lh_status cli_reuse_keys(struct cli_session *session, struct lh_error *error);
/* With outputs open: fills those that the cache has, and compiles what is left to session->remainder. Without --cache
   nothing happens. */
LH_NODISCARD enum lh_status cli_reuse_begin(struct cli_session *session, struct lh_error *error);
/* For `compiled`, which is about to be rendered: descriptors of its converted media in session->conformed. Without
   --cache there are none. */
LH_NODISCARD enum lh_status cli_reuse_conformed(struct cli_session *session, const struct pulse_compiled *compiled,
                                                struct lh_error *error);
void cli_reuse_close(struct cli_session *session);
/* Keeps what was rendered and converted, unless a source has changed meanwhile. */
LH_NODISCARD enum lh_status cli_reuse_end(struct cli_session *session, struct lh_error *error);

/* Deliverable `index` came from the cache. */
bool cli_reused(const struct cli_session *session, size_t index);
/* None has to be rendered. */
bool cli_reused_all(const struct cli_session *session);

#endif
