/* Statistics of the daily returns of LANES runs at a time: sums that have to go from the oldest day of a run to its newest
   go on in some of them at once, one in each lane. */
#ifndef CARRYGRID_STATISTICS_H
#define CARRYGRID_STATISTICS_H
#include "growth.h"
#include "metrics.h"
#include "record.h"

/* Runs that wait for their statistics. */
typedef struct {
    const Window *w;
    const Batch *batch;
    int count;
    i64 run[LANES];                   /* their numbers in the batch */
    const double *returns[LANES], *hold[LANES];
    i64 results[LANES][RESULTS];
    double ratios[LANES][RATIOS];
    i64 hold_results[LANES][RESULTS]; /* copies: accounts whose runs do not wait come in between */
    double capital[LANES], final[LANES];
    double largest[LANES];            /* daily return in size, NAN of a run that has none */
    double *weekly;                   /* weeks x LANES: sums of whole returns, 0 for a run without a record */
    double *own, *lead;               /* scratch, days x FOUR each */
    double *none;                     /* returns that are all 0: of runs that have none */
} Lanes;

/* Daily returns of four runs: their mean, sums of squared distances from it and of squared losses, and how many are not zero. */
typedef struct { Four mean, squares, losses; Mask moved; } Returns;

/* Find the numbers from d on of four rows side by side, as many of them. */
static inline void side_by_side(const double *const *rows, i64 d, Four *found) {
#if defined(__AVX2__)
    for (int half = 0; half < FOUR; half += 2) {
        const double *at[FOUR] = {rows[0] + d + half, rows[1] + d + half, rows[2] + d + half, rows[3] + d + half};
        const Four even = _mm256_loadu2_m128d(at[2], at[0]), odd = _mm256_loadu2_m128d(at[3], at[1]);
        found[half] = _mm256_unpacklo_pd(even, odd);
        found[half + 1] = _mm256_unpackhi_pd(even, odd);
    }
#else
    for (int k = 0; k < FOUR; k++) found[k] = (Four){rows[0][d + k], rows[1][d + k], rows[2][d + k], rows[3][d + k]};
#endif
}

/* Write the returns of four runs and their lead over those of the hold baselines, each day's side by side; add them up. */
static void put_days(const double *const *returns, const double *const *hold, i64 days, double *restrict own, double *restrict lead,
                     Four sums[2]) {
    Four sum = {0}, lead_sum = {0};
    i64 d = 0;
    for (; d + FOUR <= days; d += FOUR) {
        Four x[FOUR], held[FOUR];
        side_by_side(returns, d, x);
        side_by_side(hold, d, held);
        for (int k = 0; k < FOUR; k++) {
            const Four more = x[k] - held[k];
            put_four(own + (d + k) * FOUR, x[k]);
            put_four(lead + (d + k) * FOUR, more);
            sum += x[k];
            lead_sum += more;
        }
    }
    for (; d < days; d++) {
        const Four x = {returns[0][d], returns[1][d], returns[2][d], returns[3][d]};
        const Four more = x - (Four){hold[0][d], hold[1][d], hold[2][d], hold[3][d]};
        put_four(own + d * FOUR, x);
        put_four(lead + d * FOUR, more);
        sum += x;
        lead_sum += more;
    }
    sums[0] = sum;
    sums[1] = lead_sum;
}

static inline void add_distance(Returns *r, Four x) {
    const Mask moved = x != 0;
    const Four distance = kept(moved, x - r->mean);
    r->squares += distance * distance;
    r->moved -= moved;
}
static inline void add_loss(Returns *r, Four x) {
    const Four loss = kept(x < 0, x);
    r->losses += loss * loss;
}

/* Return whether lane k has the same number each day. */
static int stands(const double *lanes, i64 days, int k) {
    i64 d = 1;
    while (d < days && lanes[d * FOUR + k] == lanes[k]) d++;
    return d >= days;
}

/* Write volatility, Sharpe and Sortino ratio of lane k, NAN where undefined. */
static void put_ratios(const Returns *r, const double *lanes, int k, i64 count, double *volatility, double *sharpe, double *sortino) {
    double days = (double)count, year = sqrt(365.0), mean = r->mean[k];
    double squares = r->squares[k] + (double)(count - r->moved[k]) * (mean * mean);
    int constant = r->moved[k] == 0 || (r->moved[k] == count && stands(lanes, count, k));
    double deviation = constant ? 0 : sqrt(squares / (days - 1)), downside = sqrt(r->losses[k] / days);
    *volatility = deviation * year;
    *sharpe = deviation != 0 ? mean / deviation * year : NAN;
    *sortino = downside != 0 ? mean / downside * year : NAN;
}

/* Write the ratios of four runs and of their lead over the hold baselines, as statistics.returns sums them: strictly from
   the oldest to the newest return that is not zero, beside which zeros change no sum. */
static void year_ratios(Lanes *lanes, int at) {
    i64 days = lanes->w->days;
    Four sums[2];
    put_days(lanes->returns + at, lanes->hold + at, days, lanes->own, lanes->lead, sums);
    Returns own = {.mean = sums[0] / (double)days}, lead = {.mean = sums[1] / (double)days};
    for (i64 d = 0; d < days; d++) {
        const Four x = four_of(lanes->own + d * FOUR);
        add_distance(&own, x);
        add_loss(&own, x);
        add_distance(&lead, four_of(lanes->lead + d * FOUR));
    }
    for (int k = 0; k < FOUR && at + k < lanes->count; k++) {
        double *to = lanes->ratios[at + k], unasked, over_hold;
        if (!isnan(lanes->largest[at + k])) put_ratios(&own, lanes->own, k, days, to + VOLATILITY, to + SHARPE, to + SORTINO);
        put_ratios(&lead, lanes->lead, k, days, &unasked, &over_hold, &unasked);
        if (own.moved[k]) to[OVER_HOLD] = over_hold;
    }
}

/* Write the weekly sums of the newest whole weeks of four runs, whose returns stand side by side, and what follows from their powers. */
static void add_records(Lanes *lanes, int at) {
    const Window *w = lanes->w;
    Four scale;
    for (int k = 0; k < FOUR; k++) scale[k] = whole_scale(lanes->largest[at + k]);
    const Powers powers = whole_weeks(lanes->own + w->days % WEEK_DAYS * FOUR, w->weeks, scale, lanes->weekly + at);
    for (int k = 0; k < FOUR && at + k < lanes->count; k++)
        if (!record_moments(&powers, k, w->weeks * WEEK_DAYS, lanes->ratios[at + k])) lanes->results[at + k][FITS] = 0;
}

/* Write the metrics of a run whose equity never moves: what the statistics of its returns, all 0, come to, nothing of which has
   to be summed. */
static void end_still_run(const Lanes *lanes, i64 n, i64 *results, const i64 *hold_results, double *ratios) {
    const Window *w = lanes->w;
    const Batch *b = lanes->batch;
    int grows = w->times[w->events - 1] > w->times[0];
    for (int i = FIRST_OF_RETURNS; i < RATIOS; i++) ratios[i] = NAN;
    if (w->days > 1) ratios[VOLATILITY] = 0;
    if (w->weeks) ratios[SHIFTS] = 0;
    put_metrics(w, results, hold_results, ratios, results[FINAL], grows ? 0 : NAN, b->metrics + n, b->count);
    b->fits[n] = hold_results[FITS] != 0;
    b->grows[n] = 1;
}

/* Take the run whose results have been written to the next lane, and its hold baseline; their statistics follow later. */
static void add_run(Lanes *lanes, i64 n, const i64 *hold_results, double largest) {
    const Window *w = lanes->w;
    const Batch *b = lanes->batch;
    int k = lanes->count;
    i64 account = b->runs[n].account;
    if (largest == 0 && lanes->results[k][FINAL] == b->accounts[account].capital) {
        end_still_run(lanes, n, lanes->results[k], hold_results, lanes->ratios[k]);
        return;
    }
    lanes->count++;
    lanes->run[k] = n;
    lanes->returns[k] = isnan(largest) ? lanes->none : b->returns + n * w->days;
    lanes->hold[k] = b->hold_returns + account * w->days;
    memcpy(lanes->hold_results[k], hold_results, sizeof lanes->hold_results[k]);
    lanes->capital[k] = (double)b->accounts[account].capital;
    lanes->final[k] = (double)lanes->results[k][FINAL];
    lanes->largest[k] = largest;
    for (int i = FIRST_OF_RETURNS; i < RATIOS; i++) lanes->ratios[k][i] = NAN;
}

/* Write the metrics of the runs that wait. */
static void end_metrics(const Lanes *lanes) {
    const Batch *b = lanes->batch;
    const i64 *times = lanes->w->times;
    double growth[LANES], elapsed_ms = (double)(times[lanes->w->events - 1] - times[0]);
    int grows[LANES];
    for (int at = 0; at < LANES; at += FOUR) growths(lanes->capital + at, lanes->final + at, elapsed_ms, growth + at, grows + at);
    for (int k = 0; k < lanes->count; k++) {
        i64 n = lanes->run[k];
        put_metrics(lanes->w, lanes->results[k], lanes->hold_results[k], lanes->ratios[k], b->accounts[b->runs[n].account].capital,
                    growth[k], b->metrics + n, b->count);
        b->fits[n] = lanes->results[k][FITS] && lanes->hold_results[k][FITS];
        b->grows[n] = (uint8_t)grows[k];
    }
}

/* Write the statistics of the runs that wait, and wait for others. */
static void end_runs(Lanes *lanes) {
    const Window *w = lanes->w;
    for (int k = lanes->count; k < LANES; k++) {
        lanes->returns[k] = lanes->returns[0];
        lanes->hold[k] = lanes->hold[0];
        lanes->largest[k] = NAN;
        lanes->capital[k] = lanes->final[k] = 1;
    }
    for (int at = 0; w->days > 1 && at < lanes->count; at += FOUR) {
        year_ratios(lanes, at);
        if (w->weeks) add_records(lanes, at);
    }
    if (w->weeks) {
        double squares[LANES];
        int fits[LANES];
        shift_squares(w->week_products, lanes->weekly, w->weeks, squares, fits);
        for (int k = 0; k < lanes->count; k++) {
            lanes->ratios[k][SHIFTS] = squares[k];
            if (!fits[k]) lanes->results[k][FITS] = 0;
        }
    }
    end_metrics(lanes);
    lanes->count = 0;
}
#endif
