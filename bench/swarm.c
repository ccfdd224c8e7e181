/* SPDX-License-Identifier: MIT */
/* A thousand workers in one process: each speaks the real conversation over a connection of its own, runs nothing, and
   after a while reports made-up blobs. bench/swarm.py
   starts it beside a real Pulse.

   swarm ENDPOINT WORKERS

   Standard input says what to do, one word a line, each answered by a line:
       hold LEAST MOST   from now on a shard takes so many milliseconds, by chance
       reset             forget what was measured
       tell              workers at work, completes acknowledged since reset, and milliseconds from a worker's being
   free to its next assignment: count, median, 99th percentile, longest The end of input ends it. */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/blobs/blobs.h"
#include "engine/instance/delivery.h"
#include "graph/facts.h"
#include "graph/plugin.h"
#include "graph/shard.h"
#include "inventory/evidence.h"
#include "proto/envelope.h"
#include "proto/link/link.h"

#define MS_NS (LH_CLOCK_SECOND_NS / 1000)
#define TURN_MS 5
#define RATE 48000
#define MEDIUM_FRAMES ((uint64_t)600 * RATE) /* a shard is worth its while */
#define PLUGIN_URI "lv2:urn:loophole:swarm"
#define LATENCIES_MAX 1000000

struct output {
    struct lh_digest key;
    enum graph_shard_output_kind kind;
};

struct crew;

struct worker {
    struct crew *crew;
    uint32_t socket;
    char name[32];
    uint8_t session[16];
    uint64_t said, taken, granted;
    bool joined, welcomed, busy;
    uint64_t shard;
    uint32_t attempt;
    struct output *outputs;
    size_t output_count;
    uint64_t finish_ns, beat_ns, free_ns;
    bool rendered; /* it was no probe */
    bool finished; /* its result waits for an acknowledgement */
};

/* Those of one link; its handler and the main thread take turns. */
struct crew {
    struct wire_link *link;
    pthread_mutex_t lock;
    struct worker workers[WIRE_SOCKETS_MAX];
    uint32_t count;
    unsigned chance;
};

static struct crew *crews;
static size_t crew_count;
static atomic_uint hold_least_ms, hold_most_ms, at_work, done, beat_ms;
static pthread_mutex_t latencies_lock = PTHREAD_MUTEX_INITIALIZER;
static float latencies[LATENCIES_MAX];
static size_t latency_count;
static atomic_bool taken; /* Pulse has what a shard gives */
static char media_folder[4096];
static struct lh_writer plugin_facts, plugin_evidence, medium_facts;
static struct lh_digest plugin_digest, inventory_digest;

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "swarm: %s\n", what);
        exit(1);
    }
}

/* ---- what every worker knows ---- */

static void make_inventory(void)
{
    static const struct graph_port ports[] = {
        {.kind = GRAPH_PORT_AUDIO, .input = true, .symbol = "in", .name = "in", .unit = "", .role = ""},
        {.kind = GRAPH_PORT_AUDIO, .symbol = "out", .name = "out", .unit = "", .role = ""},
        {.kind = GRAPH_PORT_CONTROL,
         .input = true,
         .symbol = "gain",
         .name = "gain",
         .unit = "",
         .role = "",
         .maximum = 1e6f,
         .standard = 1},
    };
    static const struct graph_plugin_facts facts = {
        .uri = PLUGIN_URI,
        .name = "Swarm",
        .author = "",
        .licence = "",
        .category = "",
        .version = "1",
        .bundle = "/nowhere/",
        .binary = "/nowhere/swarm.so",
        .refused = "",
        .ports = ports,
        .port_count = sizeof ports / sizeof *ports,
    };
    struct inventory_evidence evidence = {.uri = PLUGIN_URI,
                                          .version = "1",
                                          .sound_version = 1,
                                          .cpu_class = "any",
                                          .across_runs = INVENTORY_YES,
                                          .beside = INVENTORY_YES};
    const struct graph_file_facts medium = {
        .message = "", .frames = MEDIUM_FRAMES, .rate = RATE, .channels = 1, .bits = 24, .format = "WAV, 24 bit"};
    struct lh_writer all;
    lh_writer_init(&plugin_facts);
    lh_writer_init(&plugin_evidence);
    lh_writer_init(&medium_facts);
    lh_writer_init(&all);
    graph_plugin_facts_write(&plugin_facts, &facts);
    graph_facts_write(&medium_facts, &medium);
    inventory_evidence_write(&plugin_evidence, &evidence);
    need(graph_plugin_digest(&facts, &plugin_digest) == LH_OK, "no digest");
    lh_writer_text(&all, PLUGIN_URI);
    lh_writer_bytes(&all, plugin_digest.bytes, sizeof plugin_digest.bytes);
    lh_writer_u32(&all, (uint32_t)plugin_facts.size);
    lh_writer_bytes(&all, plugin_facts.data, plugin_facts.size);
    lh_writer_u32(&all, (uint32_t)plugin_evidence.size);
    lh_writer_bytes(&all, plugin_evidence.data, plugin_evidence.size);
    need(lh_writer_status(&all) == LH_OK && lh_digest_bytes(all.data, all.size, &inventory_digest) == LH_OK,
         "no inventory");
    lh_writer_fini(&all);
}

/* ---- speech ---- */

static void say(struct worker *worker, Wire__Envelope *envelope)
{
    struct wire_buffer buffer = {.data = NULL};
    uint8_t *data;
    struct lh_error error = LH_ERROR_INIT;
    envelope->id = ++worker->said;
    need(wire_envelope_pack(envelope, &data, &buffer.size, &error) == LH_OK, error.message);
    buffer.data = data;
    need(wire_link_send(worker->crew->link, worker->socket, 0, &buffer, NULL) == LH_OK, "cannot send");
}

static void say_hello(struct worker *worker)
{
    Wire__Hello hello = WIRE__HELLO__INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    hello.name = worker->name;
    hello.session = wire_bytes(worker->session, sizeof worker->session);
    hello.host = wire_text("swarm");
    hello.slots = 1;
    hello.engine = wire_text("1 swarm");
    hello.cpu_class = wire_text("any");
    hello.software = wire_text("swarm 1");
    hello.inventory = wire_bytes(inventory_digest.bytes, sizeof inventory_digest.bytes);
    WIRE_BODY(&envelope, HELLO, hello, &hello);
    say(worker, &envelope);
}

static void say_inventory(struct worker *worker)
{
    Wire__Plugin plugin = WIRE__PLUGIN__INIT, *plugins[] = {&plugin};
    Wire__Inventory inventory = WIRE__INVENTORY__INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    plugin.uri = wire_text(PLUGIN_URI);
    plugin.digest = wire_bytes(plugin_digest.bytes, sizeof plugin_digest.bytes);
    plugin.has_facts = true;
    plugin.facts = wire_bytes(plugin_facts.data, plugin_facts.size);
    plugin.has_evidence = true;
    plugin.evidence = wire_bytes(plugin_evidence.data, plugin_evidence.size);
    inventory.inventory = wire_bytes(inventory_digest.bytes, sizeof inventory_digest.bytes);
    inventory.last = true;
    inventory.n_plugins = 1;
    inventory.plugins = plugins;
    WIRE_BODY(&envelope, INVENTORY, inventory, &inventory);
    say(worker, &envelope);
}

static void say_beat(struct worker *worker)
{
    Wire__Held held = WIRE__HELD__INIT, *all[] = {&held};
    Wire__Beat beat = WIRE__BEAT__INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    held.shard = worker->shard;
    held.attempt = worker->attempt;
    held.has_finished = held.finished = worker->finished;
    beat.sequence = worker->said;
    beat.n_held = worker->busy || worker->finished ? 1 : 0;
    beat.held = all;
    WIRE_BODY(&envelope, BEAT, beat, &beat);
    say(worker, &envelope);
    worker->beat_ns = lh_clock_monotonic_ns() + atomic_load(&beat_ms) * MS_NS;
}

static void say_credit(struct worker *worker)
{
    Wire__Credit credit = WIRE__CREDIT__INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    worker->granted = credit.granted = worker->taken + 1;
    WIRE_BODY(&envelope, CREDIT, credit, &credit);
    say(worker, &envelope);
    worker->free_ns = lh_clock_monotonic_ns();
}

/* ---- results ---- */

/* One of two blobs: the facts of a medium, or a few bytes that stand for anything. Files are handed over until one is
   taken; then Pulse has them, and what is measured is Pulse and not the file system. */
struct made {
    Wire__ShardOutput output;
    Wire__Blob blob;
    Wire__Location location;
    struct lh_digest digest;
    char path[sizeof "incoming/" + LH_BLOBS_NAME_SIZE];
    struct lh_writer facts;
};

static void hand_over(const void *data, size_t size, struct made *made)
{
    char name[LH_BLOBS_NAME_SIZE];
    struct lh_error error = LH_ERROR_INIT;
    int fd;
    need(lh_blobs_hand_over(media_folder, name, &fd, &error) == LH_OK, error.message);
    need(lh_file_write_at(fd, data, size, 0) == 0, "cannot write");
    close(fd);
    snprintf(made->path, sizeof made->path, "incoming/%s", name);
    made->location.path = made->path;
    made->blob.location = &made->location;
}

static void make(const struct output *output, struct made *made)
{
    static const char anything[] = "swarm";
    bool probed = output->kind == GRAPH_SHARD_OUT_FACTS;
    const void *data = probed ? medium_facts.data : (const void *)anything;
    size_t size = probed ? medium_facts.size : sizeof anything;
    need(lh_digest_bytes(data, size, &made->digest) == LH_OK, "no digest");
    lh_writer_init(&made->facts);
    wire__shard_output__init(&made->output);
    wire__blob__init(&made->blob);
    wire__location__init(&made->location);
    if (probed || !atomic_load(&taken)) {
        hand_over(data, size, made);
    }
    made->blob.digest = wire_bytes(made->digest.bytes, sizeof made->digest.bytes);
    made->blob.size = size;
    made->output.key = wire_bytes(output->key.bytes, sizeof output->key.bytes);
    made->output.blob = &made->blob;
    if (output->kind == GRAPH_SHARD_OUT_FILE) {
        struct engine_delivered delivered = {.file = {.bytes = size, .frames = 1}};
        engine_delivery_write(&made->facts, &delivered, &made->digest);
        made->output.has_facts = true;
        made->output.facts = wire_bytes(made->facts.data, made->facts.size);
    }
}

static void finish(struct worker *worker)
{
    struct made *made = calloc(worker->output_count + 1, sizeof *made);
    Wire__ShardOutput **outputs = calloc(worker->output_count + 1, sizeof(Wire__ShardOutput *));
    Wire__Complete complete = WIRE__COMPLETE__INIT;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    need(made != NULL && outputs != NULL, "no memory");
    for (size_t i = 0; i < worker->output_count; i++) {
        make(&worker->outputs[i], &made[i]);
        outputs[i] = &made[i].output;
    }
    complete.shard = worker->shard;
    complete.attempt = worker->attempt;
    complete.n_outputs = worker->output_count;
    complete.outputs = outputs;
    WIRE_BODY(&envelope, COMPLETE, complete, &complete);
    say(worker, &envelope);
    for (size_t i = 0; i < worker->output_count; i++) {
        lh_writer_fini(&made[i].facts);
    }
    free(made);
    free(outputs);
    worker->busy = false;
    worker->finished = true;
    say_credit(worker);
}

/* ---- what is heard ---- */

static void hear_welcome(struct worker *worker, const Wire__Welcome *welcome)
{
    need(welcome->host != NULL, "this is not Pulse's host");
    pthread_mutex_lock(&latencies_lock);
    snprintf(media_folder, sizeof media_folder, "%s", welcome->host->folder);
    pthread_mutex_unlock(&latencies_lock);
    atomic_store(&beat_ms, welcome->beat_ms);
    if (welcome->inventory_wanted) {
        say_inventory(worker);
    }
    say_beat(worker);
    worker->beat_ns -= (uint64_t)rand_r(&worker->crew->chance) % welcome->beat_ms * MS_NS; /* not all at once */
    say_credit(worker);
    worker->free_ns = 0;
    if (!worker->welcomed) {
        worker->welcomed = true;
        atomic_fetch_add(&at_work, 1);
    }
}

static void note_latency(uint64_t ns)
{
    pthread_mutex_lock(&latencies_lock);
    if (latency_count < LATENCIES_MAX) {
        latencies[latency_count++] = (float)ns / MS_NS;
    }
    pthread_mutex_unlock(&latencies_lock);
}

static void hear_assign(struct worker *worker, const Wire__Assign *assign, struct lh_arena *arena)
{
    struct graph_shard shard;
    struct lh_error error = LH_ERROR_INIT;
    uint64_t now_ns = lh_clock_monotonic_ns();
    unsigned least = atomic_load(&hold_least_ms), most = atomic_load(&hold_most_ms);
    need(!worker->busy, "two shards at once");
    need(graph_shard_edges(assign->spec.data, assign->spec.len, arena, &shard, &error) == LH_OK, error.message);
    free(worker->outputs);
    worker->outputs = calloc(shard.output_count + 1, sizeof *worker->outputs);
    need(worker->outputs != NULL, "no memory");
    for (size_t i = 0; i < shard.output_count; i++) {
        worker->outputs[i] = (struct output){.key = shard.outputs[i].key, .kind = shard.outputs[i].kind};
    }
    worker->output_count = shard.output_count;
    worker->rendered = shard.kind == GRAPH_SHARD_RENDER;
    worker->shard = assign->shard;
    worker->attempt = assign->attempt;
    worker->taken++;
    worker->busy = true;
    worker->finished = false;
    if (worker->free_ns != 0) {
        note_latency(now_ns - worker->free_ns);
    }
    worker->finish_ns =
        now_ns + (least + (most > least ? (unsigned)rand_r(&worker->crew->chance) % (most - least) : 0)) * MS_NS;
    if (most == 0) {
        finish(worker);
    }
}

static void hear(struct worker *worker, const struct wire_event *event)
{
    struct lh_arena arena;
    struct lh_error error = LH_ERROR_INIT;
    const Wire__Envelope *envelope;
    lh_arena_init(&arena);
    need(wire_envelope_unpack(event->envelope, event->envelope_size, &arena, &envelope, &error) == LH_OK,
         error.message);
    if (envelope->body_case == WIRE__ENVELOPE__BODY_WELCOME) {
        hear_welcome(worker, envelope->welcome);
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_ASSIGN) {
        hear_assign(worker, envelope->assign, &arena);
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_ACK) {
        need(envelope->ack->verdict == WIRE__ACK__VERDICT__COMMITTED, "a result does not count");
        atomic_fetch_add(&done, 1);
        atomic_store(&taken, worker->rendered || atomic_load(&taken));
        if (envelope->ack->shard == worker->shard) {
            worker->finished = false;
        }
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_ERROR) {
        need(false, envelope->error->message);
    } else if (envelope->body_case == WIRE__ENVELOPE__BODY_CANCEL) {
        /* A beat that crossed the acknowledgement listed what was over. */
        need(!worker->busy || envelope->cancel->shard != worker->shard, "a shard is taken away");
    }
    lh_arena_fini(&arena);
}

static bool on_event(void *context, struct wire_link *link, struct wire_event *event)
{
    struct crew *crew = context;
    (void)link;
    pthread_mutex_lock(&crew->lock);
    for (uint32_t i = 0; i < crew->count; i++) {
        struct worker *worker = &crew->workers[i];
        if (worker->socket != event->socket) {
            continue;
        }
        if (event->kind == WIRE_JOINED) {
            worker->joined = true;
            say_hello(worker);
        } else if (event->kind == WIRE_MESSAGE) {
            hear(worker, event);
        } else {
            need(false, "Pulse is gone");
        }
    }
    pthread_mutex_unlock(&crew->lock);
    wire_event_free(event);
    return true;
}

/* ---- life ---- */

static void start(const char *endpoint, size_t workers)
{
    struct lh_error error = LH_ERROR_INIT;
    crew_count = (workers + WIRE_SOCKETS_MAX - 1) / WIRE_SOCKETS_MAX;
    crews = calloc(crew_count, sizeof *crews);
    need(crews != NULL, "no memory");
    for (size_t i = 0; i < workers; i++) {
        struct crew *crew = &crews[i / WIRE_SOCKETS_MAX];
        if (crew->link == NULL) {
            struct wire_link_options options = {.handler = on_event, .handler_context = crew};
            pthread_mutex_init(&crew->lock, NULL);
            crew->chance = (unsigned)i + 1;
            need(wire_link_new(&options, &crew->link, &error) == LH_OK, error.message);
        }
        struct wire_socket_options options = {.kind = WIRE_DEALER, .endpoint = endpoint, .dead_ms = 60000};
        struct worker *worker = &crew->workers[crew->count];
        worker->crew = crew;
        worker->socket = crew->count;
        snprintf(worker->name, sizeof worker->name, "swarm-%04zu", i);
        for (size_t b = 0; b < sizeof worker->session; b++) {
            worker->session[b] = (uint8_t)rand_r(&crew->chance);
        }
        pthread_mutex_lock(&crew->lock);
        crew->count++;
        pthread_mutex_unlock(&crew->lock);
        uint32_t socket;
        need(wire_link_open(crew->link, &options, &socket, &error) == LH_OK && socket == worker->socket, error.message);
    }
}

static void tend(void)
{
    for (size_t c = 0; c < crew_count; c++) {
        struct crew *crew = &crews[c];
        uint64_t now_ns = lh_clock_monotonic_ns();
        pthread_mutex_lock(&crew->lock);
        for (uint32_t i = 0; i < crew->count; i++) {
            struct worker *worker = &crew->workers[i];
            if (worker->busy && now_ns >= worker->finish_ns) {
                finish(worker);
            }
            if (worker->welcomed && now_ns >= worker->beat_ns) {
                say_beat(worker);
            }
        }
        pthread_mutex_unlock(&crew->lock);
    }
}

static int by_value(const void *a, const void *b)
{
    return (*(const float *)a > *(const float *)b) - (*(const float *)a < *(const float *)b);
}

static void tell(void)
{
    pthread_mutex_lock(&latencies_lock);
    qsort(latencies, latency_count, sizeof *latencies, by_value);
    size_t count = latency_count;
    printf("%u %u %zu %.3f %.3f %.3f\n", atomic_load(&at_work), atomic_load(&done), count,
           count > 0 ? (double)latencies[count / 2] : 0, count > 0 ? (double)latencies[count * 99 / 100] : 0,
           count > 0 ? (double)latencies[count - 1] : 0);
    pthread_mutex_unlock(&latencies_lock);
}

static void obey(const char *line)
{
    unsigned least, most;
    if (sscanf(line, "hold %u %u", &least, &most) == 2) {
        atomic_store(&hold_least_ms, least);
        atomic_store(&hold_most_ms, most);
        puts("ok");
    } else if (strcmp(line, "reset\n") == 0) {
        pthread_mutex_lock(&latencies_lock);
        latency_count = 0;
        atomic_store(&done, 0);
        pthread_mutex_unlock(&latencies_lock);
        puts("ok");
    } else {
        tell();
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    need(argc == 3, "usage: swarm ENDPOINT WORKERS");
    struct rlimit limit;
    need(getrlimit(RLIMIT_NOFILE, &limit) == 0, "no limit");
    limit.rlim_cur = limit.rlim_max;
    need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "no descriptors");
    make_inventory();
    start(argv[1], (size_t)atol(argv[2]));
    setvbuf(stdin, NULL, _IONBF, 0);
    for (;;) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        char line[64];
        if (poll(&input, 1, TURN_MS) > 0) {
            if (fgets(line, sizeof line, stdin) == NULL) {
                _exit(0); /* the kernel closes a thousand connections faster than we would */
            }
            obey(line);
        }
        tend();
    }
}
