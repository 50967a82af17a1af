/* The models and the coarse frames, as files. `finescale model c` gives each model's header, and a C
 * file with its bytes as an array, which this stands for. */
    .section .rodata.model, "a"
    .balign 16
    .global kolmogorov_32_int16
kolmogorov_32_int16:
    .incbin MODEL

    .section .rodata.means, "a"
    .balign 16
    .global kolmogorov_32_means_int16
kolmogorov_32_means_int16:
    .incbin MEANS

    .section .rodata.frames, "a"
    .balign 4
    .global frames
frames:
    .incbin FRAMES
    .global frames_end
frames_end:
