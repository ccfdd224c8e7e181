/* SPDX-License-Identifier: MIT */
/* Looking for loophole-signal. */
#include "engine/instance/locate.h"

#include "common/base/program.h"

enum lh_status engine_instance_locate(char *path, size_t size, struct lh_error *error)
{
    static const struct lh_program signal = {
        .name = "loophole-signal", .variable = "LOOPHOLE_SIGNAL", .build_folder = "engine/instance"};
    return lh_program_locate(&signal, path, size, error);
}
