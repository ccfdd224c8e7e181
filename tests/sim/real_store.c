/* SPDX-License-Identifier: MIT */
/* The farm in a bottle on a real store: what the simulation commits is committed there too, and farms are loaded from
   there. The linker puts these in the place of rowstore's functions (--wrap), which go on watching the history. What
   `loophole doctor` would find is looked for along the way.

   The store is a file in a folder of its own, or a schema in the server that LOOPHOLE_TEST_POSTGRES names. */
#include <ftw.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pulse-daemon/store/access.h"
#include "pulse-daemon/store/projects.h"
#include "tests/sim/sim.h"

#define CHECK_EVERY 200 /* commits */
#define JOBS_MOST 4096

void __real_rowstore_fini(struct rowstore *store);
bool __real_rowstore_commit(struct rowstore *store, uint64_t epoch, const struct pulse_change *changes, size_t count);
size_t __real_rowstore_load(const struct rowstore *store, struct pulse_farm *farm, uint64_t now_ns);
void __wrap_rowstore_fini(struct rowstore *store);
bool __wrap_rowstore_commit(struct rowstore *store, uint64_t epoch, const struct pulse_change *changes, size_t count);
size_t __wrap_rowstore_load(const struct rowstore *store, struct pulse_farm *farm, uint64_t now_ns);

/* Of the run that is under way; runs come one after the other. */
static struct pulse_store *real;
static char folder[64];
static uint64_t commits, projects[SIM_TENANTS_MOST + 1];
static bool asked[JOBS_MOST]; /* by id: it has its request */
static struct lh_error error;

static int remove_entry(const char *entry, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(entry);
}

static void remove_folder(void)
{
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void need(enum lh_status status, const char *what)
{
    if (status != LH_OK) {
        printf("not ok - %s: %s: %s\n", what, lh_status_text(status), error.message);
        remove_folder();
        exit(1);
    }
}

static void on_server(const char *before, const char *after)
{
    char text[192];
    PGconn *connection = PQconnectdb(getenv("LOOPHOLE_TEST_POSTGRES"));
    snprintf(text, sizeof text, "SET client_min_messages = warning; %s\"%s\"%s", before, folder, after);
    PGresult *result = PQexec(connection, text);
    need(PQresultStatus(result) == PGRES_COMMAND_OK ? LH_OK : LH_ERR_IO, PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

static void open_real(void)
{
    const char *server = getenv("LOOPHOLE_TEST_POSTGRES");
    char url[512];
    uint64_t epoch = 0, tenant = 0;
    const struct pulse_revision_row first = {.author = "", .message = "", .document = "{}", .document_size = 2};
    /* Durability is not what this is about: memory will do. */
    snprintf(folder, sizeof folder, "%s/loophole-sim-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    need(mkdtemp(folder) != NULL ? LH_OK : LH_ERR_IO, folder);
    if (server != NULL) {
        on_server("CREATE SCHEMA ", "");
        snprintf(url, sizeof url, "%s&options=-csearch_path%%3D\"%s\"", server, folder);
    } else {
        snprintf(url, sizeof url, "sqlite:%s/pulse.db", folder);
    }
    need(pulse_store_open(url, PULSE_STORE_WRITE, &real, &error), "open");
    need(pulse_store_migrate(real, 1, &error), "migrate");
    need(pulse_store_lead(real, "sim", 1, &epoch, &error), "lead");
    need(pulse_store_begin(real, 1, &error), "begin");
    for (uint64_t i = 1; i <= SIM_TENANTS_MOST; i++) {
        char name[8];
        snprintf(name, sizeof name, "t%" PRIu64, i);
        need(pulse_store_tenant_put(real, &(struct pulse_tenant_row){.id = i, .name = name, .tags = ""}, &tenant,
                                    &error),
             "tenant");
        need(pulse_store_project_new(real, i, "p", &first, &projects[i], &error), "project");
    }
    need(pulse_store_commit(real, &error), "commit");
    commits = 0;
    memset(asked, 0, sizeof asked);
}

static void report(void *context, const char *where, const char *fault)
{
    (void)context;
    printf("# the store after %" PRIu64 " commits: %s: %s\n", commits, where, fault);
}

static void check(void)
{
    size_t found = 0;
    need(pulse_store_check(real, report, NULL, &found, &error), "check");
    if (found > 0) {
        need(LH_ERR_INTERNAL, "the store is inconsistent");
    }
}

bool __wrap_rowstore_commit(struct rowstore *store, uint64_t epoch, const struct pulse_change *changes, size_t count)
{
    if (real == NULL) {
        open_real();
    }
    if (!__real_rowstore_commit(store, epoch, changes, count)) {
        return false;
    }
    need(pulse_store_begin(real, (int64_t)++commits, &error), "begin");
    need(pulse_store_apply(real, changes, count, NULL, &error), "apply");
    for (size_t i = 0; i < count; i++) {
        const struct pulse_job_row *job = &changes[i].job;
        if (changes[i].kind == PULSE_CHANGE_JOB && job->id < JOBS_MOST && !asked[job->id]) {
            asked[job->id] = true;
            const struct pulse_request_row request = {.tenant = job->tenant,
                                                      .job = job->id,
                                                      .project = projects[job->tenant],
                                                      .revision = 1,
                                                      .options = "{}"};
            need(pulse_store_request_put(real, &request, &error), "request");
        }
    }
    need(pulse_store_commit(real, &error), "commit");
    if (commits % CHECK_EVERY == 0) {
        check();
    }
    return true;
}

static enum lh_status give(void *context, const struct pulse_change *change)
{
    return pulse_farm_load(context, change, &error);
}

size_t __wrap_rowstore_load(const struct rowstore *store, struct pulse_farm *farm, uint64_t now_ns)
{
    struct pulse_store_numbers numbers;
    size_t healed = 0;
    if (real == NULL) {
        return __real_rowstore_load(store, farm, now_ns); /* of nothing */
    }
    check();
    need(pulse_store_load(real, give, farm, &numbers, &error), "load");
    need(numbers.shard == store->last_shard ? LH_OK : LH_ERR_FORMAT, "the last shard's number");
    need(pulse_farm_load_end(farm, numbers.shard, now_ns, &healed), "the end of the load");
    return healed;
}

void __wrap_rowstore_fini(struct rowstore *store)
{
    __real_rowstore_fini(store);
    if (real != NULL) {
        check();
        pulse_store_close(real);
        real = NULL;
        remove_folder();
        if (getenv("LOOPHOLE_TEST_POSTGRES") != NULL) {
            on_server("DROP SCHEMA ", " CASCADE");
        }
    }
}
