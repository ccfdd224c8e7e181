/* SPDX-License-Identifier: MIT */
/* What operators must see, and nobody could see in a job: two digests for one key, a worker in quarantine. Each is a
   row of the store, a line of the log and an answer to who asks. */
#ifndef PULSE_SERVICE_ALARMS_H
#define PULSE_SERVICE_ALARMS_H

#include "pulse-daemon/farm/rows.h"

/* Logs the alarms among changes that are committed, each fact as a field. */
void pulse_alarms_log(const struct pulse_change *changes, size_t count);

#endif
