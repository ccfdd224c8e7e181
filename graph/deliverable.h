/* SPDX-License-Identifier: MIT */
/* What a deliverable's members mean together: which are in use. Private to graph/. */
#ifndef GRAPH_DELIVERABLE_H
#define GRAPH_DELIVERABLE_H

#include "common/base/bytes.h"
#include "graph/graph.h"

/* Sets every member that is not in use to zero (an unused tail, dither seed, resampler, quality, target, loop). */
void graph_deliverable_normalise(struct graph_deliverable *deliverable, uint32_t sample_rate);

/* Its members from `start` to `true_peak_dbtp` in their order: what its samples and their coding depend on, apart from
   its node, `gain_from`, marks and tags. The same bytes in encodings and in keys. */
void graph_deliverable_write(struct lh_writer *writer, const struct graph_deliverable *deliverable);

/* The part of graph_check() that looks at deliverables, tags and markers. */
LH_NODISCARD enum lh_status graph_check_deliverables(const struct graph *graph, struct lh_error *error);

/* Fills `error` with "<table>[<index>]" as its place. Returns LH_ERR_FORMAT. */
enum lh_status graph_refuse(struct lh_error *error, const char *table, uint32_t index, const char *message);
/* NULL when `text` is valid UTF-8 of at most GRAPH_TEXT_MAX bytes, else what is wrong with it. */
const char *graph_text_fault(const char *text);
/* The same without a limit of length. */
const char *graph_utf8_fault(const char *text);

#endif
