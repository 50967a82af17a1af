/* What the interface refuses, as C and as C++ see it; ends with the line of the first check that fails. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "finescale.h"
#include "kolmogorov_32_int16.h"

#define CHECK(holds)                                                                               \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            printf("line %d: %s\n", __LINE__, #holds);                                             \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)
#define REFUSED(code, call) CHECK((call) == FINESCALE_CODE_##code)
#define DONE(call) REFUSED(OK, call)

enum { LENGTH = KOLMOGOROV_32_INT16_LENGTH, COARSE = KOLMOGOROV_32_INT16_COARSE_LENGTH };

static float memory[4 * KOLMOGOROV_32_INT16_STREAM_MEMORY];
static const size_t memory_length = sizeof memory / sizeof *memory;
static uint8_t slot[LENGTH + 64] __attribute__((aligned(16)));
static FinescaleModel model;
static FinescaleStream stream;
static FinescaleDownscaler downscaler;
static FinescaleFine fine;

static FinescaleInstrument sensor(void)
{
    FinescaleInstrument made;
    memset(&made, 0, sizeof made);
    made.rows = made.columns = 8;
    return made;
}

static int models(void)
{
    FinescaleMeanModel mean;
    FinescaleDescription description;
    size_t used = 0;
    REFUSED(NULL, finescale_model_parse(NULL, slot, LENGTH));
    REFUSED(NULL, finescale_model_parse(&model, NULL, LENGTH));
    REFUSED(MISALIGNED, finescale_model_parse((FinescaleModel *)((char *)&model + 1), slot, LENGTH));
    REFUSED(LENGTH, finescale_model_parse(&model, slot, SIZE_MAX));
    REFUSED(MODEL_LENGTH, finescale_model_parse(&model, slot, 0));
    REFUSED(MODEL_LENGTH, finescale_model_parse(&model, slot, LENGTH - 1));
    memmove(slot + 1, slot, LENGTH);
    REFUSED(MODEL_ALIGNMENT, finescale_model_parse(&model, slot + 1, LENGTH));
    memmove(slot, slot + 1, LENGTH);
    REFUSED(MODEL_MAGIC, finescale_mean_model_parse(&mean, slot, LENGTH));
    slot[LENGTH - 1] ^= 1;
    REFUSED(MODEL_CHECKSUM, finescale_model_parse(&model, slot, LENGTH));
    slot[LENGTH - 1] ^= 1;
    REFUSED(NOT_BEGUN, finescale_model_describe(&model, &description));
    REFUSED(NULL, finescale_model_parse_prefix(&model, slot, sizeof slot, NULL));
    REFUSED(NOT_BEGUN, finescale_model_describe(&model, &description));
    DONE(finescale_model_parse_prefix(&model, slot, sizeof slot, &used));
    CHECK(used == LENGTH);
    DONE(finescale_model_describe(&model, &description));
    CHECK(description.rows == 32 && description.columns == 32 && description.channels == 1);
    CHECK(description.name_length > 0 && (const uint8_t *)description.name > slot);
    return 0;
}

static int begins(void)
{
    FinescaleInstrument odd = sensor();
    size_t needed = 0;
    const float noise[] = {-1.0f};
    uint8_t dead[COARSE] = {1, 2};
    FinescaleSettings settings = {0, 0, 0, 0.0f};
    DONE(finescale_stream_memory(&model, &odd, 1, &needed));
    CHECK(needed == KOLMOGOROV_32_INT16_STREAM_MEMORY);
    REFUSED(NULL, finescale_stream_memory(&model, &odd, 1, NULL));
    REFUSED(NULL, finescale_stream_memory(&model, NULL, 1, &needed));
    REFUSED(NULL, finescale_stream_begin(&stream, &model, &odd, NULL, 1, NULL, needed));
    REFUSED(MEMORY_LENGTH, finescale_stream_begin(&stream, &model, &odd, NULL, 1, memory, needed - 1));
    REFUSED(COUNT, finescale_stream_begin(&stream, &model, &odd, NULL, 99, memory, SIZE_MAX / 16));
    settings.exponent = 256;
    REFUSED(FIELD, finescale_stream_begin(&stream, &model, &odd, &settings, 1, memory, needed));
    settings.exponent = 0;
    settings.lambda = -1.0f;
    REFUSED(PARAMETER, finescale_stream_begin(&stream, &model, &odd, &settings, 1, memory, needed));
    odd.values = 7;
    REFUSED(FIELD, finescale_stream_begin(&stream, &model, &odd, NULL, 1, memory, needed));
    odd = sensor();
    odd.columns = 7;
    REFUSED(AXIS_POINTS, finescale_stream_begin(&stream, &model, &odd, NULL, 1, memory, needed));
    odd.rows = odd.columns = 32;
    REFUSED(CONFLICT, finescale_stream_begin(&stream, &model, &odd, NULL, 1, memory, memory_length));
    odd = sensor();
    odd.noise_length = 1;
    REFUSED(NULL, finescale_stream_begin(&stream, &model, &odd, NULL, 1, memory, needed));
    odd.noise = noise;
    REFUSED(PARAMETER, finescale_stream_begin(&stream, &model, &odd, NULL, 1, memory, needed));
    odd = sensor();
    odd.dead = dead;
    odd.dead_length = COARSE;
    REFUSED(FIELD, finescale_stream_begin(&stream, &model, &odd, NULL, 1, memory, needed));
    dead[1] = 0;
    odd.dead_length = COARSE - 1;
    REFUSED(LENGTH_MISMATCH, finescale_stream_begin(&stream, &model, &odd, NULL, 1, memory, memory_length));
    odd.dead_length = COARSE;
    DONE(finescale_stream_begin(&stream, &model, &odd, NULL, 1, memory, memory_length));
    return 0;
}

static int pushes(void)
{
    static float coarse[COARSE], known[KOLMOGOROV_32_INT16_FINE_LENGTH];
    const FinescaleInstrument plain = sensor();
    const FinescaleSettings settings = {7, 1, 1, 0.0f};
    FinescaleStream empty;
    memset(&empty, 0, sizeof empty);
    REFUSED(NOT_BEGUN, finescale_stream_push(&empty, coarse, COARSE, &fine));
    DONE(finescale_stream_begin(&stream, &model, &plain, &settings, 1, memory, memory_length));
    REFUSED(NULL, finescale_stream_push(&stream, coarse, COARSE, NULL));
    REFUSED(FIELD_LENGTH, finescale_stream_push(&stream, coarse, COARSE - 1, &fine));
    REFUSED(OVERLAP, finescale_stream_push(&stream, memory + 9, COARSE, &fine));
    coarse[3] = NAN;
    REFUSED(NOT_FINITE, finescale_stream_push(&stream, coarse, COARSE, &fine));
    coarse[3] = 0.0f;
    DONE(finescale_stream_push(&stream, coarse, COARSE, &fine));
    CHECK(fine.length == 0 && fine.frames == NULL);
    DONE(finescale_stream_push(&stream, NULL, 0, &fine));
    CHECK(fine.length == KOLMOGOROV_32_INT16_FINE_LENGTH && isfinite(fine.frames[0]));
    CHECK(fine.spread == NULL && fine.health.measured > 0 && !fine.health.alarming);

    REFUSED(NOT_BEGUN, finescale_downscaler_draw(&downscaler, coarse, COARSE, 1, &fine));
    DONE(finescale_downscaler_begin(&downscaler, &model, &plain, &settings, memory, memory_length));
    REFUSED(COUNT, finescale_downscaler_draw(&downscaler, coarse, COARSE, 0, &fine));
    REFUSED(FIELD_LENGTH, finescale_downscaler_draw(&downscaler, NULL, 0, 1, &fine));
    DONE(finescale_downscaler_draw(&downscaler, coarse, COARSE, 2, &fine));
    CHECK(fine.length == KOLMOGOROV_32_INT16_FINE_LENGTH && fine.spread[0] > 0.0f);

    REFUSED(OVERLAP, finescale_downscaler_forecast(&downscaler, fine.frames, fine.length, 1, 2, &fine));
    memcpy(known, fine.frames, sizeof known);
    REFUSED(FIELD_LENGTH, finescale_downscaler_forecast(&downscaler, known, COARSE, 1, 2, &fine));
    REFUSED(MEMORY_LENGTH,
            finescale_downscaler_forecast(&downscaler, known, fine.length, 1000, 2, &fine));
    DONE(finescale_downscaler_forecast(&downscaler, known, fine.length, 1, 2, &fine));
    CHECK(fine.length == 2 * KOLMOGOROV_32_INT16_FINE_LENGTH && isfinite(fine.frames[0]));
    CHECK(fine.spread[KOLMOGOROV_32_INT16_FINE_LENGTH] > 1e-3f);
    return 0;
}

static int texts(void)
{
    const char *unknown = finescale_text(1000);
    int known = 0;
    for (uint32_t code = 0; code < 100; code++)
        known += strcmp(finescale_text(code), unknown) != 0;
    CHECK(known == 29);
    return 0;
}

int main(int count, char **arguments)
{
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
    CHECK(file && fread(slot, 1, LENGTH, file) == LENGTH);
    fclose(file);
    DONE(finescale_self_test());
    return models() || begins() || pushes() || texts();
}
