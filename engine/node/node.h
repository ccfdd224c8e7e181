/* SPDX-License-Identifier: MIT */
/* The agent of a worker node. It takes shards from Pulse and has them done by signal instances, one for each attempt;
   it never renders. It holds on to what it was given whatever happens to the connection: attempts go on while Pulse is
   away, results are kept until Pulse has acknowledged them, and are offered again after each new connection.

       state      what happens                                next
       away       the link has found Pulse: Hello             greeting
       greeting   Welcome: what Pulse does not count as ours  at work
                  is dropped, results are offered again
       at work    Assign, Cancel, Ack; beats, credits         at work
       any        the connection is lost                      away

   Beside that: it drains (no credits any more; what is held is finished and acknowledged, then Bye and the end), or
   hands back (what is at work is broken off and told as lost, then the same). docs/farm.md has the whole.

   One thread owns all of this; slots, the link and the scout have theirs. */
#ifndef ENGINE_NODE_NODE_H
#define ENGINE_NODE_NODE_H

#include "engine/node/settings.h"

/* Runs until it is told to end by SIGTERM, SIGINT or SIGHUP (twice: at once) or by Pulse. These signals are blocked in
   the calling thread and all that are started from it. LH_OK: nothing was left behind; LH_ERR_UNAVAILABLE: it drained,
   but Pulse could not be told of some results. */
LH_NODISCARD enum lh_status engine_node_run(const struct engine_node_settings *settings, struct lh_error *error);

#endif
