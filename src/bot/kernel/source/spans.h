/* Spans of events at which no order is possible: every held hedge is only paid and priced, many events at once. */
#ifndef CARRYGRID_SPANS_H
#define CARRYGRID_SPANS_H
#include "orders.h"
#if defined(__AVX2__)
#include <immintrin.h>
#endif

/* Return the sums of four numbers up to each, and its last number in all lanes. Exact in any order, since all are whole. */
static inline Four sums_of(Four x) {
#if defined(__AVX2__)
    const __m256d zero = _mm256_setzero_pd(), twos = x + _mm256_shuffle_pd(zero, x, 0);
    return twos + _mm256_blend_pd(zero, _mm256_permute4x64_pd(twos, 0x55), 12);
#else
    double two = x[0] + x[1];
    return (Four){x[0], two, two + x[2], two + (x[2] + x[3])};
#endif
}
static inline Four last_of(Four x) {
#if defined(__AVX2__)
    return _mm256_permute4x64_pd(x, 0xFF);
#else
    return (Four){x[3], x[3], x[3], x[3]};
#endif
}
static inline void put_four(double *to, Four x) { memcpy(to, &x, sizeof x); }

/* Write the sums of values up to each, from `sum` on. */
static void running_sums(const double *restrict values, i64 count, double sum, double *restrict sums) {
    Four before = {sum, sum, sum, sum};
    i64 e = 0;
    for (; e + FOUR <= count; e += FOUR) {
        Four own = sums_of(four_of(values + e));
        put_four(sums + e, before + own);
        before += last_of(own);
    }
    for (sum = before[0]; e < count; e++) sums[e] = sum += values[e];
}

static double sum_of(const double *values, i64 count) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (i64 e = 0; e < count; e++) sum += values[e];
    return sum;
}

/* The numbers that one hedge is paid and priced with. */
typedef struct {
    const double *flow, *low, *spot, *perp;
    Span quantity, entry;
    i64 spot_places, perp_places, flow_places;
    Line line;
} Held;

static inline Held held_from(const Account *a, const Position *p, i64 first) {
    const Window *w = a->w;
    const Terms *x = &a->terms.of[p->pair];
    i64 k = place(w, p->pair, first);
    return (Held){w->flow + k, w->flow_low + k, w->spot_f + k, w->perp_f + k, span_of(p->quantity_f, x->quantity_places),
                  span_of(p->perp_entry_f, x->perp_places + x->fill_places), x->spot_places, x->perp_places, x->flow_places, p->line};
}
static inline double payment_of(const Held *h, i64 e) {
    return funding_payment_span(SHORT, (UnitFlow){h->flow[e], h->low[e], h->flow_places}, h->quantity).h;
}
static inline double value_of(const Held *h, double spot, double perp) {
    return hedge_value_span(LONG, SHORT, h->quantity, span_of(spot, h->spot_places), h->entry, span_of(perp, h->perp_places)).h;
}

/* Write payments on the line of a hedge; return 0 where one was a tie. */
static int pay_on_line(const Held *held, i64 count, double *restrict funding) {
    const Line line = held->line;
    const double *flow = held->flow, per_unit = 1 / line.flow_unit;
    double most = 0;
#pragma omp simd reduction(max : most)
    for (i64 e = 0; e < count; e++) {
        double rest;
        funding[e] = paid_on_line(&line, per_unit, flow[e], &rest);
        most = rest > most ? rest : most;
    }
    return most < 0.5 * line.flow_unit;
}

/* Write what a hedge is paid at each event. */
static void pay(const Held *held, i64 count, double *restrict funding) {
    if (held->line.fits && pay_on_line(held, count, funding)) return;
    const Held h = *held;
#pragma omp simd
    for (i64 e = 0; e < count; e++) funding[e] = payment_of(&h, e);
}

/* Add what a hedge is worth at each of some prices. */
static void add_values(const Held *held, i64 count, const double *restrict spot, const double *restrict perp, double *restrict equity) {
    const Held h = *held;
    if (h.line.fits) {
#pragma omp simd
        for (i64 e = 0; e < count; e++) equity[e] += on_line(&h.line, spot[e], perp[e]);
        return;
    }
#pragma omp simd
    for (i64 e = 0; e < count; e++) equity[e] += value_of(&h, spot[e], perp[e]);
}

/* Whole vectors of events: what is written beyond the last of `count` is overwritten by the events that follow. */
static inline i64 whole_fours(i64 count) { return (count + FOUR - 1) / FOUR * FOUR; }

/* Hold all hedges of a trial through the events from `first` to before `stop`. */
static void hold_through(Account *a, i64 first, i64 stop) {
    i64 count = stop - first, whole = whole_fours(count);
    double *restrict equity = a->curve.equity + first, *restrict funding = a->funding, cash = (double)a->cash;
    for (int i = 0; i < a->count; i++) {
        Position *p = &a->held[i];
        const Held h = held_from(a, p, first);
        double *own = i == 0 ? funding : a->booked;
        pay(&h, whole, own);
        for (i64 e = 0; i > 0 && e < whole; e++) funding[e] += own[e];
        i64 paid = (i64)sum_of(own, count);
        p->funding += paid;
        a->cash += paid;
    }
    Four before = {cash, cash, cash, cash};
    for (i64 e = 0; e < whole; e += FOUR) {
        Four own = sums_of(four_of(funding + e));
        put_four(equity + e, before + own);
        before += last_of(own);
    }
    for (int i = 0; i < a->count; i++) {
        const Held h = held_from(a, &a->held[i], first);
        add_values(&h, whole, h.spot, h.perp, equity);
    }
    curve_through(&a->curve, a->w->times, first, stop);
}

/* Take the equity after event e; of a hold baseline it is asked at the ends of days alone. */
static void point_at(Account *a, i64 e, double equity) {
    if (a->hold_paid) { curve_point(&a->curve, a->w->times, e, equity); return; }
    while (a->days < a->w->days && a->w->day_ends[a->days] == e) a->day_ends[++a->days] = equity;
}

/* Write the prices at the ends of days. */
static void put_day_prices(const Account *a) {
    const Window *w = a->w;
    for (i64 pair = 0; pair < w->pairs; pair++)
        for (i64 d = 0; d < w->days; d++) {
            a->day_spot[pair * w->days + d] = w->spot_f[place(w, pair, w->day_ends[d])];
            a->day_perp[pair * w->days + d] = w->perp_f[place(w, pair, w->day_ends[d])];
        }
}

#define SPAN 512 /* payments that are worked out before they are summed: they stay in the nearest cache */

/* Hold all hedges of a hold baseline: its payments are kept, and the equity at the ends of days. */
static void baseline_through(Account *a, i64 first, i64 stop) {
    const Window *w = a->w;
    i64 count = stop - first, from = a->days, cash = a->cash;
    while (a->days < w->days && w->day_ends[a->days] < stop) a->days++;
    i64 days = a->days - from;
    double *restrict ends = a->day_ends + from + 1, *restrict funding = a->funding;
    for (i64 d = 0; d < days; d++) ends[d] = (double)cash;
    for (int i = 0; i < a->count; i++) {
        Position *p = &a->held[i];
        const Held h = held_from(a, p, first);
        double *sums = paid_until(a, p->pair, first), earlier = sums[first];
        const double *restrict spot = a->day_spot + p->pair * w->days + from, *restrict perp = a->day_perp + p->pair * w->days + from;
        for (i64 e = 0; e < count; e += SPAN) {
            i64 some = count - e < SPAN ? count - e : SPAN;
            Held part = h;
            part.flow += e;
            part.low += e;
            pay(&part, some, funding);
            running_sums(funding, some, sums[first + e], sums + first + e + 1);
        }
        a->summed[p->pair] = stop;
        i64 paid = (i64)(sums[stop] - earlier);
        p->funding += paid;
        a->cash += paid;
        add_values(&h, days, spot, perp, ends);
        for (i64 d = 0; d < days; d++) ends[d] += sums[w->day_ends[from + d] + 1] - earlier;
    }
}

/* Pass through the events from `first` to before `stop`, at which hedges only settle. */
static void pass_through(Account *a, i64 first, i64 stop) {
    if (!a->hold_paid) baseline_through(a, first, stop);
    else if (a->count) hold_through(a, first, stop);
    else curve_flat(&a->curve, a->w->times, first, stop, (double)a->cash);
    if (a->count) a->results[IN_MARKET] += stop - first;
}
#endif
