/* Blocks of SHA-256: in portable C, and with the instructions that x86-64 may have for it. */
#include <string.h>
#include "processor.h"
#include "sha256.h"

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t turned(uint32_t x, int bits) { return x >> bits | x << (32 - bits); }

static void add_block(uint32_t *h, const uint8_t *p) {
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (turned(a, 7) ^ turned(a, 18) ^ a >> 3) + w[i - 7] + (turned(b, 17) ^ turned(b, 19) ^ b >> 10);
    }
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t a = v[0], e = v[4];
        uint32_t one = v[7] + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + K[i] + w[i];
        uint32_t two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += one;
        v[0] = one + two;
    }
    for (int i = 0; i < 8; i++) h[i] += v[i];
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("sha,sse4.1,ssse3"))) static void add_block_sha(uint32_t *h, const uint8_t *p) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i t = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)h), 0xB1);
    __m128i s1 = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(h + 4)), 0x1B);
    __m128i s0 = _mm_alignr_epi8(t, s1, 8), m[4];
    s1 = _mm_blend_epi16(s1, t, 0xF0);
    __m128i before0 = s0, before1 = s1;
    for (int i = 0; i < 4; i++) m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p + 16 * i)), swap);
    for (int r = 0; r < 16; r++) {
        __m128i k = _mm_add_epi32(m[r & 3], _mm_loadu_si128((const __m128i *)(K + 4 * r)));
        s1 = _mm_sha256rnds2_epu32(s1, s0, k);
        s0 = _mm_sha256rnds2_epu32(s0, s1, _mm_shuffle_epi32(k, 0x0E));
        if (r < 12) {
            __m128i x = _mm_sha256msg1_epu32(m[r & 3], m[(r + 1) & 3]);
            x = _mm_add_epi32(x, _mm_alignr_epi8(m[(r + 3) & 3], m[(r + 2) & 3], 4));
            m[r & 3] = _mm_sha256msg2_epu32(x, m[(r + 3) & 3]);
        }
    }
    s0 = _mm_add_epi32(s0, before0);
    s1 = _mm_add_epi32(s1, before1);
    t = _mm_shuffle_epi32(s0, 0x1B);
    s1 = _mm_shuffle_epi32(s1, 0xB1);
    _mm_storeu_si128((__m128i *)h, _mm_blend_epi16(t, s1, 0xF0));
    _mm_storeu_si128((__m128i *)(h + 4), _mm_alignr_epi8(s1, t, 8));
}

/* Add blocks to two digests at once: the instructions of one run while those of the other wait for their results. */
__attribute__((target("sha,sse4.1,ssse3"))) static void add_two_sha(uint32_t *const h[2], const uint8_t *const p[2], int64_t blocks) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i s[2][2], m[2][4];
    for (int d = 0; d < 2; d++) {
        __m128i t = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)h[d]), 0xB1);
        s[d][1] = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(h[d] + 4)), 0x1B);
        s[d][0] = _mm_alignr_epi8(t, s[d][1], 8);
        s[d][1] = _mm_blend_epi16(s[d][1], t, 0xF0);
    }
    for (int64_t n = 0; n < blocks; n++) {
        const __m128i before[2][2] = {{s[0][0], s[0][1]}, {s[1][0], s[1][1]}};
        for (int d = 0; d < 2; d++)
            for (int i = 0; i < 4; i++)
                m[d][i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p[d] + 64 * n + 16 * i)), swap);
#pragma GCC unroll 16
        for (int r = 0; r < 16; r++)
#pragma GCC unroll 2
            for (int d = 0; d < 2; d++) {
                __m128i k = _mm_add_epi32(m[d][r & 3], _mm_loadu_si128((const __m128i *)(K + 4 * r)));
                s[d][1] = _mm_sha256rnds2_epu32(s[d][1], s[d][0], k);
                s[d][0] = _mm_sha256rnds2_epu32(s[d][0], s[d][1], _mm_shuffle_epi32(k, 0x0E));
                if (r < 12) {
                    __m128i x = _mm_sha256msg1_epu32(m[d][r & 3], m[d][(r + 1) & 3]);
                    x = _mm_add_epi32(x, _mm_alignr_epi8(m[d][(r + 3) & 3], m[d][(r + 2) & 3], 4));
                    m[d][r & 3] = _mm_sha256msg2_epu32(x, m[d][(r + 3) & 3]);
                }
            }
        for (int d = 0; d < 2; d++)
            for (int i = 0; i < 2; i++) s[d][i] = _mm_add_epi32(s[d][i], before[d][i]);
    }
    for (int d = 0; d < 2; d++) {
        __m128i t = _mm_shuffle_epi32(s[d][0], 0x1B);
        s[d][1] = _mm_shuffle_epi32(s[d][1], 0xB1);
        _mm_storeu_si128((__m128i *)h[d], _mm_blend_epi16(t, s[d][1], 0xF0));
        _mm_storeu_si128((__m128i *)(h[d] + 4), _mm_alignr_epi8(s[d][1], t, 8));
    }
}

AddBlock carrygrid_block(void) { return carrygrid_processor.sha ? add_block_sha : add_block; }
AddTwo carrygrid_two(void) { return carrygrid_processor.sha ? add_two_sha : 0; }
#else
AddBlock carrygrid_block(void) { return add_block; }
AddTwo carrygrid_two(void) { return 0; }
#endif
