/* SPDX-License-Identifier: MIT */
/* Preloaded into Pulse by the control of the soak test: of every so many descriptors one is not closed, and some memory
   is lost with it. The test has to notice. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EVERY 8
#define LOST ((size_t)8 << 20)

int close(int fd)
{
    static atomic_uint count;
    if (atomic_fetch_add(&count, 1) % EVERY == EVERY - 1) {
        static void *volatile lost;
        void *block = malloc(LOST);
        if (block != NULL) {
            lost = memset(block, 1, LOST);
        }
        return lost != NULL ? 0 : -1;
    }
    return (int)syscall(SYS_close, fd);
}
