/* SPDX-License-Identifier: MIT */
/* The system calls that a jailed instance may make, as data: a program of the build (jail_compile.c) makes the filter
   of it, and the parent finds here the name of a call that ended a child. What is not named fails with EPERM. */
#ifndef ENGINE_INSTANCE_JAIL_CALLS_H
#define ENGINE_INSTANCE_JAIL_CALLS_H

/* Laid out by hand: a list of names reads as one. */
/* clang-format off */

/* Allowed whatever their arguments are. Which files they reach is Landlock's to decide; what it has no say in (owners,
   modes, times and attributes of files) is not here. */
#define ENGINE_JAIL_ALLOWED(X)                                                                                         \
    /* files */                                                                                                        \
    X(access) X(chdir) X(close) X(close_range) X(copy_file_range) X(creat) X(dup) X(dup2) X(dup3) X(faccessat)         \
    X(faccessat2) X(fadvise64) X(fallocate) X(fchdir) X(fdatasync) X(flock) X(fstat) X(fstatfs) X(fsync) X(ftruncate)  \
    X(getcwd) X(getdents) X(getdents64) X(link) X(linkat) X(lseek) X(lstat) X(mkdir) X(mkdirat) X(newfstatat) X(open)  \
    X(openat) X(openat2) X(pread64) X(preadv) X(preadv2) X(pwrite64) X(pwritev) X(pwritev2) X(read) X(readahead)       \
    X(readlink) X(readlinkat) X(readv) X(rename) X(renameat) X(renameat2) X(rmdir) X(sendfile) X(stat) X(statfs)       \
    X(statx) X(symlink) X(symlinkat) X(sync_file_range) X(truncate) X(umask) X(unlink) X(unlinkat) X(write) X(writev)  \
    /* waiting */                                                                                                      \
    X(epoll_create) X(epoll_create1) X(epoll_ctl) X(epoll_pwait) X(epoll_pwait2) X(epoll_wait) X(eventfd) X(eventfd2)  \
    X(pipe) X(pipe2) X(poll) X(ppoll) X(pselect6) X(select) X(signalfd4) X(timerfd_create) X(timerfd_gettime)          \
    X(timerfd_settime)                                                                                                 \
    /* memory */                                                                                                       \
    X(brk) X(madvise) X(membarrier) X(memfd_create) X(mincore) X(mlock) X(mlock2) X(mmap) X(mprotect) X(mremap)        \
    X(msync) X(munlock) X(munmap)                                                                                      \
    /* threads; a new one is below */                                                                                  \
    X(arch_prctl) X(exit) X(exit_group) X(futex) X(futex_waitv) X(get_robust_list) X(get_thread_area) X(getcpu)        \
    X(rseq) X(sched_get_priority_max) X(sched_get_priority_min) X(sched_getaffinity) X(sched_getparam)                 \
    X(sched_getscheduler) X(sched_yield) X(set_robust_list) X(set_tid_address)                                         \
    /* signals */                                                                                                      \
    X(alarm) X(getitimer) X(pause) X(restart_syscall) X(rt_sigpending) X(rt_sigprocmask) X(rt_sigreturn)               \
    X(rt_sigsuspend) X(rt_sigtimedwait) X(setitimer) X(sigaltstack) X(timer_create) X(timer_delete)                    \
    X(timer_getoverrun) X(timer_gettime) X(timer_settime)                                                              \
    /* clocks, chance and oneself */                                                                                   \
    X(capget) X(clock_getres) X(clock_gettime) X(clock_nanosleep) X(getegid) X(geteuid) X(getgid) X(getgroups)         \
    X(getpgid) X(getpgrp) X(getpid) X(getppid) X(getpriority) X(getrandom) X(getresgid) X(getresuid) X(getrlimit)      \
    X(getrusage) X(getsid) X(gettid) X(gettimeofday) X(getuid) X(nanosleep) X(sysinfo) X(time) X(times) X(uname)

/* No plugin has a good reason for these: they end the process by SIGSYS. */
#define ENGINE_JAIL_HOSTILE(X)                                                                                         \
    X(acct) X(add_key) X(bpf) X(chroot) X(clock_adjtime) X(clock_settime) X(delete_module) X(finit_module)             \
    X(fsconfig) X(fsmount) X(fsopen) X(fspick) X(init_module) X(ioperm) X(iopl) X(kexec_file_load) X(kexec_load)       \
    X(keyctl) X(mount) X(mount_setattr) X(move_mount) X(open_by_handle_at) X(open_tree) X(perf_event_open)             \
    X(pidfd_getfd) X(pivot_root) X(process_vm_readv) X(process_vm_writev) X(ptrace) X(quotactl) X(reboot)              \
    X(request_key) X(setdomainname) X(sethostname) X(setns) X(settimeofday) X(swapoff) X(swapon) X(syslog) X(umount2)  \
    X(unshare) X(userfaultfd) X(vhangup)

/* clang-format on */

/* Stands in the compiled filter for the process' own id. */
#define ENGINE_JAIL_OWN_PID 0x7E4A11EDu
/* The one socket there is. */
#define ENGINE_JAIL_SOCKET 3

#endif
