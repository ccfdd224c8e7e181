/* SPDX-License-Identifier: MIT */
/* Hostile plugins that touch memory which is not theirs. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/plugins/hostile.lv2/hostile.h"

#define URI "urn:loophole:hostile:"
#define FAR 100000 /* samples */

/* One sample behind what it was asked for. */
HOSTILE_FAULT static void write_past(struct hostile *self)
{
    ((volatile float *)hostile_port(self, HOSTILE_OUT_L))[self->length] = 0.5F;
}

HOSTILE_FAULT static void write_far(struct hostile *self)
{
    volatile float *out = hostile_port(self, HOSTILE_OUT_L);
    for (uint32_t i = 0; i < FAR; i++)
        out[self->length + i] = 0.5F;
}

HOSTILE_FAULT static void write_before(struct hostile *self)
{
    volatile float *out = hostile_port(self, HOSTILE_OUT_L);
    for (int i = 1; i < FAR; i++)
        out[-i] = 0.5F;
}

HOSTILE_FAULT static void read_before(struct hostile *self)
{
    const volatile float *in = hostile_port(self, HOSTILE_IN_L);
    float sum = 0;
    for (int i = 1; i < FAR; i++)
        sum += in[-i];
    hostile_port(self, HOSTILE_OUT_L)[0] = sum * 0;
}

HOSTILE_FAULT static void read_past(struct hostile *self)
{
    const volatile float *in = hostile_port(self, HOSTILE_IN_L);
    float sum = 0;
    for (uint32_t i = 0; i < FAR; i++)
        sum += in[self->length + i];
    hostile_port(self, HOSTILE_OUT_L)[0] = sum * 0;
}

/* Over the books of the allocator, which looks at them when the neighbours are freed. */
HOSTILE_FAULT static void heap_overflow(struct hostile *self)
{
    (void)self;
    char *volatile block = malloc(64), *volatile next = malloc(64);
    for (int i = 0; block != NULL && i < 256; i++)
        ((volatile char *)block)[i] = 0x55;
    free(next);
    free(block);
}

HOSTILE_FAULT static void double_free(struct hostile *self)
{
    (void)self;
    void *volatile block = malloc(4096), *volatile same = block;
    void *volatile wall = malloc(4096); /* so that the freed one is not merged with the rest of the heap */
    free(block);
    free(same);
    free(wall);
}

HOSTILE_FAULT static void write_input(struct hostile *self)
{
    for (uint32_t i = 0; i < self->length; i++)
        hostile_port(self, HOSTILE_IN_L)[i] = hostile_port(self, HOSTILE_IN_R)[i] = -1;
}

static void write_control(struct hostile *self)
{
    *hostile_port(self, HOSTILE_AFTER) = -1;
}

/* What the host handed out as constant. */
HOSTILE_FAULT static void write_features(struct hostile *self)
{
    for (const LV2_Feature *const *feature = self->features; *feature != NULL; feature++)
        for (size_t i = 0; i < sizeof(**feature); i++)
            ((volatile char *)(uintptr_t)*feature)[i] = 0x55;
}

HOSTILE_FAULT static void write_constant(struct hostile *self)
{
    *(volatile char *)(uintptr_t)self->deed->uri = 'x';
}

static void *page_of(const void *pointer)
{
    return (void *)((uintptr_t)pointer & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1));
}

static void unmap_output(struct hostile *self)
{
    munmap(page_of(hostile_port(self, HOSTILE_OUT_L)), 1);
}

/* The host falls over it, outside of any plugin. */
static void protect_input(struct hostile *self)
{
    mprotect(page_of(hostile_port(self, HOSTILE_IN_L)), 1, PROT_NONE);
}

/* It opens the door that guards its buffer, and goes through. */
HOSTILE_FAULT static void open_guard(struct hostile *self)
{
    char *end = (char *)(hostile_port(self, HOSTILE_OUT_L) + self->length);
    mprotect(page_of(end), 1, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 256; i++)
        ((volatile char *)end)[i] = 0x55;
}

const struct hostile_deed hostile_memory[] = {
    {URI "write-past", HOSTILE_ONCE, write_past},
    {URI "write-far", HOSTILE_ONCE, write_far},
    {URI "write-before", HOSTILE_ONCE, write_before},
    {URI "read-before", HOSTILE_ONCE, read_before},
    {URI "read-past", HOSTILE_ONCE, read_past},
    {URI "heap-overflow", HOSTILE_ONCE, heap_overflow},
    {URI "double-free", HOSTILE_ONCE, double_free},
    {URI "write-input", HOSTILE_AGAIN, write_input},
    {URI "write-control", HOSTILE_AGAIN, write_control},
    {URI "write-features", HOSTILE_INSTANTIATE, write_features},
    {URI "write-constant", HOSTILE_ONCE, write_constant},
    {URI "unmap-output", HOSTILE_ONCE, unmap_output},
    {URI "protect-input", HOSTILE_ONCE, protect_input},
    {URI "open-guard", HOSTILE_ONCE, open_guard},
    {0},
};
