/* SPDX-License-Identifier: MIT */
/* A bare LV2 host, the physical limit that bench/plugins.py compares with: every stem through its own instances of the
   plugins, default values, blocks of one length, plain float sums. No cuts, no latency, no checks, no isolation.
   Instances are dealt to the threads, which never wait for each other until the sum.

   plugin_floor LIST OUT.wav THREADS BLOCK URI...     LIST and stems as in floor.c. Prints the seconds of the run calls
   alone, summed over the threads. */
#include <fcntl.h>
#include <lilv/lilv.h>
#include <lv2/atom/atom.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/options/options.h>
#include <lv2/parameters/parameters.h>
#include <lv2/urid/urid.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xmmintrin.h>

#define STEMS_MAX 1024
#define PLUGINS_MAX 16
#define THREADS_MAX 64
#define URIDS_MAX 4096
#define HEADER_BYTES 44
#define FRAME_BYTES 6
#define RATE 48000
#define EVENT_BYTES 8192

static struct stem {
    const uint8_t *data;
    float left, right;
    LilvInstance *instances[PLUGINS_MAX];
    float *buffers[PLUGINS_MAX + 1][2];
} stems[STEMS_MAX];
static int stem_count, plugin_count, thread_count;
static long frame_count, block;
static float *sums[THREADS_MAX];
static double spent[THREADS_MAX];
static char *urids[URIDS_MAX];
static uint32_t urid_count;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static LV2_URID map(LV2_URID_Map_Handle handle, const char *uri)
{
    (void)handle;
    for (uint32_t i = 0; i < urid_count; i++) {
        if (strcmp(urids[i], uri) == 0) {
            return i + 1;
        }
    }
    urids[urid_count++] = strdup(uri);
    return urid_count;
}

static const char *unmap(LV2_URID_Unmap_Handle handle, LV2_URID urid)
{
    (void)handle;
    return urid >= 1 && urid <= urid_count ? urids[urid - 1] : NULL;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void read_list(const char *path)
{
    FILE *list = fopen(path, "r");
    char stem[4096];
    if (list == NULL) {
        die(path);
    }
    struct stem *at = stems;
    while (fscanf(list, "%4095[^\t]\t%f\t%f\n", stem, &at->left, &at->right) == 3) {
        int fd = open(stem, O_RDONLY);
        struct stat facts;
        if (fd < 0 || fstat(fd, &facts) != 0) {
            die(stem);
        }
        const uint8_t *file = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (file == MAP_FAILED) {
            die(stem);
        }
        close(fd);
        at->data = file + HEADER_BYTES;
        frame_count = (facts.st_size - HEADER_BYTES) / FRAME_BYTES;
        at = &stems[++stem_count];
    }
    fclose(list);
}

static float *new_buffer(void)
{
    float *buffer = aligned_alloc(64, ((size_t)block * sizeof(float) + 63) & ~(size_t)63);
    memset(buffer, 0, (size_t)block * sizeof(float));
    return buffer;
}

/* Audio ports to the stem's buffers, controls to their defaults, event ports to empty sequences. */
static void connect_ports(LilvWorld *world, const LilvPlugin *plugin, struct stem *stem, int place)
{
    LilvNode *audio = lilv_new_uri(world, LV2_CORE__AudioPort);
    LilvNode *input = lilv_new_uri(world, LV2_CORE__InputPort);
    LilvNode *control = lilv_new_uri(world, LV2_CORE__ControlPort);
    uint32_t count = lilv_plugin_get_num_ports(plugin);
    float *values = calloc(count, sizeof *values);
    int inputs = 0, outputs = 0;
    lilv_plugin_get_port_ranges_float(plugin, NULL, NULL, values);
    for (uint32_t p = 0; p < count; p++) {
        const LilvPort *port = lilv_plugin_get_port_by_index(plugin, p);
        bool in = lilv_port_is_a(plugin, port, input);
        void *place_of = NULL;
        if (lilv_port_is_a(plugin, port, control)) {
            values[p] = isnan(values[p]) ? 0.0f : values[p];
            place_of = &values[p];
        } else if (lilv_port_is_a(plugin, port, audio)) {
            int *n = in ? &inputs : &outputs;
            place_of = *n < 2 ? stem->buffers[place + (in ? 0 : 1)][*n] : new_buffer();
            (*n)++;
        } else {
            LV2_Atom_Sequence *events = calloc(1, EVENT_BYTES);
            events->atom.size = in ? sizeof(LV2_Atom_Sequence_Body) : EVENT_BYTES - sizeof(LV2_Atom);
            events->atom.type = map(NULL, LV2_ATOM__Sequence);
            place_of = events;
        }
        lilv_instance_connect_port(stem->instances[place], p, place_of);
    }
    lilv_node_free(audio);
    lilv_node_free(input);
    lilv_node_free(control);
}

static void make_instances(char **uris)
{
    LilvWorld *world = lilv_world_new();
    lilv_world_load_all(world);
    int32_t length = (int32_t)block;
    float rate = RATE;
    LV2_URID_Map mapper = {NULL, map};
    LV2_URID_Unmap unmapper = {NULL, unmap};
    LV2_Options_Option options[] = {
        {LV2_OPTIONS_INSTANCE, 0, map(NULL, LV2_BUF_SIZE__minBlockLength), 4, map(NULL, LV2_ATOM__Int), &length},
        {LV2_OPTIONS_INSTANCE, 0, map(NULL, LV2_BUF_SIZE__maxBlockLength), 4, map(NULL, LV2_ATOM__Int), &length},
        {LV2_OPTIONS_INSTANCE, 0, map(NULL, LV2_PARAMETERS__sampleRate), 4, map(NULL, LV2_ATOM__Float), &rate},
        {LV2_OPTIONS_INSTANCE, 0, 0, 0, 0, NULL}};
    const LV2_Feature features[] = {{LV2_URID__map, &mapper},
                                    {LV2_URID__unmap, &unmapper},
                                    {LV2_OPTIONS__options, options},
                                    {LV2_BUF_SIZE__boundedBlockLength, NULL}};
    const LV2_Feature *list[] = {&features[0], &features[1], &features[2], &features[3], NULL};
    for (int s = 0; s < stem_count; s++) {
        for (int p = 0; p <= plugin_count; p++) {
            stems[s].buffers[p][0] = new_buffer();
            stems[s].buffers[p][1] = new_buffer();
        }
        for (int p = 0; p < plugin_count; p++) {
            LilvNode *uri = lilv_new_uri(world, uris[p]);
            const LilvPlugin *plugin = lilv_plugins_get_by_uri(lilv_world_get_all_plugins(world), uri);
            stems[s].instances[p] = plugin != NULL ? lilv_plugin_instantiate(plugin, RATE, list) : NULL;
            lilv_node_free(uri);
            if (stems[s].instances[p] == NULL) {
                fprintf(stderr, "no plugin %s\n", uris[p]);
                exit(1);
            }
            connect_ports(world, plugin, &stems[s], p);
            lilv_instance_activate(stems[s].instances[p]);
        }
    }
}

static float sample(const uint8_t *p)
{
    return (float)(int32_t)((uint32_t)p[0] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 24) * 0x1p-31f;
}

static void *work(void *argument)
{
    long thread = (long)(intptr_t)argument;
    float *sum = sums[thread];
    _mm_setcsr(_mm_getcsr() | 0x8040); /* denormals are zero */
    for (long from = 0; from < frame_count; from += block) {
        long frames = frame_count - from < block ? frame_count - from : block;
        for (long s = thread; s < stem_count; s += thread_count) {
            struct stem *stem = &stems[s];
            const uint8_t *in = stem->data + from * FRAME_BYTES;
            for (long i = 0; i < frames; i++) {
                stem->buffers[0][0][i] = sample(in + FRAME_BYTES * i);
                stem->buffers[0][1][i] = sample(in + FRAME_BYTES * i + 3);
            }
            double began = now();
            for (int p = 0; p < plugin_count; p++) {
                lilv_instance_run(stem->instances[p], (uint32_t)frames);
            }
            spent[thread] += now() - began;
            for (long i = 0; i < frames; i++) {
                sum[2 * (from + i)] += stem->buffers[plugin_count][0][i] * stem->left;
                sum[2 * (from + i) + 1] += stem->buffers[plugin_count][1][i] * stem->right;
            }
        }
    }
    return NULL;
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static void write_mix(const char *path)
{
    uint32_t bytes = (uint32_t)(frame_count * FRAME_BYTES);
    uint8_t header[HEADER_BYTES] = "RIFF....WAVEfmt ";
    put32(header + 4, 36 + bytes);
    put32(header + 16, 16);
    put32(header + 20, 2u << 16 | 1u);
    put32(header + 24, RATE);
    put32(header + 28, RATE * FRAME_BYTES);
    put32(header + 32, 24u << 16 | FRAME_BYTES);
    memcpy(header + 36, "data", 4);
    put32(header + 40, bytes);
    uint8_t *out = malloc(bytes);
    for (long i = 0; i < 2 * frame_count; i++) {
        float value = 0.0f;
        for (int t = 0; t < thread_count; t++) {
            value += sums[t][i];
        }
        long word = lrintf(fmaxf(-8388608.0f, fminf(8388607.0f, value * 8388608.0f)));
        out[3 * i] = (uint8_t)word;
        out[3 * i + 1] = (uint8_t)(word >> 8);
        out[3 * i + 2] = (uint8_t)(word >> 16);
    }
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(header, 1, sizeof header, file) != sizeof header ||
        fwrite(out, 1, bytes, file) != bytes || fclose(file) != 0) {
        die(path);
    }
    free(out);
}

int main(int argc, char **argv)
{
    if (argc < 6 || argc - 5 > PLUGINS_MAX) {
        fprintf(stderr, "usage: plugin_floor LIST OUT.wav THREADS BLOCK URI...\n");
        return 2;
    }
    thread_count = atoi(argv[3]);
    block = atol(argv[4]);
    plugin_count = argc - 5;
    read_list(argv[1]);
    make_instances(argv + 5);
    pthread_t threads[THREADS_MAX];
    for (int t = 0; t < thread_count; t++) {
        sums[t] = calloc((size_t)frame_count * 2, sizeof(float));
    }
    for (int t = 1; t < thread_count; t++) {
        pthread_create(&threads[t], NULL, work, (void *)(intptr_t)t);
    }
    work((void *)0);
    double total = spent[0];
    for (int t = 1; t < thread_count; t++) {
        pthread_join(threads[t], NULL);
        total += spent[t];
    }
    write_mix(argv[2]);
    printf("%.4f\n", total);
    return 0;
}
