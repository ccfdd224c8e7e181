/* SPDX-License-Identifier: MIT */
/* Project files: read, check, write back. Nothing here opens media. Any thread; a project and a list of faults belong
   to one thread at a time. */
#ifndef PULSE_PROJECT_LOAD_H
#define PULSE_PROJECT_LOAD_H

#include "common/base/faults.h"
#include "pulse-daemon/project/model.h"

/* Limits of a project. Past them: a fault that names the limit. */
#define PULSE_TRACKS_MAX 4096
#define PULSE_CLIPS_MAX 1000000 /* of all tracks */
#define PULSE_MEDIA_MAX 100000
#define PULSE_POINTS_MAX 1000000    /* of one automation */
#define PULSE_DELIVERABLES_MAX 4096 /* files, `each` counted out */
#define PULSE_MAP_POINTS_MAX 100000 /* of tempo, of time signatures, of markers */
#define PULSE_NOTES_MAX 1000000     /* of one clip */
#define PULSE_NODES_MAX 1024        /* of one track, of one list of stand-ins */
#define PULSE_PARAMETERS_MAX 10000  /* of one node */
#define PULSE_AUTOMATION_MAX 10000  /* of one track */
#define PULSE_TAGS_MAX 256          /* of one deliverable */

/* One change to the document before it is checked: `--set POINTER=VALUE`. One that cannot be made is a fault with
   LH_ERR_USAGE: the document is not to blame. */
struct pulse_override {
    const char *pointer, *value;
};

/* Reads a project file. Not readable: LH_ERR_MISSING or LH_ERR_IO; not JSON: one fault with line and column. */
LH_NODISCARD enum lh_status pulse_project_load(const char *path, const struct pulse_override *overrides,
                                               size_t override_count, struct lh_faults *faults,
                                               struct pulse_project **project);
/* The same from text. */
LH_NODISCARD enum lh_status pulse_project_parse(const char *text, size_t length, const char *folder,
                                                const struct pulse_override *overrides, size_t override_count,
                                                struct lh_faults *faults, struct pulse_project **project);
void pulse_project_free(struct pulse_project *project); /* accepts NULL */

/* Canonical text: members in the order of the format's documentation, defaults left out where they were left out,
   `ext` and plugin state as read. parse(write(p)) equals p, and write(parse(write(p))) equals write(p) to the byte. */
LH_NODISCARD enum lh_status pulse_project_write(const struct pulse_project *project, struct lh_writer *writer);

#endif
