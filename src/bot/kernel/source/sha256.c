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

static int64_t add_streams(Stream **streams, int64_t count, int all) {
    (void)all;
    for (int64_t n = 0; n < count; n++)
        for (; streams[n]->blocks; streams[n]->blocks--, streams[n]->text += BLOCK) add_block(streams[n]->h, streams[n]->text);
    return 0;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AT_ONCE 3 /* streams: the instructions of each while those of the others wait for their results */

/* Add as many blocks to each of the first `count` streams. */
__attribute__((always_inline, target("sha,sse4.1,ssse3"))) static inline void add_beside(Stream **streams, int64_t blocks, int count) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    const uint8_t *text[AT_ONCE];
    __m128i s[AT_ONCE][2], m[AT_ONCE][4];
    for (int d = 0; d < count; d++) {
        text[d] = streams[d]->text;
        __m128i t = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)streams[d]->h), 0xB1);
        s[d][1] = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(streams[d]->h + 4)), 0x1B);
        s[d][0] = _mm_alignr_epi8(t, s[d][1], 8);
        s[d][1] = _mm_blend_epi16(s[d][1], t, 0xF0);
    }
    for (int64_t n = 0; n < blocks; n++) {
        __m128i before[AT_ONCE][2];
        for (int d = 0; d < count; d++)
            for (int i = 0; i < 2; i++) before[d][i] = s[d][i];
        for (int d = 0; d < count; d++)
            for (int i = 0; i < 4; i++)
                m[d][i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(text[d] + BLOCK * n + 16 * i)), swap);
#pragma GCC unroll 16
        for (int r = 0; r < 16; r++)
#pragma GCC unroll 4
            for (int d = 0; d < count; d++) {
                __m128i k = _mm_add_epi32(m[d][r & 3], _mm_loadu_si128((const __m128i *)(K + 4 * r)));
                s[d][1] = _mm_sha256rnds2_epu32(s[d][1], s[d][0], k);
                s[d][0] = _mm_sha256rnds2_epu32(s[d][0], s[d][1], _mm_shuffle_epi32(k, 0x0E));
                if (r < 12) {
                    __m128i x = _mm_sha256msg1_epu32(m[d][r & 3], m[d][(r + 1) & 3]);
                    x = _mm_add_epi32(x, _mm_alignr_epi8(m[d][(r + 3) & 3], m[d][(r + 2) & 3], 4));
                    m[d][r & 3] = _mm_sha256msg2_epu32(x, m[d][(r + 3) & 3]);
                }
            }
        for (int d = 0; d < count; d++)
            for (int i = 0; i < 2; i++) s[d][i] = _mm_add_epi32(s[d][i], before[d][i]);
    }
    for (int d = 0; d < count; d++) {
        __m128i t = _mm_shuffle_epi32(s[d][0], 0x1B);
        s[d][1] = _mm_shuffle_epi32(s[d][1], 0xB1);
        _mm_storeu_si128((__m128i *)streams[d]->h, _mm_blend_epi16(t, s[d][1], 0xF0));
        _mm_storeu_si128((__m128i *)(streams[d]->h + 4), _mm_alignr_epi8(s[d][1], t, 8));
        streams[d]->text += BLOCK * blocks;
        streams[d]->blocks -= blocks;
    }
}

/* Apart from each other: inlined into one function they share its registers, and take a tenth longer. */
#define APART __attribute__((noinline, target("sha,sse4.1,ssse3"))) static void
APART add_three(Stream **streams, int64_t blocks) { add_beside(streams, blocks, 3); }
APART add_two(Stream **streams, int64_t blocks) { add_beside(streams, blocks, 2); }
APART add_one(Stream **streams, int64_t blocks) { add_beside(streams, blocks, 1); }

static int64_t add_streams_sha(Stream **streams, int64_t count, int all) {
    while (count >= AT_ONCE || (all && count)) {
        int beside = count < AT_ONCE ? (int)count : AT_ONCE;
        int64_t blocks = streams[0]->blocks;
        for (int d = 1; d < beside; d++) blocks = streams[d]->blocks < blocks ? streams[d]->blocks : blocks;
        (beside == 3 ? add_three : beside == 2 ? add_two : add_one)(streams, blocks);
        for (int d = beside - 1; d >= 0; d--) {
            Stream *own = streams[d];
            if (own->blocks) continue;
            streams[d] = streams[--count];
            streams[count] = own;
        }
    }
    return count;
}

AddStreams carrygrid_streams(int fast) { return fast && carrygrid_processor.sha ? add_streams_sha : add_streams; }
#else
AddStreams carrygrid_streams(int fast) {
    (void)fast;
    return add_streams;
}
#endif
