/* SPDX-License-Identifier: MIT */
/* Opening the files of a project, beneath its folder and nowhere else. */
#ifndef PULSE_PROJECT_FILES_H
#define PULSE_PROJECT_FILES_H

#include "common/base/status.h"
#include "pulse-daemon/project/model.h"

/* Opens a medium's file for reading; the caller closes *fd. Only regular files beneath the project's folder: no link
   may lead out of it, and a fifo or device is refused without waiting for it.
   LH_ERR_MISSING: not there (with a near name from its folder), not readable, a folder, or known by digest only;
   LH_ERR_INVALID: leads out of the folder; LH_ERR_IO: anything else. `where` is "/media/<id>". */
LH_NODISCARD enum lh_status pulse_media_open(const struct pulse_project *project, size_t media_index, int *fd,
                                             struct lh_error *error);

/* The same for any file of the project by its path relative to the project's folder: a MIDI file, a state. `where` is
   left to the caller. */
LH_NODISCARD enum lh_status pulse_file_open(const struct pulse_project *project, const char *file, int *fd,
                                            struct lh_error *error);

#endif
