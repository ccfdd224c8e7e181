/* SPDX-License-Identifier: MIT */
/* The scratch file of a render, which holds converted media and what waits for a measurement. */
#ifndef ENGINE_IO_SCRATCH_H
#define ENGINE_IO_SCRATCH_H

#include "common/base/status.h"

/* LH_ERR_IO: reading or writing it failed with the errno `cause`; a full disk comes with what to do. */
enum lh_status engine_scratch_error(int cause, struct lh_error *error);

#endif
