/* Fine frames of a stream of coarse ones, through the C interface: what src/bin/stream does in Rust,
 * with the same bits; then the same frames through a conditional mean. It exits with 0 where the bits
 * are the desktop's. */
#include "board.h"
#include "finescale.h"
#include "kolmogorov_32_int16.h"
#include "kolmogorov_32_means_int16.h"

/* 8 x 8 floats each, little-endian as this processor is. */
extern const float frames[], frames_end[];
enum { COARSE = KOLMOGOROV_32_INT16_COARSE_LENGTH };

/* What comes of it: the first as DIGESTS of src/bin/stream/expected.rs has it for int16. */
static const uint32_t EXPECTED = 0x74A9F0F8;
static const uint32_t EXPECTED_MEANS = 0xC03F57E5;

/* The larger of the two; both are begun in it, one after the other. */
static float memory[KOLMOGOROV_32_MEANS_INT16_STREAM_MEMORY];
_Static_assert(KOLMOGOROV_32_INT16_STREAM_MEMORY <= sizeof memory / sizeof *memory, "more memory");

/* A digest of the bits of values, which goes on from that of those before. */
static uint32_t digest_of(uint32_t digest, const FinescaleFine *fine)
{
    for (size_t n = 0; n < fine->length; n++) {
        const union {
            float value;
            uint32_t bits;
        } fine_value = {fine->frames[n]};
        digest = (digest << 5 | digest >> 27) ^ fine_value.bits;
    }
    return digest;
}

static FinescaleCode draws(uint32_t *digest)
{
    static FinescaleModel model;
    static FinescaleStream stream;
    static const float noise[] = {0.01f};
    const FinescaleInstrument sensor = {
        .rows = KOLMOGOROV_32_INT16_ROWS,
        .columns = KOLMOGOROV_32_INT16_COLUMNS,
        .values = KOLMOGOROV_32_INT16_VALUES,
        .noise = noise,
        .noise_length = 1,
    };
    /* Fewer steps than the model recommends: an example is to be quick. */
    const FinescaleSettings settings = {.steps = 2, .exponent = 2};

    FinescaleCode code =
        finescale_model_parse(&model, kolmogorov_32_int16, KOLMOGOROV_32_INT16_LENGTH);
    if (code == FINESCALE_CODE_OK)
        code = finescale_stream_begin(&stream, &model, &sensor, &settings, KOLMOGOROV_32_INT16_LAG,
                                      memory, KOLMOGOROV_32_INT16_STREAM_MEMORY);
    FinescaleFine fine;
    for (const float *coarse = frames; code == FINESCALE_CODE_OK && coarse < frames_end;
         coarse += COARSE) {
        code = finescale_stream_push(&stream, coarse, COARSE, &fine);
        if (code == FINESCALE_CODE_OK)
            *digest = digest_of(*digest, &fine);
    }
    return code;
}

static FinescaleCode means(uint32_t *digest)
{
    static FinescaleMeanModel model;
    static FinescaleMeanStream stream;
    FinescaleDescription description;
    FinescaleInstrument sensor;
    size_t lag;

    FinescaleCode code = finescale_mean_model_parse(&model, kolmogorov_32_means_int16,
                                                    KOLMOGOROV_32_MEANS_INT16_LENGTH);
    if (code == FINESCALE_CODE_OK)
        code = finescale_mean_model_describe(&model, &description, &sensor, &lag);
    if (code == FINESCALE_CODE_OK)
        code = finescale_mean_stream_begin(&stream, &model, &sensor, memory,
                                           KOLMOGOROV_32_MEANS_INT16_STREAM_MEMORY);
    FinescaleFine fine;
    for (const float *coarse = frames; code == FINESCALE_CODE_OK && coarse < frames_end;
         coarse += COARSE) {
        code = finescale_mean_stream_push(&stream, coarse, COARSE, &fine);
        if (code == FINESCALE_CODE_OK)
            *digest = digest_of(*digest, &fine);
    }
    return code;
}

/* Says what came of it; gives whether it is what is expected. */
static int ends(const char *name, FinescaleCode code, uint32_t digest, uint32_t expected)
{
    char line[] = "0x........";
    for (int n = 0; n < 8; n++)
        line[2 + n] = "0123456789abcdef"[digest >> (28 - 4 * n) & 0xF];
    board_say(name);
    board_say(code == FINESCALE_CODE_OK ? line : finescale_text(code));
    return code == FINESCALE_CODE_OK && digest == expected;
}

int main(void)
{
    uint32_t drawn = 0, mean = 0;
    FinescaleCode code = finescale_self_test();
    if (code == FINESCALE_CODE_OK)
        code = draws(&drawn);
    int good = ends("digest of draws", code, drawn, EXPECTED);
    if (good) {
        code = means(&mean);
        good = ends("digest of means", code, mean, EXPECTED_MEANS);
    }
    return good ? 0 : 1;
}
