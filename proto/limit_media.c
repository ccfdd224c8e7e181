/* SPDX-License-Identifier: MIT */
/* Limits of media.proto and shard.proto. */
#include "proto/limit_rows.h"

#define CREDITS_MAX 1024
#define CHUNK_MAX (1u << 20)

LIMITS(location, PATH("path"), FLAG("bulk"), TEXT("url", 1, 2048));
LIMITS(host_media, TEXT("folder", 1, PROSE_MAX_BYTES), FILE_NAME("token_file"), BYTES("token", 32, 32));
LIMITS(blob, DIGEST("digest"), ANY64("size"), MESSAGE("location", location));

LIMITS(media_query, DIGESTS("digests", 200000));
LIMITS(media_lacking, DIGESTS("digests", 200000), MESSAGE("host", host_media));
LIMITS(media_adopt, DIGEST("digest"), ANY64("size"), FILE_NAME("name"));

LIMITS(put_begin, ID("transfer"), DIGEST("digest"), ANY64("size"), ID("shard"), ANY32("attempt"));
LIMITS(put_ready, ID("transfer"), ANY64("offset"), NUMBER("credits", 1, CREDITS_MAX),
       NUMBER("chunk_size", 1, CHUNK_MAX));
LIMITS(put_chunk, ID("transfer"), ANY64("offset"));
LIMITS(put_end, ID("transfer"));
LIMITS(stored, ID("transfer"), DIGEST("digest"), ANY64("size"));
LIMITS(get_begin, ID("transfer"), DIGEST("digest"), ANY64("offset"), NUMBER("credits", 1, CREDITS_MAX), ANY64("length"),
       ID("shard"), ANY32("attempt"));
LIMITS(get_ready, ID("transfer"), ANY64("size"), NUMBER("chunk_size", 1, CHUNK_MAX));
LIMITS(get_chunk, ID("transfer"), ANY64("offset"), FLAG("last"));
LIMITS(bulk_credit, ID("transfer"), NUMBER("credits", 1, CREDITS_MAX));
LIMITS(bulk_abort, ID("transfer"), PROSE("reason"));

LIMITS(shard_input, DIGEST("key"), MESSAGE("blob", blob));
LIMITS(shard_output, DIGEST("key"), MESSAGE("blob", blob), BYTES("facts", 0, 1u << 20));
LIMITS(shard_insert, ANY32("node"), ANY32("latency"), FLAG("latency_changed"), ANY32("copies"), ANY64("nanoseconds"));
LIMITS(shard_cost, TEXT("what", 1, LINE_MAX_BYTES), ANY64("frames"), ANY64("nanoseconds"));
LIMITS(shard_times, ANY64("wall_ns"), ANY64("conform_ns"), ANY64("mix_ns"), ANY64("plugins_ns"), ANY64("meter_ns"),
       ANY64("encode_ns"), ANY64("fetch_ns"), ANY64("hash_ns"), ANY64("frames"));
