/* SPDX-License-Identifier: MIT */
/* The program loophole-node as Pulse sees it when all goes well: with the real signal instance, over a real link. */
#include "engine/node/node.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "engine/instance/delivery.h"
#include "graph/facts.h"
#include "graph/plugin.h"
#include "tests/engine/node/script.h"
#include "tests/engine/node/shards.h"
#include "tests/support/testing.h"

#define FRAMES 4800u
#define FLOATS_AT 58 /* where the samples of a float WAV of the encoder begin, at the earliest */

static struct script script;

static void begin(void)
{
    script_begin(&script, false);
}

static void begin_remote(void)
{
    script_begin(&script, true);
}

static void end(void)
{
    script_end(&script);
    shards_end();
}

static struct script_input put_wav(uint32_t rate, uint32_t frames)
{
    struct script_input input;
    size_t size;
    uint8_t *data = shards_wav(rate, 2, frames, &size);
    script_put(&script, data, size, &input.blob);
    input.key = input.blob.digest;
    return input;
}

/* The only output of the next Complete, acknowledged. */
static int take_output(uint64_t shard, uint32_t attempt, struct lh_blob *blob)
{
    const Wire__Complete *complete = script_hear(&script, WIRE__ENVELOPE__BODY_COMPLETE)->complete;
    ck_assert_uint_eq(complete->shard, shard);
    ck_assert_uint_eq(complete->attempt, attempt);
    ck_assert_uint_eq(complete->n_outputs, 1);
    int fd = script_adopt(&script, complete->outputs[0], blob);
    script_ack(&script, shard, attempt, WIRE__ACK__VERDICT__COMMITTED);
    return fd;
}

/* The last `count` floats of a file. */
static float *floats_of(int fd, uint64_t size, size_t count)
{
    float *samples = malloc(count * sizeof *samples);
    ck_assert_ptr_nonnull(samples);
    ck_assert_uint_ge(size, count * sizeof *samples);
    ck_assert_int_eq(lh_file_read_at(fd, samples, count * sizeof *samples, size - count * sizeof *samples), 0);
    return samples;
}

static void check_ramp(int fd, uint64_t size)
{
    float *samples = floats_of(fd, size, 2 * (size_t)FRAMES);
    for (uint32_t n = 0; n < FRAMES; n++) {
        ck_assert_float_eq(samples[2 * n], (float)(int16_t)(n * 7) / 32768.0F);
        ck_assert_float_eq(samples[2 * n + 1], (float)(int16_t)(n * 7 + 1000) / 32768.0F);
    }
    free(samples);
    close(fd);
}

START_TEST(greets_beats_and_leaves)
{
    static const char *const arguments[] = {"--tag", "zeta", "--tag", "alpha", "--tag", "zeta", NULL};
    script_start(&script, arguments, NULL);
    const Wire__Hello *hello = script_hear(&script, WIRE__ENVELOPE__BODY_HELLO)->hello;
    ck_assert_str_eq(hello->name, "tested");
    ck_assert_uint_eq(hello->slots, 2);
    ck_assert_uint_eq(hello->n_tags, 2);
    ck_assert_str_eq(hello->tags[0], "alpha");
    ck_assert_msg(strncmp(hello->engine, "1 ", 2) == 0 && strstr(hello->engine, "libsndfile") != NULL, "%s",
                  hello->engine);
    ck_assert_str_ne(hello->cpu_class, "");
    ck_assert_str_ne(hello->host, "");
    script_restart(&script); /* it says the same again */
    script_welcome(&script, false);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_CREDIT);
    ck_assert_uint_eq(script.granted, 2);
    script_listen(&script, 450);
    ck_assert_uint_ge(script.beats, 4);
    ck_assert_uint_eq(script.held_count, 0);
    ck_assert_int_eq(kill(script.node, SIGTERM), 0);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_DRAIN);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_BYE);
    ck_assert_int_eq(script_wait(&script), 0);
}
END_TEST

START_TEST(renders_a_file)
{
    struct script_input input = put_wav(SHARDS_RATE, FRAMES);
    struct graph_shard shard = shards_clip(&input.key, SHARDS_RATE, FRAMES, false);
    script_greet(&script, NULL, NULL);
    script_assign(&script, 12, 3, &shard, &input, 1, NULL);
    const Wire__Envelope *envelope = script_hear(&script, WIRE__ENVELOPE__BODY_COMPLETE);
    const Wire__Complete *complete = envelope->complete;
    ck_assert_str_eq(envelope->trace, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    ck_assert_uint_eq(complete->shard, 12);
    ck_assert_uint_eq(complete->attempt, 3);
    ck_assert_uint_eq(complete->n_outputs, 1);
    ck_assert_mem_eq(complete->outputs[0]->key.data, shard.outputs[0].key.bytes, LH_DIGEST_SIZE);
    struct engine_delivered delivered;
    struct lh_digest told;
    ck_assert_int_eq(
        engine_delivery_read(complete->outputs[0]->facts.data, complete->outputs[0]->facts.len, &delivered, &told),
        LH_OK);
    ck_assert_mem_eq(told.bytes, complete->outputs[0]->blob->digest.data, LH_DIGEST_SIZE);
    ck_assert_uint_eq(delivered.file.frames, FRAMES);
    ck_assert(delivered.has_loudness);
    ck_assert(complete->times->wall_ns > 0 && complete->times->has_mix_ns);
    struct lh_blob blob;
    int fd = script_adopt(&script, complete->outputs[0], &blob);
    check_ramp(fd, blob.size);
    script_ack(&script, 12, 3, WIRE__ACK__VERDICT__COMMITTED);
    (void)script_hear(&script, WIRE__ENVELOPE__BODY_BEAT);
    script_listen(&script, 250);
    ck_assert(!script_holds(&script, 12, 3));
    ck_assert_uint_eq(script.granted, 3);
}
END_TEST

START_TEST(stores_frames_and_plays_them)
{
    struct script_input input = put_wav(SHARDS_RATE, FRAMES), stored;
    struct graph_shard first = shards_clip(&input.key, SHARDS_RATE, FRAMES, true);
    struct lh_blob blob;
    script_greet(&script, NULL, NULL);
    script_assign(&script, 1, 1, &first, &input, 1, NULL);
    int fd = take_output(1, 1, &stored.blob);
    ck_assert_uint_eq(stored.blob.size, FRAMES * 2 * sizeof(float));
    check_ramp(fd, stored.blob.size);
    stored.key = first.outputs[0].key;
    struct graph_shard second = shards_play(&stored.key, FRAMES);
    script_assign(&script, 2, 1, &second, &stored, 1, NULL);
    fd = take_output(2, 1, &blob);
    check_ramp(fd, blob.size);
}
END_TEST

/* What a whole render of that medium gives, and what one gives that gets it conformed. */
START_TEST(converts_media)
{
    struct script_input inputs[2] = {put_wav(44100, FRAMES), put_wav(44100, FRAMES + 1)}, conformed;
    struct lh_digest keys[2] = {inputs[0].key, inputs[1].key};
    struct graph_shard whole = shards_clip(&keys[0], 44100, FRAMES, false);
    struct graph_shard one = shards_convert(keys, 1, FRAMES), both = shards_convert(keys, 2, FRAMES);
    struct lh_blob direct, again;
    script_greet(&script, NULL, NULL);
    script_assign(&script, 1, 1, &whole, inputs, 1, NULL);
    close(take_output(1, 1, &direct));
    script_assign(&script, 2, 1, &one, inputs, 1, NULL);
    close(take_output(2, 1, &conformed.blob));
    ck_assert_uint_eq(conformed.blob.size, graph_converted_length(FRAMES, 44100, SHARDS_RATE) * 2 * sizeof(float));
    script_assign(&script, 3, 1, &both, inputs, 2, NULL);
    const Wire__Complete *complete = script_hear(&script, WIRE__ENVELOPE__BODY_COMPLETE)->complete;
    ck_assert_uint_eq(complete->n_outputs, 2);
    ck_assert_mem_eq(complete->outputs[0]->blob->digest.data, conformed.blob.digest.bytes, LH_DIGEST_SIZE);
    ck_assert_mem_ne(complete->outputs[1]->blob->digest.data, conformed.blob.digest.bytes, LH_DIGEST_SIZE);
    script_ack(&script, 3, 1, WIRE__ACK__VERDICT__COMMITTED);
    conformed.key = one.outputs[0].key;
    struct graph_shard rest = shards_clip_conformed(&conformed.key, 44100, FRAMES);
    script_assign(&script, 4, 1, &rest, &conformed, 1, NULL);
    close(take_output(4, 1, &again));
    ck_assert(lh_digest_equal(&direct.digest, &again.digest));
}
END_TEST

static const uint8_t score[] = {'M', 'T', 'h', 'd', 0,  0, 0,    6,  0,   0,  0,    1,  0, 96, 'M',  'T',  'r',
                                'k', 0,   0,   0,   12, 0, 0x90, 60, 100, 96, 0x80, 60, 0, 0,  0xFF, 0x2F, 0};

static void read_facts(const Wire__ShardOutput *output, struct lh_arena *arena, struct graph_file_facts *facts)
{
    struct lh_blob blob;
    int fd = script_adopt(&script, output, &blob);
    uint8_t *data = lh_arena_alloc(arena, blob.size);
    ck_assert_int_eq(lh_file_read_at(fd, data, blob.size, 0), 0);
    ck_assert_int_eq(graph_facts_read(data, blob.size, arena, facts), LH_OK);
    close(fd);
}

START_TEST(probes_files)
{
    struct script_input inputs[3] = {put_wav(44100, 1234)};
    static const bool midi[] = {false, true, false};
    script_put(&script, score, sizeof score, &inputs[1].blob);
    script_put(&script, "no sound at all", 15, &inputs[2].blob);
    struct lh_digest files[3];
    for (size_t i = 0; i < 3; i++) {
        inputs[i].key = inputs[i].blob.digest;
        files[i] = inputs[i].key;
    }
    struct graph_shard shard = shards_probe(files, midi, 3);
    script_greet(&script, NULL, NULL);
    script_assign(&script, 5, 1, &shard, inputs, 3, NULL);
    const Wire__Complete *complete = script_hear(&script, WIRE__ENVELOPE__BODY_COMPLETE)->complete;
    ck_assert_uint_eq(complete->n_outputs, 3);
    struct lh_arena arena;
    struct graph_file_facts facts;
    lh_arena_init(&arena);
    read_facts(complete->outputs[0], &arena, &facts);
    ck_assert_int_eq(facts.status, LH_OK);
    ck_assert(facts.frames == 1234 && facts.rate == 44100 && facts.channels == 2 && facts.bits == 16 && !facts.lossy);
    read_facts(complete->outputs[1], &arena, &facts);
    ck_assert(facts.is_midi && facts.note_count == 2 && facts.notes[1].at == 1.0 && facts.length == 1.0);
    read_facts(complete->outputs[2], &arena, &facts);
    ck_assert_int_eq(facts.status, LH_ERR_FORMAT);
    ck_assert_str_ne(facts.message, "");
    lh_arena_fini(&arena);
}
END_TEST

/* ---- plugins */

/* The whole inventory as it is told: checks its digest, and gives the plugin of that URI. */
static struct graph_plugin hear_inventory(const char *uri, struct lh_arena *arena)
{
    struct graph_plugin found = {.uri = NULL};
    struct lh_writer all;
    lh_writer_init(&all);
    bool last = false;
    for (uint32_t index = 0; !last; index++) {
        const Wire__Inventory *chunk = script_hear(&script, WIRE__ENVELOPE__BODY_INVENTORY)->inventory;
        ck_assert_uint_eq(chunk->index, index);
        ck_assert_mem_eq(chunk->inventory.data, script.inventory, LH_DIGEST_SIZE);
        last = chunk->last;
        for (size_t i = 0; i < chunk->n_plugins; i++) {
            const Wire__Plugin *plugin = chunk->plugins[i];
            lh_writer_text(&all, plugin->uri);
            lh_writer_bytes(&all, plugin->digest.data, plugin->digest.len);
            lh_writer_u32(&all, (uint32_t)plugin->facts.len);
            lh_writer_bytes(&all, plugin->facts.data, plugin->facts.len);
            lh_writer_u32(&all, (uint32_t)plugin->evidence.len);
            lh_writer_bytes(&all, plugin->evidence.data, plugin->evidence.len);
            if (strcmp(plugin->uri, uri) == 0) {
                struct lh_reader reader;
                struct graph_plugin_facts facts;
                lh_reader_init(&reader, plugin->facts.data, plugin->facts.len);
                ck_assert_int_eq(graph_plugin_facts_read(&reader, arena, &facts), LH_OK);
                ck_assert_int_eq(graph_plugin_digest(&facts, &found.digest), LH_OK);
                ck_assert_mem_eq(found.digest.bytes, plugin->digest.data, LH_DIGEST_SIZE);
                found.uri = facts.uri;
                found.version = facts.version;
                found.bundle = "/somewhere/else.lv2/"; /* where another machine has it */
            }
        }
    }
    struct lh_digest digest;
    ck_assert_int_eq(lh_digest_bytes(all.data, all.size, &digest), LH_OK);
    ck_assert_mem_eq(digest.bytes, script.inventory, LH_DIGEST_SIZE);
    lh_writer_fini(&all);
    ck_assert_msg(found.uri != NULL, "%s is not told of", uri);
    return found;
}

START_TEST(tells_and_runs_plugins)
{
    struct lh_arena arena;
    struct lh_blob blob;
    lh_arena_init(&arena);
    script_start(&script, NULL, NULL);
    script_welcome(&script, true);
    struct graph_plugin gain = hear_inventory("lv2:urn:loophole:test:gain", &arena);
    struct script_input input = put_wav(SHARDS_RATE, FRAMES);
    struct graph_shard shard = shards_plugin(&input.key, FRAMES, &gain);
    script_assign(&script, 9, 1, &shard, &input, 1, NULL);
    const Wire__Complete *complete = script_hear(&script, WIRE__ENVELOPE__BODY_COMPLETE)->complete;
    ck_assert_uint_eq(complete->n_inserts, 1);
    ck_assert_uint_eq(complete->inserts[0]->node, 1);
    close(script_adopt(&script, complete->outputs[0], &blob));
    script_ack(&script, 9, 1, WIRE__ACK__VERDICT__COMMITTED);
    gain.digest.bytes[0] ^= 1; /* another build of it */
    shard = shards_plugin(&input.key, FRAMES, &gain);
    script_assign(&script, 10, 1, &shard, &input, 1, NULL);
    const Wire__Failed *failed = script_hear(&script, WIRE__ENVELOPE__BODY_FAILED)->failed;
    ck_assert_int_eq(failed->kind, WIRE__FAILED__KIND__REFUSED);
    ck_assert_str_eq(failed->where, gain.uri);
    lh_arena_fini(&arena);
}
END_TEST

/* A bundle of plugins that is installed while the node runs. */
START_TEST(notices_new_plugins)
{
    static const char *const arguments[] = {"--look-s", "1", NULL};
    char path[300], from[600], command[1024];
    snprintf(path, sizeof path, "LV2_PATH=%s/lv2", script.folder);
    ck_assert_int_eq(mkdir(path + 9, 0700), 0);
    const char *const variables[] = {path, NULL};
    script_greet(&script, arguments, variables);
    snprintf(from, sizeof from, "%s/friendly.lv2", getenv("LV2_PATH"));
    snprintf(command, sizeof command, "cp -r %s %s/", from, path + 9);
    ck_assert_int_eq(system(command), 0);
    const Wire__Inventory *inventory = script_hear(&script, WIRE__ENVELOPE__BODY_INVENTORY)->inventory;
    ck_assert_uint_gt(inventory->n_plugins, 0);
    ck_assert_mem_ne(inventory->inventory.data, script.inventory, LH_DIGEST_SIZE);
}
END_TEST

/* ---- elsewhere */

START_TEST(everything_travels)
{
    struct script_input input = put_wav(SHARDS_RATE, 500000); /* two chunks */
    struct graph_shard shard = shards_clip(&input.key, SHARDS_RATE, 500000, true);
    struct lh_blob blob;
    script_greet(&script, NULL, NULL);
    for (uint32_t attempt = 1; attempt <= 2; attempt++) {
        script_assign(&script, 12, attempt, &shard, &input, 1, NULL);
        close(take_output(12, attempt, &blob));
        ck_assert_uint_eq(blob.size, 500000 * 2 * sizeof(float));
        ck_assert_uint_eq(script_figures(&script).gets, 1); /* the second comes from the cache */
    }
    struct script_input stored = {.key = shard.outputs[0].key, .blob = blob};
    struct graph_shard second = shards_play(&stored.key, 500000);
    script_assign(&script, 13, 1, &second, &stored, 1, NULL);
    close(take_output(13, 1, &blob));
    ck_assert_uint_eq(script_figures(&script).gets, 1); /* what it made itself it need not fetch */
}
END_TEST

START_TEST(bulk_survives_a_restart)
{
    struct script_input input = put_wav(SHARDS_RATE, FRAMES);
    struct graph_shard shard = shards_clip(&input.key, SHARDS_RATE, FRAMES, false);
    struct lh_blob blob;
    script_greet(&script, NULL, NULL);
    script_assign(&script, 12, 1, &shard, &input, 1, NULL);
    script_listen(&script, 5);
    script_leave(&script); /* before, in or after the transfer of either */
    usleep(300000);
    script_return(&script);
    script_welcome(&script, false);
    int fd = take_output(12, 1, &blob);
    check_ramp(fd, blob.size);
}
END_TEST

/* Longer than a shard may stand still. */
START_TEST(who_waits_for_pulse_does_not_stand_still)
{
    struct script_input input = put_wav(SHARDS_RATE, FRAMES);
    struct graph_shard shard = shards_clip(&input.key, SHARDS_RATE, FRAMES, false);
    struct lh_blob blob;
    script_greet(&script, NULL, NULL);
    pulse_bulk_free(script.bulk); /* nobody has the input, nor takes what is made of it */
    script.bulk = NULL;
    script_assign(&script, 12, 1, &shard, &input, 1, &(struct script_limits){.no_progress_ms = 1000});
    script_listen(&script, 4000);
    script_restart(&script);
    script_welcome(&script, false);
    int fd = take_output(12, 1, &blob);
    check_ramp(fd, blob.size);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/node/node");
    TCase *here = tcase_create("here"), *elsewhere = tcase_create("elsewhere");
    tcase_add_checked_fixture(here, begin, end);
    tcase_add_checked_fixture(elsewhere, begin_remote, end);
    tcase_add_test(here, greets_beats_and_leaves);
    tcase_add_test(here, renders_a_file);
    tcase_add_test(here, stores_frames_and_plays_them);
    tcase_add_test(here, converts_media);
    tcase_add_test(here, probes_files);
    tcase_add_test(here, tells_and_runs_plugins);
    tcase_add_test(here, notices_new_plugins);
    tcase_add_test(elsewhere, everything_travels);
    tcase_add_test(elsewhere, bulk_survives_a_restart);
    tcase_add_test(elsewhere, who_waits_for_pulse_does_not_stand_still);
    suite_add_tcase(suite, here);
    suite_add_tcase(suite, elsewhere);
    return testing_main(suite);
}
