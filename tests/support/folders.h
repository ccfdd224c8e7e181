/* SPDX-License-Identifier: MIT */
/* Temporary folders for tests and benches. Every call aborts when it fails. */
#ifndef TESTS_SUPPORT_FOLDERS_H
#define TESTS_SUPPORT_FOLDERS_H

#include <stddef.h>

/* A fresh folder under TMPDIR, of mode 0700; `path` of `size` bytes. */
void folders_make(char *path, size_t size);
/* Removes it with all that is in it. */
void folders_remove(const char *path);

#endif
