/* SPDX-License-Identifier: MIT */
/* A binary heap of things that know where in it they are, so that any of them can be taken out or moved. */
#ifndef PULSE_FARM_HEAP_H
#define PULSE_FARM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PULSE_HEAP_NONE UINT32_MAX /* the place of what is in no heap */

struct pulse_heap_order {
    bool (*before)(const void *a, const void *b); /* a total order, so that runs repeat */
    uint32_t *(*place)(void *item);               /* where the item keeps its place */
};

/* Zeroed, with an order: empty. */
struct pulse_heap {
    const struct pulse_heap_order *order;
    void **items;
    size_t count, capacity;
};

void pulse_heap_fini(struct pulse_heap *heap);
/* False: no memory; the item is in no heap. */
bool pulse_heap_push(struct pulse_heap *heap, void *item);
void pulse_heap_remove(struct pulse_heap *heap, void *item); /* which is in it */
void pulse_heap_moved(struct pulse_heap *heap, void *item);  /* its order among the others may have changed */
void *pulse_heap_first(const struct pulse_heap *heap);       /* NULL: empty */

#endif
