/* SPDX-License-Identifier: MIT */
/* Writing a project back. The document that was read is the truth: it is written by the format's shape, which gives
   the order of the members, so nothing is said that was not said before. */
#include "pulse-daemon/project/format.h"
#include "pulse-daemon/project/load.h"

enum lh_status pulse_project_write(const struct pulse_project *project, struct lh_writer *writer)
{
    struct lh_json_emitter emitter;
    lh_json_emit_init(&emitter, writer, false);
    pulse_shape_emit(&emitter, &pulse_project_shape, project->json);
    return lh_writer_status(writer);
}
