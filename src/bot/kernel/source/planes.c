/* Columns split into planes of bytes, as bot/numbers/planes.py splits them. */
#include <stdlib.h>
#include "layout.h"

#define WIDTH 8
#define HASH 0x9E3779B97F4A7C15u
#define NOISE_PAIRS 32

/* Whether two bytes of a plane are equal less often than in 32 pairs, by some of its bytes. */
static int hardly_repeats(const i64 *values, i64 count, i64 step, int plane) {
    i32 counts[256] = {0};
    const i64 size = (count + step - 1) / step, most = size * (size - 1);
    i64 pairs = 0, n = 0;
    for (; n < count && 2 * pairs * NOISE_PAIRS < most; n += step) pairs += counts[(uint64_t)values[n] >> (8 * plane) & 255]++;
    return 2 * pairs * NOISE_PAIRS < most;
}

/* Whether values take more slots than `half` of as many different ones would. */
static int mostly_differs(const i64 *values, i64 count, i64 bits, i64 half, uint8_t *taken) {
    i64 found = 0;
    memset(taken, 0, (size_t)1 << bits);
    for (i64 n = 0; n < count; n++) {
        uint8_t *slot = taken + ((uint64_t)values[n] * HASH >> (64 - bits));
        found += !*slot;
        *slot = 1;
    }
    return found > half;
}

#define TURNED 16 /* values at a time: each of their planes is one vector */
typedef uint8_t Bytes __attribute__((vector_size(TURNED)));

#if defined(__clang__)
#define MIXED(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define MIXED(x, y, ...) __builtin_shuffle(x, y, (Bytes){__VA_ARGS__})
#endif

/* Shuffle two halves of bytes into each other, as cards are: each time the place of a byte turns by one bit. */
static inline void shuffle(Bytes *x) {
    Bytes found[WIDTH];
#pragma GCC unroll 4
    for (int i = 0; i < WIDTH / 2; i++) {
        const Bytes one = x[i], other = x[i + WIDTH / 2];
        found[2 * i] = MIXED(one, other, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        found[2 * i + 1] = MIXED(one, other, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    memcpy(x, found, sizeof found);
}

/* Write the planes of a column to `targets`, those that are null nowhere. */
static void write_planes(const i64 *values, i64 count, uint8_t *const *targets) {
    Bytes x[WIDTH];
    i64 n = 0;
    for (; n + TURNED <= count; n += TURNED) {
        memcpy(x, values + n, sizeof x);
        /* The four bits of a value go behind the three of its bytes. */
#pragma GCC unroll 4
        for (int bit = 0; bit < 4; bit++) shuffle(x);
#pragma GCC unroll 8
        for (int p = 0; p < WIDTH; p++)
            if (targets[p]) memcpy(targets[p] + n, &x[p], TURNED);
    }
    for (; n < count; n++)
        for (int p = 0; p < WIDTH; p++)
            if (targets[p]) targets[p][n] = (uint8_t)((uint64_t)values[n] >> (8 * p));
}

/* Split each column: its masks of constant planes and of noise, then its planes, constant ones once; 0 without memory. */
int carrygrid_split(const Columns *c);
int carrygrid_split(const Columns *c) {
    uint8_t *taken = malloc((size_t)1 << c->bits);
    if (!taken) return 0;
    for (i64 k = 0; k < c->columns; k++) {
        const i64 *values = c->values + k * c->count;
        uint8_t *target = c->planes + k * c->count * WIDTH, *targets[WIDTH] = {0};
        uint64_t differing = 0;
        unsigned constant = 0, noise = 0;
        for (i64 n = 0; n < c->count; n++) differing |= (uint64_t)(values[n] ^ values[0]);
        for (int p = 0; p < WIDTH; p++) {
            if (!(differing >> (8 * p) & 255)) constant |= 1u << p;
            else if (hardly_repeats(values, c->count, c->step, p)) noise |= 1u << p;
        }
        if (noise && !mostly_differs(values, c->count, c->bits, c->half, taken)) noise = 0;
        for (int p = 0; p < WIDTH; p++)
            if (constant >> p & 1) *target++ = (uint8_t)((uint64_t)values[0] >> (8 * p));
        for (int raw = 1; raw >= 0; raw--)
            for (int p = 0; p < WIDTH; p++)
                if (!(constant >> p & 1) && (int)(noise >> p & 1) == raw) {
                    targets[p] = target;
                    target += c->count;
                }
        write_planes(values, c->count, targets);
        c->masks[2 * k] = (uint8_t)constant;
        c->masks[2 * k + 1] = (uint8_t)noise;
    }
    free(taken);
    return 1;
}
