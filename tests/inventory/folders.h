/* SPDX-License-Identifier: MIT */
/* A folder for one test, and files in it. */
#ifndef TESTS_INVENTORY_FOLDERS_H
#define TESTS_INVENTORY_FOLDERS_H

/* Makes a fresh folder; its absolute path. */
const char *folders_begin(void);
/* Removes it with all that is in it. */
void folders_end(void);
/* The path of something in it: a static text, one of eight in turn. */
const char *folders_path(const char *name);
void folders_make(const char *name);
void folders_write(const char *name, const char *text);

#endif
