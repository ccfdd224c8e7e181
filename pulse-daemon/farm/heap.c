/* SPDX-License-Identifier: MIT */
/* Sifting up and down. */
#include "pulse-daemon/farm/heap.h"

#include <stdlib.h>

#define CAPACITY_FIRST 4

void pulse_heap_fini(struct pulse_heap *heap)
{
    free(heap->items);
    *heap = (struct pulse_heap){.order = heap->order};
}

static void place(struct pulse_heap *heap, size_t at, void *item)
{
    heap->items[at] = item;
    *heap->order->place(item) = (uint32_t)at;
}

static size_t sift_up(struct pulse_heap *heap, size_t at)
{
    void *item = heap->items[at];
    while (at > 0 && heap->order->before(item, heap->items[(at - 1) / 2])) {
        place(heap, at, heap->items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(heap, at, item);
    return at;
}

static void sift_down(struct pulse_heap *heap, size_t at)
{
    void *item = heap->items[at];
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count && heap->order->before(heap->items[child + 1], heap->items[child])) {
            child++;
        }
        if (!heap->order->before(heap->items[child], item)) {
            break;
        }
        place(heap, at, heap->items[child]);
        at = child;
    }
    place(heap, at, item);
}

bool pulse_heap_push(struct pulse_heap *heap, void *item)
{
    if (heap->count == heap->capacity) {
        size_t capacity = heap->capacity == 0 ? CAPACITY_FIRST : heap->capacity * 2;
        void **items = realloc(heap->items, capacity * sizeof *items);
        if (items == NULL) {
            *heap->order->place(item) = PULSE_HEAP_NONE;
            return false;
        }
        heap->items = items;
        heap->capacity = capacity;
    }
    heap->items[heap->count++] = item;
    sift_up(heap, heap->count - 1);
    return true;
}

void pulse_heap_remove(struct pulse_heap *heap, void *item)
{
    size_t at = *heap->order->place(item);
    void *last = heap->items[--heap->count];
    *heap->order->place(item) = PULSE_HEAP_NONE;
    if (last != item) {
        place(heap, at, last);
        pulse_heap_moved(heap, last);
    }
}

void pulse_heap_moved(struct pulse_heap *heap, void *item)
{
    sift_down(heap, sift_up(heap, *heap->order->place(item)));
}

void *pulse_heap_first(const struct pulse_heap *heap)
{
    return heap->count == 0 ? NULL : heap->items[0];
}
