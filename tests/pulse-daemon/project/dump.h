/* SPDX-License-Identifier: MIT */
/* A project's model as text, without its JSON: two projects are equal when their dumps are. */
#ifndef TESTS_PULSE_DAEMON_PROJECT_DUMP_H
#define TESTS_PULSE_DAEMON_PROJECT_DUMP_H

#include "pulse-daemon/project/model.h"

/* On the heap; the caller frees it. NULL when memory is out. */
char *dump_project(const struct pulse_project *project);

#endif
