/* SPDX-License-Identifier: MIT */
/* A program of the build: compiles the policy of jail_calls.h with libseccomp and prints the filter as C. Done at run
   time this would take longer than all the rest of an instance's start.

   usage: jail-compile ARCHITECTURE >jail_table.h */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include "engine/instance/jail_calls.h"

#define LOW_WORD UINT64_C(0xFFFFFFFF)
#define INSTRUCTIONS_MAX 4096 /* Linux' limit */
#define COUNT(table) (sizeof(table) / sizeof *(table))

static void check(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "jail-compile: %s: error %d\n", what, -result);
        exit(EXIT_FAILURE);
    }
}

/* `name` with argument `index`, an int of which `mask` is looked at, equal to `value`; a mask of 0: any. A call that
   the architecture has not is no error. */
static void rule(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned index, uint64_t mask,
                 uint64_t value)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) {
        fprintf(stderr, "jail-compile: libseccomp does not know %s: it will be denied\n", name);
        return;
    }
    struct scmp_arg_cmp argument = {.arg = index, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
    check(seccomp_rule_add_array(filter, action, number, mask != 0 ? 1 : 0, &argument), name);
}

static void allow_arguments(scmp_filter_ctx filter, const char *name, unsigned index, const uint64_t *values,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rule(filter, SCMP_ACT_ALLOW, name, index, LOW_WORD, values[i]);
    }
}

static void allow_plainly(scmp_filter_ctx filter)
{
#define NAME(call) #call,
    static const char *const names[] = {ENGINE_JAIL_ALLOWED(NAME)};
    static const char *const hostile[] = {ENGINE_JAIL_HOSTILE(NAME)};
#undef NAME
    for (size_t i = 0; i < COUNT(names); i++) {
        rule(filter, SCMP_ACT_ALLOW, names[i], 0, 0, 0);
    }
    for (size_t i = 0; i < COUNT(hostile); i++) {
        rule(filter, SCMP_ACT_TRAP, hostile[i], 0, 0, 0); /* by a signal, whose handler knows the plugin */
    }
}

/* Threads, but no processes and no namespaces. glibc asks by clone3, whose flags lie in memory where no filter sees
   them, and falls back on clone where there is no clone3. */
static void allow_threads(scmp_filter_ctx filter)
{
    const uint64_t watched = CLONE_THREAD | CLONE_VFORK | CLONE_PTRACE | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                             CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    rule(filter, SCMP_ACT_ALLOW, "clone", 0, watched, CLONE_THREAD);
    rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, 0, 0);
}

/* Signals reach this process alone, and SIGSYS stays with the handler that it has: all numbers but 31, by their bits.
 */
static void allow_signals(scmp_filter_ctx filter)
{
    static const char *const senders[] = {"kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"};
    static const struct {
        uint64_t mask, value;
    } numbers[] = {
        {0xFFFFFFF0, 0x00}, {0xFFFFFFF8, 0x10}, {0xFFFFFFFC, 0x18}, {0xFFFFFFFE, 0x1C},
        {0xFFFFFFFF, 0x1E}, {0xFFFFFFE0, 0x20}, {0xFFFFFFFF, 0x40},
    };
    _Static_assert(SIGSYS == 0x1F, "SIGSYS is the number that is left out");
    for (size_t i = 0; i < COUNT(senders); i++) {
        rule(filter, SCMP_ACT_ALLOW, senders[i], 0, LOW_WORD, ENGINE_JAIL_OWN_PID);
    }
    for (size_t i = 0; i < COUNT(numbers); i++) {
        rule(filter, SCMP_ACT_ALLOW, "rt_sigaction", 0, numbers[i].mask, numbers[i].value);
    }
}

static void allow_in_part(scmp_filter_ctx filter)
{
    static const uint64_t socket[] = {ENGINE_JAIL_SOCKET};
    static const uint64_t files[] = {F_DUPFD,     F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,    F_GETFL,
                                     F_SETFL,     F_GETLK,         F_SETLK,     F_SETLKW,   F_OFD_GETLK,
                                     F_OFD_SETLK, F_OFD_SETLKW,    F_ADD_SEALS, F_GET_SEALS};
    static const uint64_t devices[] = {TCGETS, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX};
    static const uint64_t controls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_CAPBSET_READ,
                                        PR_GET_NO_NEW_PRIVS};
    static const uint64_t itself[] = {0, ENGINE_JAIL_OWN_PID};
    allow_arguments(filter, "sendmsg", 0, socket, COUNT(socket));
    allow_arguments(filter, "recvmsg", 0, socket, COUNT(socket));
    allow_arguments(filter, "fcntl", 1, files, COUNT(files));
    allow_arguments(filter, "ioctl", 1, devices, COUNT(devices));
    allow_arguments(filter, "prctl", 0, controls, COUNT(controls));
    allow_arguments(filter, "prlimit64", 0, itself, COUNT(itself));
}

/* As the machine's own, or as the named architecture alone. */
static scmp_filter_ctx begin(const char *architecture)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    uint32_t token = seccomp_arch_resolve_name(architecture);
    if (filter == NULL || token == 0) {
        fprintf(stderr, "jail-compile: libseccomp does not know the architecture %s\n", architecture);
        exit(EXIT_FAILURE);
    }
    if (token != seccomp_arch_native()) {
        check(seccomp_arch_add(filter, token), architecture);
        check(seccomp_arch_remove(filter, SCMP_ARCH_NATIVE), architecture);
    }
    check(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_TRAP), "other architectures");
    check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "binary tree"); /* the kernel loads it twice as fast */
    return filter;
}

static void print(scmp_filter_ctx filter)
{
    static struct sock_filter code[INSTRUCTIONS_MAX];
    FILE *file = tmpfile();
    if (file == NULL) {
        perror("jail-compile");
        exit(EXIT_FAILURE);
    }
    check(seccomp_export_bpf(filter, fileno(file)), "compiling");
    ssize_t size = pread(fileno(file), code, sizeof code, 0);
    fclose(file);
    size_t count = size > 0 ? (size_t)size / sizeof *code : 0;
    size_t own = 0;
    printf("/* SPDX-License-Identifier: MIT */\n/* Made by jail_compile.c of jail_calls.h: code, jt, jf, k. */\n");
    for (size_t i = 0; i < count; i++) {
        own += code[i].k == ENGINE_JAIL_OWN_PID;
        printf("{0x%02x, %u, %u, 0x%08x},\n", (unsigned)code[i].code, (unsigned)code[i].jt, (unsigned)code[i].jf,
               (unsigned)code[i].k);
    }
    check(count == 0 || count == INSTRUCTIONS_MAX || own == 0 ? -1 : 0, "the filter makes no sense");
    check(fflush(stdout) != 0 || ferror(stdout) ? -1 : 0, "writing");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: jail-compile ARCHITECTURE\n");
        return EXIT_FAILURE;
    }
    scmp_filter_ctx filter = begin(argv[1]);
    allow_plainly(filter);
    allow_threads(filter);
    allow_signals(filter);
    allow_in_part(filter);
    print(filter);
    seccomp_release(filter);
    return EXIT_SUCCESS;
}
