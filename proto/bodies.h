/* SPDX-License-Identifier: MIT */
/* The bodies that an envelope may have: BODY(KIND, field, who says it, is it a question), in the schema's order. A test
   holds the list to the schema. Not for other folders: proto/envelope.h answers by kind. */
#ifndef WIRE_BODIES_H
#define WIRE_BODIES_H

/* clang-format off */
#define WIRE_BODIES(BODY) \
    BODY(ERROR, error, WIRE_WORKER | WIRE_CLIENT | WIRE_PULSE, false) \
    BODY(HELLO, hello, WIRE_WORKER, true) \
    BODY(INVENTORY, inventory, WIRE_WORKER, false) \
    BODY(CREDIT, credit, WIRE_WORKER, false) \
    BODY(BEAT, beat, WIRE_WORKER, false) \
    BODY(PROGRESS, progress, WIRE_WORKER, false) \
    BODY(COMPLETE, complete, WIRE_WORKER, false) \
    BODY(FAILED, failed, WIRE_WORKER, false) \
    BODY(DRAIN, drain, WIRE_WORKER, false) \
    BODY(BYE, bye, WIRE_WORKER, false) \
    BODY(WELCOME, welcome, WIRE_PULSE, false) \
    BODY(ASSIGN, assign, WIRE_PULSE, false) \
    BODY(CANCEL, cancel, WIRE_PULSE, false) \
    BODY(ACK, ack, WIRE_PULSE, false) \
    BODY(DRAIN_REQUEST, drain_request, WIRE_PULSE, false) \
    BODY(SHUTDOWN, shutdown, WIRE_PULSE, false) \
    BODY(PING, ping, WIRE_CLIENT, true) \
    BODY(PONG, pong, WIRE_PULSE, false) \
    BODY(DONE, done, WIRE_PULSE, false) \
    BODY(MEDIA_QUERY, media_query, WIRE_CLIENT, true) \
    BODY(MEDIA_LACKING, media_lacking, WIRE_PULSE, false) \
    BODY(MEDIA_ADOPT, media_adopt, WIRE_CLIENT, true) \
    BODY(PROJECT_CREATE, project_create, WIRE_CLIENT, true) \
    BODY(REVISION_PUT, revision_put, WIRE_CLIENT, true) \
    BODY(PROJECT_EDIT, project_edit, WIRE_CLIENT, true) \
    BODY(PROJECT_UNDO, project_undo, WIRE_CLIENT, true) \
    BODY(PROJECT_REDO, project_redo, WIRE_CLIENT, true) \
    BODY(PROJECT_READ, project_read, WIRE_CLIENT, true) \
    BODY(PROJECT_LIST, project_list, WIRE_CLIENT, true) \
    BODY(REVISION, revision, WIRE_PULSE, false) \
    BODY(PROJECT, project, WIRE_PULSE, false) \
    BODY(PROJECTS, projects, WIRE_PULSE, false) \
    BODY(JOB_SUBMIT, job_submit, WIRE_CLIENT, true) \
    BODY(JOB_READ, job_read, WIRE_CLIENT, true) \
    BODY(JOB_CANCEL, job_cancel, WIRE_CLIENT, true) \
    BODY(JOB_LIST, job_list, WIRE_CLIENT, true) \
    BODY(JOB, job, WIRE_PULSE, false) \
    BODY(JOBS, jobs, WIRE_PULSE, false) \
    BODY(ARTIFACT_READ, artifact_read, WIRE_CLIENT, true) \
    BODY(ARTIFACT, artifact, WIRE_PULSE, false) \
    BODY(WATCH, watch, WIRE_CLIENT, true) \
    BODY(WATCHING, watching, WIRE_PULSE, false) \
    BODY(UNWATCH, unwatch, WIRE_CLIENT, true) \
    BODY(EVENT, event, WIRE_PULSE, false) \
    BODY(JOB_PROGRESS, job_progress, WIRE_PULSE, false) \
    BODY(WORKER_LIST, worker_list, WIRE_CLIENT, true) \
    BODY(WORKERS, workers, WIRE_PULSE, false) \
    BODY(WORKER_DRAIN, worker_drain, WIRE_CLIENT, true) \
    BODY(QUEUE_READ, queue_read, WIRE_CLIENT, true) \
    BODY(QUEUE, queue, WIRE_PULSE, false) \
    BODY(STATS_READ, stats_read, WIRE_CLIENT, true) \
    BODY(STATS, stats, WIRE_PULSE, false) \
    BODY(DOCTOR, doctor, WIRE_CLIENT, true) \
    BODY(FINDINGS, findings, WIRE_PULSE, false) \
    BODY(TOKEN_CREATE, token_create, WIRE_CLIENT, true) \
    BODY(TOKEN_CREATED, token_created, WIRE_PULSE, false) \
    BODY(TOKEN_REVOKE, token_revoke, WIRE_CLIENT, true) \
    BODY(TOKEN_LIST, token_list, WIRE_CLIENT, true) \
    BODY(TOKENS, tokens, WIRE_PULSE, false) \
    BODY(PEER_ENROLL, peer_enroll, WIRE_CLIENT, true) \
    BODY(PEER_REVOKE, peer_revoke, WIRE_CLIENT, true) \
    BODY(PEER_LIST, peer_list, WIRE_CLIENT, true) \
    BODY(PEERS, peers, WIRE_PULSE, false) \
    BODY(TENANT_CREATE, tenant_create, WIRE_CLIENT, true) \
    BODY(TENANT_CHANGE, tenant_change, WIRE_CLIENT, true) \
    BODY(TENANT_LIST, tenant_list, WIRE_CLIENT, true) \
    BODY(TENANT, tenant, WIRE_PULSE, false) \
    BODY(TENANTS, tenants, WIRE_PULSE, false) \
    BODY(ALARM_LIST, alarm_list, WIRE_CLIENT, true) \
    BODY(ALARMS, alarms, WIRE_PULSE, false) \
    BODY(PUT_BEGIN, put_begin, WIRE_WORKER | WIRE_CLIENT, true) \
    BODY(PUT_READY, put_ready, WIRE_PULSE, false) \
    BODY(PUT_CHUNK, put_chunk, WIRE_WORKER | WIRE_CLIENT, false) \
    BODY(PUT_END, put_end, WIRE_WORKER | WIRE_CLIENT, true) \
    BODY(STORED, stored, WIRE_PULSE, false) \
    BODY(GET_BEGIN, get_begin, WIRE_WORKER | WIRE_CLIENT, true) \
    BODY(GET_READY, get_ready, WIRE_PULSE, false) \
    BODY(GET_CHUNK, get_chunk, WIRE_PULSE, false) \
    BODY(BULK_CREDIT, bulk_credit, WIRE_WORKER | WIRE_CLIENT | WIRE_PULSE, false) \
    BODY(BULK_ABORT, bulk_abort, WIRE_WORKER | WIRE_CLIENT | WIRE_PULSE, false)
/* clang-format on */

#endif
