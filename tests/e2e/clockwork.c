/* SPDX-License-Identifier: MIT */
/* Preloaded into a farm's programs: its clocks are off by as many seconds as the file $TEST_CLOCKS says, an int64_t for
   the wall clock and one for the monotonic clock, which a test changes while they run. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *seconds_off;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("TEST_CLOCKS");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void *mapped = mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
        seconds_off = mapped != MAP_FAILED ? mapped : NULL;
        close(fd);
    }
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (syscall(SYS_clock_gettime, clock, now) != 0) {
        return -1;
    }
    if (seconds_off != NULL && (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC)) {
        now->tv_sec += (time_t)seconds_off[clock == CLOCK_MONOTONIC];
    }
    return 0;
}
