/* Columns split into planes of bytes, as bot/numbers/planes.py splits them. */
#include <stdlib.h>
#include "layout.h"

#define WIDTH 8
#define HASH 0x9E3779B97F4A7C15u
#define NOISE_PAIRS 64

/* Whether two bytes of a plane are equal less often than in 64 pairs, by some of its bytes. */
static int hardly_repeats(const i64 *values, i64 count, i64 step, int plane) {
    i32 counts[256] = {0};
    const i64 size = (count + step - 1) / step, most = size * (size - 1);
    i64 pairs = 0, n = 0;
    for (; n < count && 2 * pairs * NOISE_PAIRS < most; n += step) pairs += counts[(uint64_t)values[n] >> (8 * plane) & 255]++;
    return 2 * pairs * NOISE_PAIRS < most;
}

/* Whether values take more slots than `half` of as many different ones would. */
static int mostly_differs(const i64 *values, i64 count, i64 bits, i64 half, uint8_t *taken) {
    i64 found = 0, room = (i64)1 << bits;
    memset(taken, 0, (size_t)room);
    for (i64 n = 0; n < count; n++) taken[(uint64_t)values[n] * HASH >> (64 - bits)] = 1;
    for (i64 n = 0; n < room; n++) found += taken[n];
    return found > half;
}

/* Exchange the bits of `low` above `shift` with those of `high` below, as `mask` says. */
static inline void exchange(uint64_t *low, uint64_t *high, int shift, uint64_t mask) {
    uint64_t differs = (*low >> shift ^ *high) & mask;
    *high ^= differs;
    *low ^= differs << shift;
}

/* Turn eight values into eight planes of eight bytes (Warren, Hacker's Delight, 7-3). */
static inline void turn(uint64_t *x) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) exchange(&x[i], &x[i + 4], 32, 0x00000000FFFFFFFFu);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) exchange(&x[i + (i & 2)], &x[i + (i & 2) + 2], 16, 0x0000FFFF0000FFFFu);
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) exchange(&x[i], &x[i + 1], 8, 0x00FF00FF00FF00FFu);
}

/* Write the planes of a column to `targets`, those that are null nowhere. */
static void write_planes(const i64 *values, i64 count, uint8_t *const *targets) {
    uint64_t x[WIDTH];
    i64 n = 0;
    for (; n + WIDTH <= count; n += WIDTH) {
        memcpy(x, values + n, sizeof x);
        turn(x);
#pragma GCC unroll 8
        for (int p = 0; p < WIDTH; p++)
            if (targets[p]) memcpy(targets[p] + n, &x[p], WIDTH);
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
