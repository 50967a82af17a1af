/* kolmogorov-32-int16.finescale, checksum e9240328. Made by `finescale model c`. */
#ifndef KOLMOGOROV_32_INT16_H
#define KOLMOGOROV_32_INT16_H

#include "finescale.h"

#define KOLMOGOROV_32_INT16_LENGTH 79360

/* The sensor. */
#define KOLMOGOROV_32_INT16_ROWS 8
#define KOLMOGOROV_32_INT16_COLUMNS 8
#define KOLMOGOROV_32_INT16_VALUES FINESCALE_VALUES_POINTS

/* Values of a coarse frame and of a fine one. */
#define KOLMOGOROV_32_INT16_COARSE_LENGTH 64
#define KOLMOGOROV_32_INT16_FINE_LENGTH 1024

/* A stream's fine frame is so many frames behind the coarse one. */
#define KOLMOGOROV_32_INT16_LAG 1

/* Floats of memory: for a path of up to 1 frames with up to 1 members, and for a stream. */
#define KOLMOGOROV_32_INT16_MEMORY 41774
#define KOLMOGOROV_32_INT16_STREAM_MEMORY 55086

#ifdef __cplusplus
extern "C" {
#endif
/* The file, at a multiple of FINESCALE_MODEL_ALIGNMENT. */
extern const uint8_t kolmogorov_32_int16[KOLMOGOROV_32_INT16_LENGTH];
#ifdef __cplusplus
}
#endif

#endif
