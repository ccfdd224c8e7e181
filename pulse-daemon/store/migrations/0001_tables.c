/* SPDX-License-Identifier: MIT */
/* The first tables. The tenant is part of every key that could be somebody's.

   Shards are written twice or more in their life and read all at once: their rows are small and have one index, and
   what never changes (spec, edges) stands beside them. Edges are keys one after the other, since they are only ever
   read with their shard. An output's `shard` may be forgotten before the output is. */
#include "pulse-daemon/store/migrations/migrations.h"

/* clang-format off */
#define DIGEST(name) #name " {blob} NOT NULL CHECK (length(" #name ") = 32)"
#define TENANT "tenant {int} NOT NULL REFERENCES tenants (id)"
#define COUNT(name) #name " {int} NOT NULL CHECK (" #name " >= 0)"
#define TIME(name) #name " {int} NOT NULL"
#define ROWLESS "{STRICT, WITHOUT ROWID|}"

const char *const pulse_migration_1[] = {
    "CREATE TABLE leader ("
    "  id {int} PRIMARY KEY CHECK (id = 1), epoch {int} NOT NULL, holder {text} NOT NULL, since_ms {int} NOT NULL"
    ") {strict}",
    "INSERT INTO leader (id, epoch, holder, since_ms) VALUES (1, 0, '', 0)",

    "CREATE TABLE tenants ("
    "  id {int} PRIMARY KEY CHECK (id > 0), name {text} NOT NULL UNIQUE," COUNT(quota_bytes) ", tags {text} NOT NULL"
    ") {strict}",

    /* Who may do what. */
    "CREATE TABLE tokens ("
    DIGEST(digest) " PRIMARY KEY, " TENANT ", role {int} NOT NULL CHECK (role BETWEEN 0 AND 3), name {text} NOT NULL,"
    TIME(created_ms) "," TIME(expires_ms) "," TIME(revoked_ms)
    ") {strict}",
    "CREATE INDEX tokens_tenant ON tokens (tenant)",
    "CREATE TABLE peers ("
    DIGEST(key) " PRIMARY KEY, name {text} NOT NULL, role {int} NOT NULL CHECK (role BETWEEN 0 AND 1),"
    "  tags {text} NOT NULL," TIME(enrolled_ms) "," TIME(revoked_ms)
    ") {strict}",
    "CREATE UNIQUE INDEX peers_name ON peers (name) WHERE revoked_ms = 0",

    /* Media, projects. A manifest is a set of files, by the digest of it; revisions that differ in their text alone
       share one. */
    "CREATE TABLE media ("
    TENANT "," DIGEST(digest) "," COUNT(size) "," TIME(uploaded_ms) "," TIME(pinned_until_ms) ", facts {blob},"
    "  PRIMARY KEY (tenant, digest)"
    ") {strict}",
    "CREATE INDEX media_digest ON media (digest)",
    "CREATE TABLE manifests (" TENANT "," DIGEST(digest) ", PRIMARY KEY (tenant, digest)) " ROWLESS,
    "CREATE TABLE manifest_files ("
    "  tenant {int} NOT NULL, manifest {blob} NOT NULL, path {text} NOT NULL, " DIGEST(digest) "," COUNT(size) ","
    "  PRIMARY KEY (tenant, manifest, path),"
    "  FOREIGN KEY (tenant, manifest) REFERENCES manifests (tenant, digest) ON DELETE CASCADE,"
    "  FOREIGN KEY (tenant, digest) REFERENCES media (tenant, digest)"
    ") " ROWLESS,
    "CREATE INDEX manifest_files_digest ON manifest_files (tenant, digest)",
    "CREATE TABLE projects ("
    TENANT ", id {int} NOT NULL CHECK (id > 0), name {text} NOT NULL,"
    "  head {int} NOT NULL, tip {int} NOT NULL, newest {int} NOT NULL," TIME(created_ms) "," TIME(changed_ms) ","
    "  PRIMARY KEY (tenant, id), CHECK (head BETWEEN 1 AND tip AND tip <= newest)"
    ") {strict}",
    "CREATE UNIQUE INDEX projects_id ON projects (id)",
    "CREATE TABLE revisions ("
    "  tenant {int} NOT NULL, project {int} NOT NULL, number {int} NOT NULL CHECK (number > 0), parent {int},"
    "  author {text} NOT NULL, message {text} NOT NULL," TIME(created_ms) ", document {blob} NOT NULL,"
    "  manifest {blob} NOT NULL, PRIMARY KEY (tenant, project, number),"
    "  CHECK (parent < number), CHECK ((parent IS NULL) = (number = 1)),"
    "  FOREIGN KEY (tenant, project) REFERENCES projects (tenant, id) ON DELETE CASCADE,"
    "  FOREIGN KEY (tenant, project, parent) REFERENCES revisions (tenant, project, number)"
    "    DEFERRABLE INITIALLY DEFERRED,"
    "  FOREIGN KEY (tenant, manifest) REFERENCES manifests (tenant, digest)"
    ") {strict}",
    "CREATE INDEX revisions_manifest ON revisions (tenant, manifest)",

    /* Jobs. */
    "CREATE TABLE jobs ("
    TENANT ", id {int} NOT NULL CHECK (id > 0), priority {int} NOT NULL CHECK (priority BETWEEN -100 AND 100),"
    "  state {int} NOT NULL CHECK (state BETWEEN 0 AND 5), error {text} NOT NULL," TIME(created_ms) ","
    "  finished_ms {int}, PRIMARY KEY (tenant, id), CHECK ((state >= 3) = (finished_ms IS NOT NULL)),"
    "  CHECK ((state = 4) = (error <> ''))"
    ") {strict}",
    "CREATE UNIQUE INDEX jobs_id ON jobs (id)",
    "CREATE TABLE requests ("
    "  tenant {int} NOT NULL, job {int} NOT NULL, project {int} NOT NULL, revision {int} NOT NULL,"
    "  options {text} NOT NULL, idempotency {text}, PRIMARY KEY (tenant, job),"
    "  FOREIGN KEY (tenant, job) REFERENCES jobs (tenant, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,"
    "  FOREIGN KEY (tenant, project, revision) REFERENCES revisions (tenant, project, number)"
    ") {strict}",
    "CREATE UNIQUE INDEX requests_idempotency ON requests (tenant, idempotency) WHERE idempotency IS NOT NULL",
    "CREATE INDEX requests_revision ON requests (tenant, project, revision)",
    "CREATE TABLE wants ("
    "  tenant {int} NOT NULL, job {int} NOT NULL, " DIGEST(key) ", PRIMARY KEY (tenant, job, key),"
    "  FOREIGN KEY (tenant, job) REFERENCES jobs (tenant, id) ON DELETE CASCADE"
    ") " ROWLESS,
    "CREATE TABLE artifacts ("
    "  tenant {int} NOT NULL, job {int} NOT NULL, name {text} NOT NULL, " DIGEST(key) "," DIGEST(digest) ","
    COUNT(size) ", facts {blob} NOT NULL, PRIMARY KEY (tenant, job, name),"
    "  FOREIGN KEY (tenant, job) REFERENCES jobs (tenant, id) ON DELETE CASCADE"
    ") {strict}",
    "CREATE INDEX artifacts_digest ON artifacts (digest)",
    "CREATE TABLE events ("
    "  number {int} PRIMARY KEY, " TENANT ", job {int}," TIME(created_ms) ", body {text} NOT NULL,"
    "  FOREIGN KEY (tenant, job) REFERENCES jobs (tenant, id) ON DELETE CASCADE"
    ") {strict}",
    "CREATE INDEX events_job ON events (tenant, job, number)",
    "CREATE TABLE alarms ("
    "  number {int} PRIMARY KEY, tenant {int} NOT NULL, job {int} NOT NULL," TIME(created_ms) ", body {text} NOT NULL"
    ") {strict}",

    /* Shards and outputs. */
    "CREATE TABLE needs (" DIGEST(id) " PRIMARY KEY, body {blob} NOT NULL) {strict}",
    "CREATE TABLE shards ("
    TENANT ", id {int} NOT NULL CHECK (id > 0), kind {int} NOT NULL CHECK (kind BETWEEN 0 AND 2),"
    "  state {int} NOT NULL CHECK (state BETWEEN 0 AND 5), needs {blob} NOT NULL REFERENCES needs (id),"
    COUNT(cost_ms) "," COUNT(attempt) ", owner {text} NOT NULL," COUNT(losses) "," COUNT(failures) ","
    "  failed_on {text} NOT NULL, finished_ms {int}, PRIMARY KEY (tenant, id),"
    "  CHECK ((state = 2) = (owner <> '')), CHECK (state <> 2 OR attempt > 0),"
    "  CHECK ((state >= 3) = (finished_ms IS NOT NULL))"
    ") {STRICT, WITHOUT ROWID|WITH (fillfactor = 50)}",
    "CREATE TABLE specs ("
    "  tenant {int} NOT NULL, shard {int} NOT NULL, spec {blob} NOT NULL,"
    "  inputs {blob} NOT NULL CHECK (length(inputs) % 32 = 0),"
    "  outputs {blob} NOT NULL CHECK (length(outputs) % 32 = 0), PRIMARY KEY (tenant, shard),"
    "  FOREIGN KEY (tenant, shard) REFERENCES shards (tenant, id) ON DELETE CASCADE"
    ") " ROWLESS,
    "CREATE TABLE outputs ("
    TENANT "," DIGEST(key) ", kind {int} NOT NULL CHECK (kind BETWEEN 0 AND 4),"
    "  state {int} NOT NULL CHECK (state BETWEEN 0 AND 1), shard {int} NOT NULL CHECK (shard > 0),"
    "  digest {blob} CHECK (length(digest) = 32)," COUNT(size) ", facts {blob} NOT NULL," TIME(used_ms) ","
    "  unproven {int} NOT NULL CHECK (unproven BETWEEN 0 AND 1),"
    "  PRIMARY KEY (tenant, key), CHECK ((state = 1) = (digest IS NOT NULL))"
    ") " ROWLESS,
    "CREATE INDEX outputs_digest ON outputs (digest) WHERE digest IS NOT NULL",

    /* What was learned. */
    "CREATE TABLE costs (name {text} PRIMARY KEY, value {real} NOT NULL, weight {real} NOT NULL) {strict}",
    "CREATE TABLE insert_facts ("
    TENANT "," DIGEST(key) "," COUNT(latency_frames) ", PRIMARY KEY (tenant, key)"
    ") " ROWLESS,
    "CREATE TABLE inventories (" DIGEST(digest) " PRIMARY KEY, body {blob} NOT NULL," TIME(seen_ms) ") {strict}",
    NULL,
};
/* clang-format on */
