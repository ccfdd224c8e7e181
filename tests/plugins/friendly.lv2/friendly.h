/* SPDX-License-Identifier: MIT */
/* Well-behaved LV2 plugins for tests: what each one does is simple enough to be known sample by sample, so that a test
   sees what the host did. URIs are urn:loophole:test:NAME; ports, in their order, are in tables.py. Values that leave
   through audio outputs are exact in float; the loud ones are for 32-bit deliverables. */
/* clang-format off */
/* levels.c
     gain               out = in * gain; mono; gain 0..4, 1
     gain2              the same, stereo
     one-to-two         left = in, right = -in
     two-to-one         out = 0.75 * left + 0.25 * right
     four-out           no inputs; output k (1..4) is k/8
     eight-in           out = sum of input k (1..8) * 2^-k
     analyser           no audio output; its control output `peak` tells the loudest sample of the run
     sidechain-multiply out = in * side (lv2:isSideChain)
     sidechain-stereo   the same twice; the side chain is a port group (pg:sideChainOf)
     optional           out = in, and + extra where that optional input is connected; writes to no null port
     cv-in, cv-out      out = in + cv; cv = in * 0.5, out = in
     denormal-maker     out = in / 2, and after a click a tail that decays for ever: denormal after 130 frames
     denormal-teller    out = 1 where denormals survive arithmetic, else 0
   time.c
     latent             out = in, `delay` frames later (0..65536, 480), which it reports
     latent2            the same, stereo
     late               delays and reports `delay`, but from `after` frames on reports `later`
     offset-teller      frames/8192 at the first sample of each run, else 0; `knob` does nothing
     stepped            gain that moves half of what is left once a run, linear inside it: depends on the blocks
     tail               out = in + feedback * out[-time]
   values.c
     parameter-teller   out = value (-1000..1000) at every frame
     scaled-range       out = frequency / rate; frequency is 0..0.5, 0.25 of the rate (lv2:sampleRate)
     typed              left = whole + 1000 * toggle, right = mode (0, 2 or 5)
     enabled-teller     left = lv2:enabled, right = lv2:freeWheeling as the ports have them
     options-teller     outputs: minimum, nominal, maximum block length / 8192, sequence size / 65536, rate / 96000
                        as told by the options; 0 = not told. Requires boundedBlockLength and options
     counter            out = how often one of its kind was activated in this process / 1024: leaks by a static variable
     noise-rand         out = in + rand() of the C library, -0.25..0.25
     noise-time         the same after srand(time(NULL)) in its instantiate
     noise-clock        the same from a generator of its own, seeded with the nanoseconds of the clock
     is-live            out = 1 when the host says isLive, else 0
     requires-unknown, requires-live, needs-fixed-block, needs-power-of-two: out = in, with such a required feature
   notes.c
     click-synth        velocity/127 at the frame of each note-on, minus the same at its note-off, else 0; adds
     event-teller       outputs: status/256, data 1/128, data 2/128 of each MIDI message at its frame, added
     position-teller    outputs, held from the frame at which they are told: bpm/1000, bar, beat of the bar, beat,
                        beats per bar, beat unit, speed, frame/1048576
     capacity-teller    out = capacity of its event output (rsz:minimumSize 65536) / 1048576 as the host set it
     property           out = in * the writable property urn:loophole:test:level (0..4, 1); exact at the message's frame
   state.c
     state-holder       out = in through four taps * the number in a file; both are state, with a default, two presets
     worker-doubler     out = in; twice that once a worker has responded, which is asked in each run of frames > 0;
                        `jobs` tells how often it did */
/* clang-format on */
#ifndef TESTS_PLUGINS_FRIENDLY_H
#define TESTS_PLUGINS_FRIENDLY_H

#include <lv2/atom/atom.h>
#include <lv2/core/lv2.h>
#include <lv2/options/options.h>
#include <lv2/urid/urid.h>
#include <lv2/worker/worker.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRIENDLY_PORTS 16
#define FRIENDLY_RING (1u << 17) /* frames of delay for each of two channels */
#define FRIENDLY_PATH_MAX 4096

/* One instance of any of them: what a kind does not need stays zero. */
struct friendly {
    void *port[FRIENDLY_PORTS];
    double rate;
    const LV2_URID_Map *map;
    const LV2_Options_Option *options;
    const LV2_Worker_Schedule *schedule;
    bool live;
    float *ring[2];  /* kinds that delay */
    uint64_t frames; /* run since it was activated */
    float value[8];  /* whatever a kind keeps from run to run */
    uint32_t count;
    uint64_t random;
    uint8_t velocity[16][128];
    float taps[4];
    char path[FRIENDLY_PATH_MAX];
    float factor;
};

static inline const float *friendly_in(const struct friendly *self, uint32_t port)
{
    return self->port[port];
}

static inline float *friendly_out(const struct friendly *self, uint32_t port)
{
    return self->port[port];
}

static inline float friendly_value(const struct friendly *self, uint32_t port)
{
    return *(const float *)self->port[port];
}

LV2_URID friendly_urid(const struct friendly *self, const char *uri);

/* For the tables of each file. */
LV2_Handle friendly_instantiate(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                                const LV2_Feature *const *features);
void friendly_connect(LV2_Handle handle, uint32_t port, void *data);
void friendly_activate(LV2_Handle handle); /* forgets the sound */
void friendly_cleanup(LV2_Handle handle);
/* clang-format off */
#define FRIENDLY_WITH(name, instantiate, activate, run, extension_data) \
    { "urn:loophole:test:" name, instantiate, friendly_connect, activate, run, NULL, friendly_cleanup, extension_data }
/* clang-format on */
#define FRIENDLY(name, run) FRIENDLY_WITH(name, friendly_instantiate, friendly_activate, run, NULL)

/* Each ends with an entry without URI. */
extern const LV2_Descriptor friendly_levels[], friendly_times[], friendly_values[], friendly_notes[], friendly_states[];

#endif
