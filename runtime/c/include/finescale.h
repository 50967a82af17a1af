/* Finescale for C and C++: coarse frames of an instrument in, fine frames out, both in their units.
 *
 * docs/from-c.md says how to use it. The crate finescale-c makes this file: change it there.
 *
 * - Nothing is allocated. Handles and memory are the caller's; the size of a handle is that of its
 *   struct, the size of memory is what a *_memory function says, or a macro that
 *   `finescale model c` writes beside a model.
 * - A handle is used by one thread at a time. Two handles share nothing but the model's bytes.
 * - A handle needs no end: forget it, or begin again. It may be moved, not used in two copies.
 * - Sums must be rounded to the nearest value and subnormal numbers kept, also in interrupts. */

#ifndef FINESCALE_H
#define FINESCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Words of a FinescaleModel.
 */
#define FINESCALE_MODEL_WORDS 128

/**
 * Words of a FinescaleDownscaler.
 */
#define FINESCALE_DOWNSCALER_WORDS 352

/**
 * Words of a FinescaleStream.
 */
#define FINESCALE_STREAM_WORDS 384

/**
 * Words of a FinescaleMeanModel.
 */
#define FINESCALE_MEAN_MODEL_WORDS 128

/**
 * Words of a FinescaleMean.
 */
#define FINESCALE_MEAN_WORDS 352

/**
 * Words of a FinescaleMeanStream.
 */
#define FINESCALE_MEAN_STREAM_WORDS 352

/**
 * Where a model file must lie in memory: at multiples of so many bytes.
 */
#define FINESCALE_MODEL_ALIGNMENT 16

/**
 * What every function returns. After anything but FINESCALE_CODE_OK nothing was given out; a handle
 * whose parse or begin function refused has not begun, and every other one goes on as before.
 */
enum FinescaleCode
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * It was done.
     */
    FINESCALE_CODE_OK = 0,
    /**
     * A pointer is null.
     */
    FINESCALE_CODE_NULL = 1,
    /**
     * A pointer does not lie at a multiple of its type's alignment.
     */
    FINESCALE_CODE_MISALIGNED = 2,
    /**
     * A length is larger than memory can be.
     */
    FINESCALE_CODE_LENGTH = 3,
    /**
     * The handle has not begun.
     */
    FINESCALE_CODE_NOT_BEGUN = 4,
    /**
     * Coarse frames lie in the memory of the handle.
     */
    FINESCALE_CODE_OVERLAP = 5,
    /**
     * A field of the instrument or of the settings has a value that it cannot have.
     */
    FINESCALE_CODE_FIELD = 6,
    /**
     * The instrument has a number of points that no transform exists for.
     */
    FINESCALE_CODE_AXIS_POINTS = 10,
    /**
     * The coarse values are no whole, positive number of frames; of a stream, not one.
     */
    FINESCALE_CODE_FIELD_LENGTH = 11,
    /**
     * The memory is too short.
     */
    FINESCALE_CODE_MEMORY_LENGTH = 12,
    /**
     * `dead` has another number of points than the instrument.
     */
    FINESCALE_CODE_LENGTH_MISMATCH = 13,
    /**
     * A value is infinite or NaN.
     */
    FINESCALE_CODE_NOT_FINITE = 14,
    /**
     * A number of members, steps or frames is out of range.
     */
    FINESCALE_CODE_COUNT = 15,
    /**
     * The instrument does not fit the model.
     */
    FINESCALE_CODE_CONFLICT = 16,
    /**
     * A parameter is out of range.
     */
    FINESCALE_CODE_PARAMETER = 17,
    /**
     * Anything else that the runtime refuses.
     */
    FINESCALE_CODE_REFUSED = 18,
    /**
     * The file has too few bytes or too many.
     */
    FINESCALE_CODE_MODEL_LENGTH = 30,
    /**
     * The bytes are no such model.
     */
    FINESCALE_CODE_MODEL_MAGIC = 31,
    /**
     * The file's format has another version.
     */
    FINESCALE_CODE_MODEL_VERSION = 32,
    /**
     * Weights are ordered for other kernels.
     */
    FINESCALE_CODE_MODEL_KERNEL_LAYOUT = 33,
    /**
     * The file is damaged.
     */
    FINESCALE_CODE_MODEL_CHECKSUM = 34,
    /**
     * The file does not lie at a multiple of FINESCALE_MODEL_ALIGNMENT bytes.
     */
    FINESCALE_CODE_MODEL_ALIGNMENT = 35,
    /**
     * A field of the file has a value that it cannot have.
     */
    FINESCALE_CODE_MODEL_FIELD = 36,
    /**
     * The library was built without the kind of weights that the model has.
     */
    FINESCALE_CODE_MODEL_WEIGHTS = 37,
    /**
     * This processor is big-endian.
     */
    FINESCALE_CODE_MODEL_ENDIANNESS = 38,
    /**
     * Sums are not rounded to the nearest value.
     */
    FINESCALE_CODE_ROUNDING = 50,
    /**
     * Subnormal numbers become zero.
     */
    FINESCALE_CODE_FLUSH_TO_ZERO = 51,
    /**
     * Products are not rounded before they are added to.
     */
    FINESCALE_CODE_CONTRACTION = 52,
    /**
     * A transform has other bits.
     */
    FINESCALE_CODE_TRANSFORM = 53,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum FinescaleCode FinescaleCode;
#else
typedef uint32_t FinescaleCode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What the values of coarse frames are.
 */
enum FinescaleValues
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Values at the points of the coarse grid, of a field that has the modes of that grid alone.
     */
    FINESCALE_VALUES_POINTS = 0,
    /**
     * Means over the cells of the coarse grid, as the pixels of sensors give.
     */
    FINESCALE_VALUES_BLOCK_MEANS = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum FinescaleValues FinescaleValues;
#else
typedef uint32_t FinescaleValues;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A predictor's file that was checked. Its bytes must live, and not change, as long as the model
 * and everything that was begun with it are used; the model itself only until then.
 */
typedef struct {
    uint64_t mark;
    size_t words[FINESCALE_MODEL_WORDS];
} FinescaleModel;

/**
 * What a model says of itself.
 */
typedef struct {
    /**
     * Its name: not ended by a zero; it lies in the model's bytes.
     */
    const char *name;
    /**
     * Bytes of the name.
     */
    size_t name_length;
    /**
     * Points of a fine frame along y; 1 on a line.
     */
    size_t rows;
    /**
     * Points of a fine frame along x.
     */
    size_t columns;
    /**
     * Channels of a frame.
     */
    size_t channels;
    /**
     * Time between frames, in the unit of the data that it was trained on.
     */
    float frame_interval;
} FinescaleDescription;

/**
 * A conditional mean's file that was checked; see FinescaleModel.
 */
typedef struct {
    uint64_t mark;
    size_t words[FINESCALE_MEAN_MODEL_WORDS];
} FinescaleMeanModel;

/**
 * What gives the coarse frames: an instrument that covers the model's domain with fewer points.
 * `noise` and `dead` must live, and not change, as long as what was begun with it is used.
 */
typedef struct {
    /**
     * Points along y; 1 on a line.
     */
    size_t rows;
    /**
     * Points along x.
     */
    size_t columns;
    /**
     * What its values are: a FinescaleValues.
     */
    uint32_t values;
    /**
     * Numbers in `noise`; 0: no errors.
     */
    size_t noise_length;
    /**
     * Standard deviation of the errors of a value, in its units, for each channel; the last one
     * also holds for the channels after it.
     */
    const float *noise;
    /**
     * Numbers in `dead`: rows * columns, or 0 where no point is dead.
     */
    size_t dead_length;
    /**
     * 1 for each point that is dead, whose value is not read, and 0 for the others, by rows.
     */
    const uint8_t *dead;
} FinescaleInstrument;

/**
 * Makes fine frames of coarse ones, several at once. The model's bytes, the instrument's `noise`
 * and `dead`, and the memory must live as long as it is used; the FinescaleModel and the
 * FinescaleInstrument need not.
 */
typedef struct {
    uint64_t mark;
    size_t words[FINESCALE_DOWNSCALER_WORDS];
} FinescaleDownscaler;

/**
 * What may be chosen; all zeros, or a null pointer, is what the model recommends.
 */
typedef struct {
    /**
     * The same seed gives the same bits.
     */
    uint64_t seed;
    /**
     * Steps of the sampler; 0: as the model recommends. Fewer take less time and cost quality.
     */
    uint32_t steps;
    /**
     * How much shorter steps become, at most 255; 0: as the model recommends.
     */
    uint32_t exponent;
    /**
     * The scale that sampling starts at, at most 1; 0: as the model recommends.
     */
    float lambda;
} FinescaleSettings;

/**
 * How well coarse frames fit the model.
 */
typedef struct {
    /**
     * What was measured, squared, over what the model expects; near `measured` if all is well.
     */
    float chi2;
    /**
     * Numbers that were measured.
     */
    uint32_t measured;
    /**
     * How often a bound moved a value that was not measured.
     */
    uint32_t clipped;
    /**
     * Whether chi2 is more than four times `measured`: raise an alarm.
     */
    bool alarming;
} FinescaleHealth;

/**
 * Fine frames, `[frame][channel][y][x]` in units. They lie in the memory of the handle, until its
 * next call.
 */
typedef struct {
    /**
     * Values of `frames` and of `mean`; 0 where a stream has no fine frame yet.
     */
    size_t length;
    /**
     * One draw; of a conditional mean alone, the mean. Null where the length is 0.
     */
    const float *frames;
    /**
     * The mean of all members: the same as `frames` where there is one.
     */
    const float *mean;
    /**
     * Their standard deviation, as many values; null where there is one member or none.
     */
    const float *spread;
    /**
     * How well the coarse frames fit.
     */
    FinescaleHealth health;
} FinescaleFine;

/**
 * One coarse frame in, one fine frame out. What must live how long is as for a downscaler.
 */
typedef struct {
    uint64_t mark;
    size_t words[FINESCALE_STREAM_WORDS];
} FinescaleStream;

/**
 * What FinescaleDownscaler is, of a conditional mean.
 */
typedef struct {
    uint64_t mark;
    size_t words[FINESCALE_MEAN_WORDS];
} FinescaleMean;

/**
 * What FinescaleStream is, of a conditional mean.
 */
typedef struct {
    uint64_t mark;
    size_t words[FINESCALE_MEAN_STREAM_WORDS];
} FinescaleMeanStream;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * A sentence for a code, which says how to mend it; it lives for ever.
 */
const char *finescale_text(uint32_t code);

/**
 * Tries the arithmetic that every bit relies on: to be called once, when a board has started.
 */
FinescaleCode finescale_self_test(void);

/**
 * Checks a predictor's file of `length` bytes. It is read once, and used where it lies.
 */
FinescaleCode finescale_model_parse(FinescaleModel *model, const uint8_t *bytes, size_t length);

/**
 * Checks a predictor's file at the start of a slot of `length` bytes, which may be larger, and
 * writes the length of the file to `used`: for updates over the air. Where it is refused, go on
 * with the file of the other slot.
 */
FinescaleCode finescale_model_parse_prefix(FinescaleModel *model,
                                           const uint8_t *slot,
                                           size_t length,
                                           size_t *used);

/**
 * Writes what a predictor says of itself.
 */
FinescaleCode finescale_model_describe(FinescaleModel *model,
                                       FinescaleDescription *description);

/**
 * Checks a conditional mean's file of `length` bytes.
 */
FinescaleCode finescale_mean_model_parse(FinescaleMeanModel *model,
                                         const uint8_t *bytes,
                                         size_t length);

/**
 * Checks a conditional mean's file at the start of a slot, as `finescale_model_parse_prefix` does.
 */
FinescaleCode finescale_mean_model_parse_prefix(FinescaleMeanModel *model,
                                                const uint8_t *slot,
                                                size_t length,
                                                size_t *used);

/**
 * Writes what a conditional mean says of itself, the sensor that it was trained for (its points and
 * values, without errors), and the frames that a stream's fine frame is behind the coarse one.
 */
FinescaleCode finescale_mean_model_describe(FinescaleMeanModel *model,
                                            FinescaleDescription *description,
                                            FinescaleInstrument *sensor,
                                            size_t *lag);

/**
 * Writes to `needed` how many floats of memory a downscaler needs for paths of at most `frames`
 * frames with so many members, at least 1.
 */
FinescaleCode finescale_downscaler_memory(FinescaleModel *model,
                                          const FinescaleInstrument *instrument,
                                          size_t frames,
                                          uint32_t members,
                                          size_t *needed);

/**
 * Begins a downscaler in `length` floats of memory. `settings` may be null.
 */
FinescaleCode finescale_downscaler_begin(FinescaleDownscaler *downscaler,
                                         FinescaleModel *model,
                                         const FinescaleInstrument *instrument,
                                         const FinescaleSettings *settings,
                                         float *memory,
                                         size_t length);

/**
 * Draws fine frames of coarse ones: a path, `[frame][channel][y][x]` in units, of `length` values in
 * all. With several members `fine` has their mean and their spread too; each costs as much again.
 */
FinescaleCode finescale_downscaler_draw(FinescaleDownscaler *downscaler,
                                        const float *coarse,
                                        size_t length,
                                        uint32_t members,
                                        FinescaleFine *fine);

/**
 * Draws what follows `length` values of fine frames, `[frame][channel][y][x]` in units: so many
 * frames `ahead`. `fine` begins with the known frames. The memory has to be for all frames together;
 * what was drawn before, which lies there too, has to be copied out of it first.
 */
FinescaleCode finescale_downscaler_forecast(FinescaleDownscaler *downscaler,
                                            const float *known,
                                            size_t length,
                                            size_t ahead,
                                            uint32_t members,
                                            FinescaleFine *fine);

/**
 * Writes to `needed` how many floats of memory a stream needs whose fine frames are `lag` frames
 * behind the coarse ones.
 */
FinescaleCode finescale_stream_memory(FinescaleModel *model,
                                      const FinescaleInstrument *instrument,
                                      size_t lag,
                                      size_t *needed);

/**
 * Begins a stream in `length` floats of memory. `settings` may be null. To go on with another
 * model, begin again.
 */
FinescaleCode finescale_stream_begin(FinescaleStream *stream,
                                     FinescaleModel *model,
                                     const FinescaleInstrument *instrument,
                                     const FinescaleSettings *settings,
                                     size_t lag,
                                     float *memory,
                                     size_t length);

/**
 * Takes the next coarse frame, `[channel][y][x]` in units, or null where it did not arrive, and
 * writes the fine frame that is `lag` frames older; one of length 0 during the first `lag` calls.
 */
FinescaleCode finescale_stream_push(FinescaleStream *stream,
                                    const float *coarse,
                                    size_t length,
                                    FinescaleFine *fine);

/**
 * Writes to `needed` how many floats of memory a conditional mean needs for paths of at most
 * `frames` frames with so many members; 0 is the mean alone.
 */
FinescaleCode finescale_mean_memory(FinescaleMeanModel *model,
                                    const FinescaleInstrument *instrument,
                                    size_t frames,
                                    uint32_t members,
                                    size_t *needed);

/**
 * Begins a conditional mean in `length` floats of memory; the instrument is the sensor that it was
 * trained for. The seed is that of members: the mean is the same for every one.
 */
FinescaleCode finescale_mean_begin(FinescaleMean *mean,
                                   FinescaleMeanModel *model,
                                   const FinescaleInstrument *instrument,
                                   uint64_t seed,
                                   float *memory,
                                   size_t length);

/**
 * Writes the means of the fine frames of a path of coarse ones, `[frame][channel][y][x]` in units, of
 * `length` values in all; with members, draws of what the mean cannot know, their mean and spread.
 */
FinescaleCode finescale_mean_draw(FinescaleMean *mean,
                                  const float *coarse,
                                  size_t length,
                                  uint32_t members,
                                  FinescaleFine *fine);

/**
 * Writes to `needed` how many floats of memory a stream of means needs.
 */
FinescaleCode finescale_mean_stream_memory(FinescaleMeanModel *model,
                                           const FinescaleInstrument *instrument,
                                           size_t *needed);

/**
 * Begins a stream of means in `length` floats of memory.
 */
FinescaleCode finescale_mean_stream_begin(FinescaleMeanStream *stream,
                                          FinescaleMeanModel *model,
                                          const FinescaleInstrument *instrument,
                                          float *memory,
                                          size_t length);

/**
 * Takes the next coarse frame, `[channel][y][x]` in units, or null where it did not arrive, and
 * writes the mean of the fine frame that is as many frames older as the model's lag; one of length
 * 0 while there is none.
 */
FinescaleCode finescale_mean_stream_push(FinescaleMeanStream *stream,
                                         const float *coarse,
                                         size_t length,
                                         FinescaleFine *fine);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FINESCALE_H */

