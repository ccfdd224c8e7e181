/* SPDX-License-Identifier: MIT */
/* What a session need not render: deliverables that a cache has, found by their render keys, media that it has
   converted, found by their conform keys; and what cli/remainder.h finds between the two. */
#ifndef CLI_REUSE_H
#define CLI_REUSE_H

#include "cli/session.h"

/* Render keys of all deliverables into session->render_keys, from the digests of the sources (all of which must be
 * known). */
LH_NODISCARD enum lh_status cli_reuse_keys(struct cli_session *session, struct lh_error *error);
/* With outputs open: fills those that the cache has, and plans what is left (cli/remainder.h). Without --cache nothing
   happens. */
LH_NODISCARD enum lh_status cli_reuse_begin(struct cli_session *session, struct lh_error *error);
/* For what is about to be rendered: descriptors of its converted media in session->conformed. Without --cache there are
   none. */
LH_NODISCARD enum lh_status cli_reuse_conformed(struct cli_session *session, struct lh_error *error);
void cli_reuse_close(struct cli_session *session);
/* Keeps what was rendered, converted and stored on the way, unless a source has changed meanwhile; then keeps the cache
   to its size. */
LH_NODISCARD enum lh_status cli_reuse_end(struct cli_session *session, struct lh_error *error);

/* Deliverable `index` came from the cache. */
bool cli_reused(const struct cli_session *session, size_t index);
/* None has to be rendered. */
bool cli_reused_all(const struct cli_session *session);

#endif
