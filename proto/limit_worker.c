/* SPDX-License-Identifier: MIT */
/* Limits of worker.proto. */
#include "proto/limit_rows.h"

#define SLOTS_MAX 1024
#define HELD_MAX (4 * SLOTS_MAX) /* at work, and finished but not acknowledged */

LIMITS(hello, NAME("name"), BYTES("session", 16, 16), TEXT("host", 1, LINE_MAX_BYTES), NUMBER("slots", 1, SLOTS_MAX),
       LINE("engine"), TEXT("cpu_class", 0, NAME_MAX_BYTES), LINE("software"), DIGEST("inventory"),
       NAMES("tags", TAGS_MAX), NUMBER("threads", 1, 65536), ANY64("memory"), LINE("jail"));
LIMITS(plugin, TEXT("uri", 1, PROSE_MAX_BYTES), DIGEST("digest"), BYTES("facts", 0, 4u << 20),
       BYTES("evidence", 0, 256u << 10));
LIMITS(inventory, DIGEST("inventory"), NUMBER("index", 0, 65535), FLAG("last"), MESSAGES("plugins", plugin, 4096));
LIMITS(credit, ANY64("granted"));
LIMITS(held, ID("shard"), NUMBER("attempt", 1, UINT32_MAX), ANY64("done"), ANY64("total"), FLAG("finished"),
       ANY64("moved"));
LIMITS(beat, ANY64("sequence"), MESSAGES("held", held, HELD_MAX));
LIMITS(progress, MESSAGE("held", held));
LIMITS(complete, ID("shard"), NUMBER("attempt", 1, UINT32_MAX), MESSAGES("outputs", shard_output, SHARD_EDGES_MAX),
       MESSAGE("times", shard_times), MESSAGES("inserts", shard_insert, SHARD_EDGES_MAX),
       MESSAGES("costs", shard_cost, SHARD_EDGES_MAX));
LIMITS(failed, ID("shard"), NUMBER("attempt", 1, UINT32_MAX), CHOICE("kind"), NUMBER("status", 1, 255),
       PROSE("message"), LINE("where"), BYTES("report", 0, 1u << 20), DIGESTS("missing", SHARD_EDGES_MAX),
       MESSAGE("times", shard_times));
LIMITS(drain, PROSE("reason"));
LIMITS(bye, PROSE("reason"));

LIMITS(welcome, NUMBER("lease_ms", 10, MILLISECONDS_MAX), NUMBER("beat_ms", 1, MILLISECONDS_MAX),
       FLAG("inventory_wanted"), TEXT("bulk_endpoint", 1, 255), MESSAGE("host", host_media), ANY64("epoch"));
LIMITS(limits, NUMBER("threads", 1, 256), NUMBER("no_progress_ms", 1, MILLISECONDS_MAX),
       NUMBER("hard_ms", 1, MILLISECONDS_MAX), ANY64("memory"));
LIMITS(assign, ID("shard"), NUMBER("attempt", 1, UINT32_MAX), ID("tenant"), CHOICE("kind"), BYTES("spec", 0, 64u << 20),
       MESSAGES("inputs", shard_input, SHARD_EDGES_MAX), MESSAGE("limits", limits),
       DIGESTS("outputs", SHARD_EDGES_MAX));
LIMITS(cancel, ID("shard"), NUMBER("attempt", 1, UINT32_MAX));
LIMITS(ack, ID("shard"), NUMBER("attempt", 1, UINT32_MAX), CHOICE("verdict"));
LIMITS(drain_request, PROSE("reason"));
LIMITS(shutdown, PROSE("reason"));
