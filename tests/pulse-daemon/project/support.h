/* SPDX-License-Identifier: MIT */
/* Projects from text in tests. */
#ifndef TESTS_PULSE_DAEMON_PROJECT_SUPPORT_H
#define TESTS_PULSE_DAEMON_PROJECT_SUPPORT_H

#include "pulse-daemon/project/load.h"

#define P "{\"loophole\":1," /* every project begins like this */

/* The project; the test fails with the first fault when there is one. */
struct pulse_project *project_of(const char *text);
/* Fails unless the text has exactly one fault, at `where`, whose message holds `words`. */
void expect_fault(const char *text, const char *where, const char *words);
/* Loading with every allocation failing in turn gives LH_ERR_NO_MEMORY, or what it gives when none fails. */
void expect_out_of_memory(const char *text, enum lh_status otherwise);

#endif
