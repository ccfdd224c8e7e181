/* SPDX-License-Identifier: MIT */
/* The random projects of the identity tests as files, for programs that read such: FOLDER/SEED.json for each seed, and
   the media that they play.

   songs FOLDER FIRST_SEED COUNT */
#include <stdio.h>
#include <stdlib.h>

#include "tests/identity/random_song.h"

static bool save(const char *folder, uint64_t seed)
{
    char path[4096];
    struct lh_writer text;
    lh_writer_init(&text);
    random_project_write(&text, seed, 0, seed % 4 == 0 ? 256 : 1024);
    snprintf(path, sizeof path, "%s/%llu.json", folder, (unsigned long long)seed);
    FILE *file = fopen(path, "w");
    bool good = lh_writer_status(&text) == LH_OK && file != NULL && fwrite(text.data, text.size, 1, file) == 1;
    good = file != NULL && fclose(file) == 0 && good;
    lh_writer_fini(&text);
    return good;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: songs FOLDER FIRST_SEED COUNT\n", stderr);
        return 2;
    }
    random_song_save_media(argv[1]);
    uint64_t seed = strtoull(argv[2], NULL, 10), count = strtoull(argv[3], NULL, 10);
    for (uint64_t i = 0; i < count; i++) {
        if (!save(argv[1], seed + i)) {
            perror(argv[1]);
            return 1;
        }
    }
    return 0;
}
