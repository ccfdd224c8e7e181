/* SPDX-License-Identifier: MIT */
/* What containers and codecs can hold, known without any of their libraries: the program that only asks
   (engine_encoder_check() in encode.h) need not load them. Private to engine/io. */
#ifndef ENGINE_IO_ENCODE_CHECK_H
#define ENGINE_IO_ENCODE_CHECK_H

#include "engine/io/encode.h"

/* The highest bit rate of MP3 at a rate that engine_encoder_check() accepts, in kbit/s. */
uint32_t engine_mp3_most_kbps(uint32_t rate);

#endif
