/* SPDX-License-Identifier: MIT */
/* Limits of client.proto. */
#include "proto/limit_rows.h"

#define DOCUMENT_MAX (64u << 20)
#define MANIFEST_MAX 200000
#define DELIVERABLES_MAX 4096 /* pulse-daemon/project/load.h: PULSE_DELIVERABLES_MAX */
#define PAGE_MAX 1000         /* of a list that goes on with a cursor */
#define LIST_MAX 10000        /* of one that does not */
#define EVENT_MAX (1u << 20)
#define REPORT_MAX (8u << 20)

#define CURSOR BYTES("cursor", 1, 256)
#define PAGE NUMBER("count", 1, PAGE_MAX)
#define PROJECT ID("project")
#define BASE NUMBER("base_revision", 1, UINT32_MAX)
#define REVISION NUMBER("revision", 1, UINT32_MAX)
#define JOB ID("job")
#define PRIORITY SIGNED("priority", -100, 100) /* pulse-daemon/farm/rows.h */
#define PROGRESS REAL("progress", 0, 1)
#define KEY TEXT("idempotency_key", 1, 128)
#define PUBLIC_KEY TEXT("public_key", 40, 40)
#define TAGS NAMES("tags", TAGS_MAX)
#define LABEL TEXT("label", 0, 256)

LIMITS(ping, ANY64("stamp"));
LIMITS(pong, ANY64("stamp"), LINE("software"), ANY64("epoch"), TEXT("bulk_endpoint", 1, 255),
       MESSAGE("host", host_media), ANY64("tenant"), NAME("role"));
NO_FIELDS(done);

LIMITS(manifest_entry, TEXT("path", 1, LINE_MAX_BYTES), DIGEST("digest"), ANY64("size"));
LIMITS(project_create, BYTES("document", 1, DOCUMENT_MAX), MESSAGES("manifest", manifest_entry, MANIFEST_MAX), KEY);
LIMITS(revision_put, PROJECT, BASE, BYTES("document", 1, DOCUMENT_MAX),
       MESSAGES("manifest", manifest_entry, MANIFEST_MAX));
LIMITS(project_edit, PROJECT, BASE, BYTES("operations", 1, DOCUMENT_MAX), LABEL,
       MESSAGES("manifest", manifest_entry, MANIFEST_MAX));
LIMITS(project_undo, PROJECT, BASE);
LIMITS(project_redo, PROJECT, BASE);
LIMITS(project_read, PROJECT, REVISION);
LIMITS(project_list, CURSOR, PAGE);
LIMITS(revision, PROJECT, REVISION, DIGEST("digest"), LABEL, FLAG("can_undo"), FLAG("can_redo"), LINE("name"),
       ANY64("created_ms"));
LIMITS(project, MESSAGE("revision", revision), BYTES("document", 1, DOCUMENT_MAX),
       MESSAGES("manifest", manifest_entry, MANIFEST_MAX));
LIMITS(projects, MESSAGES("projects", revision, PAGE_MAX), CURSOR);

LIMITS(job_submit, KEY, PROJECT, REVISION, SPAN(TEXT, "only", 1, LINE_MAX_BYTES, DELIVERABLES_MAX), PRIORITY, TAGS,
       FLAG("fresh"));
LIMITS(job_read, JOB);
LIMITS(job_cancel, JOB);
LIMITS(job_list, CURSOR, PAGE, CHOICE("state"));
LIMITS(artifact, FILE_NAME("name"), MESSAGE("blob", blob), BYTES("facts", 0, 1u << 20));
LIMITS(job, JOB, CHOICE("state"), PROJECT, REVISION, PRIORITY, PROGRESS, ANY32("shards"), ANY32("shards_done"),
       BYTES("error", 0, 1u << 20), ANY64("created_ms"), ANY64("finished_ms"),
       MESSAGES("artifacts", artifact, DELIVERABLES_MAX), ANY32("shards_reused"), BYTES("report", 0, REPORT_MAX),
       TEXT("trace", 55, 128));
LIMITS(jobs, MESSAGES("jobs", job, PAGE_MAX), CURSOR);
LIMITS(artifact_read, JOB, FILE_NAME("name"));

LIMITS(watch, ANY64("after"), JOB, FLAG("progress"));
LIMITS(watching, ANY64("after"));
NO_FIELDS(unwatch);
LIMITS(event, ID("sequence"), ANY64("tenant"), JOB, BYTES("body", 2, EVENT_MAX), ANY64("at_ms"));
LIMITS(job_progress, JOB, PROGRESS, ANY32("shards"), ANY32("shards_done"));

NO_FIELDS(worker_list);
LIMITS(worker_info, NAME("name"), FLAG("connected"), ANY32("slots"), MESSAGES("held", held, 4096), FLAG("draining"),
       FLAG("quarantined"), TAGS, LINE("engine"), TEXT("cpu_class", 0, NAME_MAX_BYTES), LINE("software"), LINE("host"),
       ANY32("plugins"), ANY64("beat_age_ms"));
LIMITS(workers, MESSAGES("workers", worker_info, LIST_MAX));
LIMITS(worker_drain, NAME("name"));
NO_FIELDS(queue_read);
LIMITS(queue, ANY64("waiting"), ANY64("ready"), ANY64("claimed"), ANY64("jobs"), ANY64("ready_age_ms"));
NO_FIELDS(stats_read);
LIMITS(stat, NAME("name"), REAL("value", INT64_MIN, INT64_MAX));
LIMITS(stats, MESSAGES("stats", stat, LIST_MAX));
NO_FIELDS(doctor);
LIMITS(findings, SPAN(TEXT, "findings", 1, PROSE_MAX_BYTES, LIST_MAX));

LIMITS(token_create, TEXT("name", 1, NAME_MAX_BYTES), ID("tenant"), NAME("role"), NUMBER("expires_s", 1, UINT32_MAX));
LIMITS(token_info, ID("id"), TEXT("name", 1, NAME_MAX_BYTES), ID("tenant"), NAME("role"), ANY64("created_ms"),
       ANY64("expires_ms"), FLAG("revoked"));
LIMITS(token_created, MESSAGE("token", token_info), TEXT("secret", 1, 256));
LIMITS(token_revoke, ID("id"), ID("tenant"));
LIMITS(token_list, ID("tenant"));
LIMITS(tokens, MESSAGES("tokens", token_info, LIST_MAX));

LIMITS(peer_enroll, PUBLIC_KEY, TEXT("name", 1, NAME_MAX_BYTES), NAME("role"), TAGS);
LIMITS(peer_revoke, PUBLIC_KEY);
NO_FIELDS(peer_list);
LIMITS(peer_info, PUBLIC_KEY, TEXT("name", 1, NAME_MAX_BYTES), NAME("role"), TAGS, FLAG("revoked"),
       ANY64("enrolled_ms"));
LIMITS(peers, MESSAGES("peers", peer_info, LIST_MAX));

#define WEIGHT NUMBER("weight", 1, 1000) /* pulse-daemon/store/access.h */
#define QUOTA NUMBER("quota_bytes", 0, INT64_MAX)
LIMITS(tenant_create, NAME("name"), QUOTA, WEIGHT, TAGS);
LIMITS(tenant_change, NAME("name"), QUOTA, WEIGHT, FLAG("set_tags"), TAGS);
NO_FIELDS(tenant_list);
LIMITS(tenant, ID("id"), NAME("name"), QUOTA, WEIGHT, TAGS, ANY64("media_bytes"), ANY64("file_bytes"),
       ANY64("output_bytes"));
LIMITS(tenants, MESSAGES("tenants", tenant, LIST_MAX));

LIMITS(alarm_list, NUMBER("count", 1, LIST_MAX));
LIMITS(alarm, ID("number"), BYTES("body", 2, EVENT_MAX), ANY64("at_ms"));
LIMITS(alarms, MESSAGES("alarms", alarm, LIST_MAX));
