/* Spans of events through which hedges are only paid and priced, many events at once.

   A hedge of a trial accrues late: when it leaves, or when its account has to know its cash. Payments and values go into
   tables of events, from which the equity of a whole stretch of events is summed once no hedge is held any more. A hold
   baseline is asked for the sums of its payments and for the equity at the ends of days. */
#ifndef CARRYGRID_SPANS_H
#define CARRYGRID_SPANS_H
#include "account.h"

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

/* Add what a hedge is worth at each of some prices. */
static void add_values(const Held *held, i64 count, const double *restrict spot, const double *restrict perp, double *restrict values) {
    const Held h = *held;
    if (h.line.fits) {
#pragma omp simd
        for (i64 e = 0; e < count; e++) values[e] += on_line(&h.line, spot[e], perp[e]);
        return;
    }
#pragma omp simd
    for (i64 e = 0; e < count; e++) values[e] += value_of(&h, spot[e], perp[e]);
}

#define SPAN 512 /* payments that are worked out before they are summed: they stay in the nearest cache */

/* A line in four lanes. */
typedef struct { Four base, by_spot, by_perp, by_flow, per_unit, unit, half; } Lines;

static inline Lines lines_of(const Line *x) {
    return (Lines){all_of(x->base), all_of(x->by_spot), all_of(x->by_perp), all_of(x->by_flow), all_of(x->per_unit), all_of(-x->flow_unit),
                   all_of(0.5 * x->flow_unit)};
}
/* Return the payments at four events. */
static inline Four paid_on_lines(const Lines *x, const double *flow) {
    Four product = x->by_flow * four_of(flow), sum = product * x->per_unit + all_of(ROUNDER), paid = sum - all_of(ROUNDER);
    Four rest = plus_product(product, paid, x->unit);
    Mask ties = size_of(rest) >= x->half;
    if (any_lane(ties)) paid += kept(ties & (((Mask)sum & 1) != 0), with_sign(all_of(1), rest));
    return paid;
}
static inline Four on_lines(const Lines *x, const double *spot, const double *perp) {
    return plus_product(plus_product(x->base, x->by_perp, four_of(perp)) + ROUNDER - ROUNDER, x->by_spot, four_of(spot));
}

/* Write what a hedge is paid at each event, and beyond the last one up to a multiple of FOUR. */
static void pay(const Held *held, i64 count, double *restrict funding) {
    const Held h = *held;
    if (h.line.fits) {
        const Lines line = lines_of(&h.line);
        for (i64 e = 0; e < count; e += FOUR) put_four(funding + e, paid_on_lines(&line, h.flow + e));
        return;
    }
#pragma omp simd
    for (i64 e = 0; e < count; e++) funding[e] = payment_of(&h, e);
}

/* Book the payments of a hedge on its line at each event and add its values; return the sum of the payments. Where a lane is
   beyond the last event, nothing is added. */
static double accrue_on_line(const Held *h, i64 count, double *restrict flows, double *restrict values) {
    const Lines line = lines_of(&h->line);
    Four sum = {0};
    for (i64 e = 0; e < count; e += FOUR) {
        const Mask lanes = first_lanes(count - e);
        Four paid = kept(lanes, paid_on_lines(&line, h->flow + e)), value = on_lines(&line, h->spot + e, h->perp + e);
        put_four(flows + e, four_of(flows + e) + paid);
        put_four(values + e, four_of(values + e) + kept(lanes, value));
        sum += paid;
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Write the equity of an account after each event through which it has one hedge, which is on its line, from its cash before;
   return the cash after. Lanes beyond the last event are written as well. */
static double hold_on_line(const Held *h, i64 count, double cash, double *restrict equity) {
    const Lines line = lines_of(&h->line);
    Four before = all_of(cash);
    for (i64 e = 0; e < count; e += FOUR) {
        Four own = sums_of(kept(first_lanes(count - e), paid_on_lines(&line, h->flow + e)));
        put_four(equity + e, before + own + on_lines(&line, h->spot + e, h->perp + e));
        before += last_of(own);
    }
    return before[0];
}

/* Book what the only hedge of a trial was paid from where it has not accrued to before `stop`, and write the equity. */
static void hold_alone(Account *a, Position *p, i64 stop) {
    i64 first = p->accrued, count = stop - first;
    if (count <= 0) return;
    const Held h = held_from(a, p, first);
    double *equity = a->curve.equity + first, cash = (double)a->cash;
    if (h.line.fits) cash = hold_on_line(&h, count, cash, equity);
    for (i64 e = 0; !h.line.fits && e < count; e++) {
        cash += payment_of(&h, e);
        equity[e] = cash + value_of(&h, h.spot[e], h.perp[e]);
    }
    p->accrued = stop;
    p->funding += (i64)cash - a->cash;
    a->cash = (i64)cash;
}

/* Book what a hedge of a trial was paid, and add its values, from where it has not accrued to before `stop`. */
static void accrue(Account *a, Position *p, i64 stop) {
    if (a->single) { hold_alone(a, p, stop); return; }
    i64 first = p->accrued, count = stop - first;
    if (count <= 0) return;
    const Held h = held_from(a, p, first);
    double *flows = a->flows + first, paid = 0;
    if (h.line.fits) paid = accrue_on_line(&h, count, flows, a->values + first);
    else add_values(&h, count, h.spot, h.perp, a->values + first);
    for (i64 e = 0; !h.line.fits && e < count; e++) {
        double own = payment_of(&h, e);
        flows[e] += own;
        paid += own;
    }
    p->accrued = stop;
    p->funding += (i64)paid;
    a->cash += (i64)paid;
}

/* Let all hedges of a trial accrue through event e, so that its cash is known. */
static void accrue_all(Account *a, i64 e) {
    for (int i = 0; i < a->count; i++) accrue(a, held_at(a, i), e + 1);
}

/* Return a bound of what the hedges of a trial may have been paid, or pay, up to event e beyond what has accrued. */
static double most_unaccrued(Account *a, i64 e) {
    double most = 0;
    for (int i = 0; i < a->count; i++) most += (double)(e + 1 - held_at(a, i)->accrued) * held_at(a, i)->most_paid;
    return most;
}

/* Book cash of a trial or of a hold baseline at event e. */
static void book_at(Account *a, i64 e, i64 amount) {
    a->cash += amount;
    if (a->hold_paid && !a->single) a->flows[e] += (double)amount;
}

/* Pay one hedge at event e, at which it has not accrued yet. */
static void pay_at(Account *a, Position *p, i64 e) {
    double paid = funding_at(a, p, e);
    p->funding += (i64)paid;
    book_at(a, e, (i64)paid);
    if (!a->paid) return;
    double *sums = paid_until(a, p->pair, e);
    forget_sums(a, p->pair, e, e + 1);
    sums[e + 1] = sums[e] + paid;
    a->summed[p->pair] = e + 1;
}

/* Let the equity from event e on be summed later: a hedge is about to be opened. */
static void begin_stretch(Account *a, i64 e) {
    if (a->stretch >= 0) return;
    a->stretch = e;
    a->stretch_cash = a->cash;
}

/* Sum the equity of the stretch up to before `stop`, at which all is booked, and clear its tables. */
static void end_stretch(Account *a, i64 stop) {
    i64 first = a->stretch;
    a->stretch = -1;
    double *restrict equity = a->curve.equity, *restrict flows = a->flows, *restrict values = a->values, cash = (double)a->stretch_cash;
    Four before = {cash, cash, cash, cash};
    const Four zero = {0};
    for (i64 e = first; e < stop && !a->single; e += FOUR) {
        Four own = sums_of(four_of(flows + e));
        put_four(equity + e, before + own + four_of(values + e));
        before += last_of(own);
        put_four(flows + e, zero);
        put_four(values + e, zero);
    }
    equity[stop - 1] = (double)a->cash;
    curve_through(&a->curve, a->w->times, first, stop);
    days_through(a->w, &a->days, equity, first, stop, cash);
}

/* Clear the tables of a run that is given up. */
static void drop_stretch(Account *a) {
    memset(a->flows, 0, (size_t)a->w->events * sizeof *a->flows);
    memset(a->values, 0, (size_t)a->w->events * sizeof *a->values);
}

/* Take the equity after event e: of a hold baseline where it is the end of a day; of a trial unless it is summed later. */
static void point_at(Account *a, i64 e) {
    const Window *w = a->w;
    Days *days = &a->days;
    if (!a->hold_paid) {
        while (days->known < w->days && w->day_ends[days->known] == e) days->ends[++days->known] = equity_at(a, e);
        return;
    }
    if (a->stretch < 0) curve_point(&a->curve, w->times, e, (double)a->cash);
    else if (a->count == 0) end_stretch(a, e + 1);
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

/* Return what the worth of a hedge on a line is counted from, the same at all prices. */
static inline double base_of(const Line *line) { return line->fits && !line->tied ? line->base : 0; }

/* Return what is known of a hedge of a hold baseline, beginning anew where that is nothing; only what a line is worth is the same
   for all accounts but for its base, unless that is tied. */
static KnownHold *known_hold_of(Account *a, const Position *p, i64 first, double earlier, i64 day) {
    KnownHold *known = &a->known_hold[p->pair];
    if (p->line.fits && known->quantity == p->quantity && known->first == first && known->earlier == earlier) return known;
    *known = (KnownHold){p->line.fits ? p->quantity : -1, first, first, day, earlier};
    return known;
}

/* Write the sums of what a hedge of a hold baseline was paid up to event `stop`, and what it is worth at the ends of days. */
static void hold_through(Account *a, Position *p, i64 first, i64 stop, i64 day) {
    const Window *w = a->w;
    double *sums = paid_until(a, p->pair, first), *restrict funding = a->booked, earlier = sums[first];
    KnownHold *known = known_hold_of(a, p, first, earlier, day);
    const Held h = held_from(a, p, known->until);
    for (i64 e = known->until; e < stop; e += SPAN) {
        i64 some = stop - e < SPAN ? stop - e : SPAN;
        Held part = h;
        part.flow += e - known->until;
        part.low += e - known->until;
        pay(&part, some, funding);
        running_sums(funding, some, sums[e], sums + e + 1);
    }
    i64 from = h.line.tied ? day : known->days, k = p->pair * w->days + from, days = a->days.known - from;
    double *restrict worth = a->day_worth + k, base = base_of(&h.line);
    const i64 *ends = w->day_ends + from;
    for (i64 d = 0; d < days; d++) worth[d] = sums[ends[d] + 1] - earlier - base;
    if (days > 0) add_values(&h, days, a->day_spot + k, a->day_perp + k, worth);
    /* What comes after it is not this hedge's any more. */
    known->until = stop;
    known->days = h.line.tied ? day : a->days.known;
    a->summed[p->pair] = stop;
    i64 paid = (i64)(sums[stop] - earlier);
    p->funding += paid;
    a->cash += paid;
}

/* Hold all hedges of a hold baseline: its payments are kept, and the equity at the ends of days. */
static void baseline_through(Account *a, i64 first, i64 stop) {
    const Window *w = a->w;
    i64 from = a->days.known, until = a->days.of[stop], cash = a->cash;
    a->days.known = until;
    double *restrict ends = a->days.ends + 1;
    for (i64 d = from; d < until && !a->count; d++) ends[d] = (double)cash;
    for (int i = 0; i < a->count; i++) {
        Position *p = held_at(a, i);
        hold_through(a, p, first, stop, from);
        const double *restrict worth = a->day_worth + p->pair * w->days, base = base_of(&p->line), all = base + (double)cash;
        if (i == 0) for (i64 d = from; d < until; d++) ends[d] = all + worth[d];
        else for (i64 d = from; d < until; d++) ends[d] += base + worth[d];
    }
}

/* Pass through the events from `first` to before `stop`, at which hedges only settle. */
static void pass_through(Account *a, i64 first, i64 stop) {
    if (!a->hold_paid) baseline_through(a, first, stop);
    else if (a->count == 0) curve_flat(&a->curve, a->w->times, first, stop, (double)a->cash);
    if (a->count) a->results[IN_MARKET] += stop - first;
}
#endif
