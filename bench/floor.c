/* SPDX-License-Identifier: MIT */
/* The physical limit that the benchmarks compare with: a bare loop that reads 24-bit stereo WAV stems, converts,
   scales, sums in plain floats and writes 24-bit WAV. No project, no exactness, no checks of the sound: nothing that a
   renderer owes its users. Each thread takes one stretch of the timeline.

   floor LIST OUT.wav THREADS      LIST has lines of: path, left gain, right gain, separated by tabs. All stems have one
   length and a 44-byte header. */
#include <fcntl.h>
#include <immintrin.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEMS_MAX 1024
#define THREADS_MAX 64
#define CHUNK_FRAMES 16384
#define FRAME_BYTES 6
#define HEADER_BYTES 44
#define SPARE_BYTES 32 /* the vector loads may look past the last frame */

static struct stem {
    int fd;
    float left, right;
} stems[STEMS_MAX];
static int stem_count;
static int output;

struct stretch {
    long from, to;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static float sample(const uint8_t *p)
{
    return (float)(int32_t)((uint32_t)p[0] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 24) * 0x1p-31f;
}

static void add_plain(float *bus, const uint8_t *in, long frames, float left, float right)
{
    for (long i = 0; i < frames; i++) {
        bus[2 * i] += sample(in + FRAME_BYTES * i) * left;
        bus[2 * i + 1] += sample(in + FRAME_BYTES * i + 3) * right;
    }
}

/* Four frames a step: each 128-bit lane spreads two frames' 3-byte samples into the upper bytes of 32-bit integers. */
__attribute__((target("avx2,fma"))) static void add_avx2(float *bus, const uint8_t *in, long frames, float left,
                                                         float right)
{
    const __m256i spread = _mm256_setr_epi8(-1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1, 0, 1, 2, -1, 3, 4,
                                            5, -1, 6, 7, 8, -1, 9, 10, 11);
    const float l = left * 0x1p-31f, r = right * 0x1p-31f;
    const __m256 gains = _mm256_setr_ps(l, r, l, r, l, r, l, r);
    long i = 0;
    for (; i + 4 <= frames; i += 4) {
        const uint8_t *p = in + FRAME_BYTES * i;
        __m256i bytes = _mm256_setr_m128i(_mm_loadu_si128((const __m128i *)(const void *)p),
                                          _mm_loadu_si128((const __m128i *)(const void *)(p + 12)));
        __m256 x = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(bytes, spread));
        _mm256_storeu_ps(bus + 2 * i, _mm256_fmadd_ps(x, gains, _mm256_loadu_ps(bus + 2 * i)));
    }
    add_plain(bus + 2 * i, in + FRAME_BYTES * i, frames - i, left, right);
}

static void pack(uint8_t *out, const float *bus, long count)
{
    for (long i = 0; i < count; i++) {
        float scaled = bus[i] * 8388608.0f;
        scaled = scaled > 8388607.0f ? 8388607.0f : scaled < -8388608.0f ? -8388608.0f : scaled;
        int32_t value = (int32_t)lrintf(scaled);
        out[3 * i] = (uint8_t)value;
        out[3 * i + 1] = (uint8_t)(value >> 8);
        out[3 * i + 2] = (uint8_t)(value >> 16);
    }
}

static void *run(void *argument)
{
    const struct stretch *stretch = argument;
    uint8_t *in = malloc(CHUNK_FRAMES * FRAME_BYTES + SPARE_BYTES);
    uint8_t *out = malloc(CHUNK_FRAMES * FRAME_BYTES);
    float *bus = aligned_alloc(64, CHUNK_FRAMES * 2 * sizeof *bus);
    int fast = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (in == NULL || out == NULL || bus == NULL) {
        die("memory");
    }
    for (long at = stretch->from; at < stretch->to; at += CHUNK_FRAMES) {
        long frames = stretch->to - at < CHUNK_FRAMES ? stretch->to - at : CHUNK_FRAMES;
        memset(bus, 0, (size_t)frames * 2 * sizeof *bus);
        for (int s = 0; s < stem_count; s++) {
            if (pread(stems[s].fd, in, (size_t)(frames * FRAME_BYTES), HEADER_BYTES + at * FRAME_BYTES) !=
                frames * FRAME_BYTES) {
                die("read");
            }
            (fast ? add_avx2 : add_plain)(bus, in, frames, stems[s].left, stems[s].right);
        }
        pack(out, bus, 2 * frames);
        if (pwrite(output, out, (size_t)(frames * FRAME_BYTES), HEADER_BYTES + at * FRAME_BYTES) !=
            frames * FRAME_BYTES) {
            die("write");
        }
    }
    free(in);
    free(out);
    free(bus);
    return NULL;
}

static long open_stems(const char *list, uint8_t *header)
{
    FILE *file = fopen(list, "r");
    char path[4096];
    float left, right;
    if (file == NULL) {
        die(list);
    }
    while (stem_count < STEMS_MAX && fscanf(file, "%4095[^\t]\t%f\t%f\n", path, &left, &right) == 3) {
        stems[stem_count] = (struct stem){.fd = open(path, O_RDONLY), .left = left, .right = right};
        if (stems[stem_count++].fd < 0) {
            die(path);
        }
    }
    fclose(file);
    struct stat info;
    if (stem_count == 0 || fstat(stems[0].fd, &info) != 0 ||
        pread(stems[0].fd, header, HEADER_BYTES, 0) != HEADER_BYTES) {
        die(list);
    }
    return (long)(info.st_size - HEADER_BYTES) / FRAME_BYTES;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: floor LIST OUT.wav THREADS\n", stderr);
        return 2;
    }
    uint8_t header[HEADER_BYTES];
    long frames = open_stems(argv[1], header);
    int threads = atoi(argv[3]);
    threads = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
    output = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (output < 0 || pwrite(output, header, HEADER_BYTES, 0) != HEADER_BYTES) {
        die(argv[2]);
    }
    pthread_t handles[THREADS_MAX];
    struct stretch stretches[THREADS_MAX];
    long chunks = (frames + CHUNK_FRAMES - 1) / CHUNK_FRAMES;
    for (int t = 0; t < threads; t++) {
        stretches[t].from = chunks * t / threads * CHUNK_FRAMES;
        stretches[t].to = t + 1 == threads ? frames : chunks * (t + 1) / threads * CHUNK_FRAMES;
        if (t > 0 && pthread_create(&handles[t], NULL, run, &stretches[t]) != 0) {
            die("thread");
        }
    }
    run(&stretches[0]);
    for (int t = 1; t < threads; t++) {
        pthread_join(handles[t], NULL);
    }
    return close(output) == 0 ? 0 : 1;
}
