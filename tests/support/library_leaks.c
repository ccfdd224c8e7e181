/* SPDX-License-Identifier: MIT */
/* What libraries lose and the leak sanitizer is told to excuse, for the programs that are linked with it; nothing of
   ours: libvorbisenc 1.3.7 loses one small block whenever 5.1 is set up, libsndfile 1.2.0 a vorbis_info for each
   damaged Vorbis header. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:vorbis_encode_setup_init\nleak:vorbis_info_init\n";
}
