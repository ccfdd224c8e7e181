/* SPDX-License-Identifier: MIT */
/* Hostile plugins whose answers make no sense: samples, the floating environment, latency, events. */
#include <fenv.h>
#include <lv2/atom/atom.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xmmintrin.h>

#include "tests/plugins/hostile.lv2/hostile.h"

#define URI "urn:loophole:hostile:"

static void spoil(struct hostile *self, float value)
{
    hostile_port(self, HOSTILE_OUT_R)[self->length / 2] = value;
}

static void not_a_number(struct hostile *self)
{
    spoil(self, NAN);
}

static void infinite(struct hostile *self)
{
    spoil(self, INFINITY);
}

/* +100 dBFS */
static void huge(struct hostile *self)
{
    spoil(self, 1e5F);
}

/* Asks the processor for denormals and computes with nothing else, for a while in every run. */
static void denormals(struct hostile *self)
{
    _mm_setcsr(0x1F80);
    volatile float sum = 0;
    for (int i = 0; i < 100000; i++)
        sum = (sum + 1e-39F) * 0.5F;
    for (uint32_t i = 0; i < self->length; i++)
        hostile_port(self, HOSTILE_OUT_L)[i] += sum;
}

static void environment(struct hostile *self)
{
    (void)self;
    fesetround(FE_UPWARD);
    feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW);
}

static void latency(struct hostile *self, float value)
{
    *hostile_port(self, HOSTILE_EXTRA) = value;
}

static void latency_negative(struct hostile *self)
{
    latency(self, -1000);
}

static void latency_huge(struct hostile *self)
{
    latency(self, 0x1p31F);
}

static void latency_nan(struct hostile *self)
{
    latency(self, NAN);
}

static void latency_moves(struct hostile *self)
{
    latency(self, (float)(self->frames % 4096));
}

/* Its head says more than its port holds. */
static void sequence_lies(struct hostile *self)
{
    LV2_Atom_Sequence *sequence = self->port[HOSTILE_EXTRA];
    sequence->atom.type = self->map == NULL ? 0 : self->map->map(self->map->handle, LV2_ATOM__Sequence);
    sequence->atom.size = 0x7FFFFFF0;
    sequence->body.unit = 0;
    sequence->body.pad = 0;
}

/* It is as long as it says. */
HOSTILE_FAULT static void sequence_overflows(struct hostile *self)
{
    LV2_Atom_Sequence *sequence = self->port[HOSTILE_EXTRA];
    uint32_t size = sequence->atom.size + (1 << 20);
    sequence_lies(self);
    sequence->atom.size = size;
    volatile char *body = (volatile char *)&sequence->body;
    for (uint32_t i = sizeof(sequence->body); i < size; i++)
        body[i] = 0x55;
}

const struct hostile_deed hostile_sounds[] = {
    {URI "nan", HOSTILE_ONCE, not_a_number},
    {URI "inf", HOSTILE_ONCE, infinite},
    {URI "huge", HOSTILE_ONCE, huge},
    {URI "denormals", HOSTILE_AGAIN, denormals},
    {URI "environment", HOSTILE_AGAIN, environment},
    {URI "latency-negative", HOSTILE_AGAIN, latency_negative},
    {URI "latency-huge", HOSTILE_AGAIN, latency_huge},
    {URI "latency-nan", HOSTILE_AGAIN, latency_nan},
    {URI "latency-moves", HOSTILE_AGAIN, latency_moves},
    {URI "sequence-lies", HOSTILE_AGAIN, sequence_lies},
    {URI "sequence-overflows", HOSTILE_ONCE, sequence_overflows},
    {0},
};
