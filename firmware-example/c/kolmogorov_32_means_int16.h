/* kolmogorov-32-means-int16.finescale, checksum 774e1774. Made by `finescale model c`. */
#ifndef KOLMOGOROV_32_MEANS_INT16_H
#define KOLMOGOROV_32_MEANS_INT16_H

#include "finescale.h"

#define KOLMOGOROV_32_MEANS_INT16_LENGTH 131488

/* The sensor. */
#define KOLMOGOROV_32_MEANS_INT16_ROWS 8
#define KOLMOGOROV_32_MEANS_INT16_COLUMNS 8
#define KOLMOGOROV_32_MEANS_INT16_VALUES FINESCALE_VALUES_BLOCK_MEANS

/* Values of a coarse frame and of a fine one. */
#define KOLMOGOROV_32_MEANS_INT16_COARSE_LENGTH 64
#define KOLMOGOROV_32_MEANS_INT16_FINE_LENGTH 1024

/* A stream's fine frame is so many frames behind the coarse one. */
#define KOLMOGOROV_32_MEANS_INT16_LAG 3

/* Floats of memory: for a path of up to 1 frames with up to 0 members, and for a stream. */
#define KOLMOGOROV_32_MEANS_INT16_MEMORY 157989
#define KOLMOGOROV_32_MEANS_INT16_STREAM_MEMORY 158437

#ifdef __cplusplus
extern "C" {
#endif
/* The file, at a multiple of FINESCALE_MODEL_ALIGNMENT. */
extern const uint8_t kolmogorov_32_means_int16[KOLMOGOROV_32_MEANS_INT16_LENGTH];
#ifdef __cplusplus
}
#endif

#endif
