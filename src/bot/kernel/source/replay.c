/* Replay of trials over one window, event by event, equal in every bit to bot.backtest (docs/domain.md, section 3).

   Compiled twice, for any processor and for x86-64-v3; select.c chooses at run time. Events at which no order is
   possible are passed through together: between two of them every held hedge is only paid and priced. */
#include <stdlib.h>
#include "order.h"
#include "spans.h"
#include "statistics.h"

static i32 at_column(const Window *w, i64 column, i64 k) { return w->columns[column][k]; }

static int may_enter(Account *a, i64 pair, i64 e) {
    i64 k = place(a->w, pair, e);
    if (a->w->times[e] >= contract_end_ms(a, pair)) return 0;
    for (int i = 0; i < CONDITIONS; i++) {
        i64 value = at_column(a->w, a->by->enter_columns[i], k), from = a->run->enter_from[i];
        met(&a->alike.enter[i], value, from);
        if (value < from) return 0;
    }
    return 1;
}
/* Return whether the strategy of a hedge says to leave; it is asked where there is one that does. */
static int wants_exit(Account *a, i64 k) {
    i64 value = at_column(a->w, a->by->stay_column, k);
    met(&a->alike.stay, value, a->run->stay_from);
    return value < a->run->stay_from;
}
/* Return whether any pair reaches the first condition to enter. */
static int any_may_enter(Account *a, i64 e) {
    i64 value = at_column(a->w, a->by->best_column, e);
    met(&a->alike.enter[0], value, a->run->enter_from[0]);
    return value >= a->run->enter_from[0];
}
static int is_held(const Account *a, i64 pair) { return (int)(a->taken >> pair & 1); }

/* Return the close of the newest spot candle of a pair at this moment; one had closed before a hedge was opened. */
static i64 newest_spot(const Window *w, i64 pair, i64 t_ms) {
    i64 from = w->spots_from[pair], until = w->spots_from[pair + 1];
    while (until - from > 1) {
        i64 middle = from + (until - from) / 2;
        if (w->spot_closed[middle] <= t_ms) from = middle;
        else until = middle;
    }
    return w->spot_close[from];
}

/* Let the exchange take a hedge that ended since the event before; return whether one did.

   It follows its own candles up to the end of its contract, where a liquidation comes first. */
static int interrupt(Account *a, int at, i64 e) {
    const Window *w = a->w;
    const Position *p = &a->held[at];
    i64 pair = p->pair, end_ms = contract_end_ms(a, pair);
    int ends = end_ms <= w->times[e];
    if (w->high[place(w, pair, e)] >= p->liquidated_from) {
        i64 c = w->candles_before[pair * (w->events + 1) + e];
        while (w->candle_high[c] < p->liquidated_from) c++;
        if (!ends || w->candle_closed[c] <= end_ms) {
            close_hedge(a, at, w->candle_closed[c], LIQUIDATION, newest_spot(w, pair, w->candle_closed[c]), 0, e);
            return 1;
        }
    }
    if (ends) close_hedge(a, at, end_ms, DELISTED, w->end_spot[pair], w->end_settle[pair], e);
    return ends;
}

/* What exchanges took since the event before, then funding. Return the pairs that ended as bits. */
static uint64_t collect(Account *a, i64 e) {
    uint64_t ended = 0;
    for (int i = 0; i < a->count;) {
        i64 pair = a->held[i].pair;
        if (interrupt(a, i, e)) ended |= 1ull << pair;
        else i++;
    }
    for (int i = 0; i < a->count; i++) {
        Position *p = &a->held[i];
        double paid = funding_at(a, p, e);
        p->funding += (i64)paid;
        a->cash += (i64)paid;
        if (!a->paid) continue;
        double *sums = paid_until(a, p->pair, e);
        sums[e + 1] = sums[e] + paid;
        a->summed[p->pair] = e + 1;
    }
    return ended;
}

/* Margin exits, else exits by signal, in order of opening. Return the pairs that ended as bits. */
static uint64_t exits(Account *a, i64 e) {
    const Window *w = a->w;
    uint64_t ended = 0;
    for (int i = 0; i < a->count;) {
        const Position *p = &a->held[i];
        i64 pair = p->pair, k = place(w, pair, e);
        int reason = -1;
        if (w->fresh[k] && w->mark[k] >= p->forced_from) reason = MARGIN;
        else if (w->fresh[k] && a->by->stay_column >= 0 && wants_exit(a, k)) reason = SIGNAL;
        if (reason < 0) { i++; continue; }
        close_hedge(a, i, w->times[e], reason, w->spot[k], w->perp[k], e);
        ended |= 1ull << pair;
    }
    return ended;
}

/* Enter the pairs worth it, the best first, then by symbol, until all slots are taken. */
static void entries(Account *a, i64 e, uint64_t ended) {
    const Window *w = a->w;
    i64 pairs[MOST_PAIRS];
    i64 orders[MOST_PAIRS];
    int count = 0;
    for (i64 pair = 0; pair < w->pairs; pair++) {
        if ((ended >> pair & 1) || is_held(a, pair) || !may_enter(a, pair, e)) continue;
        i64 order = a->by->order_values < 0 ? 0 : w->values[a->by->order_values][place(w, pair, e)];
        int at = count++;
        for (; at > 0; at--) {
            int behind = orders[at - 1] < order
                || (orders[at - 1] == order && w->symbol_order[pairs[at - 1]] > w->symbol_order[pair]);
            if (!behind) break;
            orders[at] = orders[at - 1];
            pairs[at] = pairs[at - 1];
        }
        orders[at] = order;
        pairs[at] = pair;
    }
    for (int i = 0; i < count && a->count < a->own->slots && a->fits; i++) open_hedge(a, pairs[i], e);
}

static void on_event(Account *a, i64 e) {
    uint64_t ended = a->count ? collect(a, e) : 0;
    ended |= exits(a, e);
    if (a->count < a->own->slots && any_may_enter(a, e)) entries(a, e, ended);
    point_at(a, e, equity_at(a, e));
    a->results[IN_MARKET] += a->count > 0;
}

static void on_last_event(Account *a, i64 e) {
    const Window *w = a->w;
    if (a->count) collect(a, e);
    while (a->count) {
        i64 k = place(w, a->held[0].pair, e);
        close_hedge(a, 0, w->times[e], END, w->spot[k], w->perp[k], e);
    }
    point_at(a, e, (double)a->cash);
}

#define SCAN 16 /* values that are looked at together */

/* Return the first index in [e, stop) whose value is below the threshold x, `stop` for none; all that is compared is noted. */
static i64 first_below(Limits *limits, const i32 *values, i64 e, i64 stop, i32 x) {
    i32 least = INT32_MAX;
    for (; e + SCAN <= stop; e += SCAN) {
        i32 own = INT32_MAX;
        for (int k = 0; k < SCAN; k++) own = values[e + k] < own ? values[e + k] : own;
        if (own < x) break;
        least = own < least ? own : least;
    }
    for (; e < stop && values[e] >= x; e++) least = values[e] < least ? values[e] : least;
    if (least < limits->most) limits->most = least;
    if (e < stop) met(limits, values[e], x);
    return e;
}

/* Return the first index in [e, stop) whose value reaches the threshold x, in the same way. */
static i64 first_from(Limits *limits, const i32 *values, i64 e, i64 stop, i32 x) {
    i32 most = INT32_MIN;
    for (; e + SCAN <= stop; e += SCAN) {
        i32 own = INT32_MIN;
        for (int k = 0; k < SCAN; k++) own = values[e + k] > own ? values[e + k] : own;
        if (own >= x) break;
        most = own > most ? own : most;
    }
    for (; e < stop && values[e] < x; e++) most = values[e] > most ? values[e] : most;
    if (most > limits->above) limits->above = most;
    if (e < stop) met(limits, values[e], x);
    return e;
}

/* Return the first index in [e, stop) whose price is x or more. */
static i64 first_price_from(const i64 *prices, i64 e, i64 stop, i64 x) {
    for (; e + SCAN <= stop; e += SCAN) {
        i64 any = 0;
        for (int k = 0; k < SCAN; k++) any |= prices[e + k] >= x;
        if (any) break;
    }
    while (e < stop && prices[e] < x) e++;
    return e;
}

static i64 search_exit(Account *a, const Position *p, i64 at, i64 stop) {
    const Window *w = a->w;
    i64 k = p->pair * w->events, ending = w->end_event[p->pair];
    if (ending < stop && contract_end_ms(a, p->pair) != INT64_MAX) stop = ending;
    if (a->by->stay_column >= 0)
        stop = first_below(&a->alike.stay, w->columns[a->by->stay_column] + k, at, stop, (i32)a->run->stay_from);
    i64 least = p->liquidated_from < p->forced_from ? p->liquidated_from : p->forced_from;
    if (at >= stop || w->worst_ahead[k + at] < least) return stop;
    return first_price_from(w->worst + k, at, stop, least);
}

/* Return the first event in [at, stop) at which a hedge may leave, else `stop`; no event is searched twice. */
static i64 first_exit(Account *a, Position *p, i64 at, i64 stop) {
    if (p->leaves >= at) return p->leaves < stop ? p->leaves : stop;
    i64 from = p->clear > at ? p->clear : at;
    if (from >= stop) return stop;
    i64 found = search_exit(a, p, from, stop);
    if (found < stop) p->leaves = found;
    p->clear = found;
    return found;
}

static i64 first_entry(Account *a, i64 at, i64 stop) {
    const Window *w = a->w;
    const i32 *best = w->columns[a->by->best_column];
    i32 from = (i32)a->run->enter_from[0];
    Limits *limits = &a->alike.enter[0];
    for (i64 e = first_from(limits, best, at, stop, from); e < stop; e = first_from(limits, best, e + 1, stop, from))
        for (i64 pair = 0; pair < w->pairs; pair++)
            if (!is_held(a, pair) && may_enter(a, pair, e)) return e;
    return stop;
}

/* Return the first event from `at` on at which an order is possible, at most `last`. */
static i64 next_stop(Account *a, i64 at, i64 last) {
    i64 stop = last;
    for (int i = 0; i < a->count; i++) stop = first_exit(a, &a->held[i], at, stop);
    return a->count < a->own->slots && a->count < a->w->pairs ? first_entry(a, at, stop) : stop;
}

static void missed_around(Account *a) {
    const Window *w = a->w;
    for (i64 pair = 0; pair < w->pairs; pair++) {
        const double *paid = a->hold_paid + pair * (w->events + 1);
        int held = a->first_open[pair] >= 0;
        a->results[AVAILABLE] += (i64)paid[w->events];
        a->results[BEFORE] += (i64)(held ? paid[a->first_open[pair] + 1] : paid[w->events]);
        a->results[AFTER] += held ? (i64)(paid[w->events] - paid[a->last_seen[pair] + 1]) : 0;
    }
}

/* Work out what is asked of trials and not of the hold baselines that they are compared with. */
static void sum_up(Account *a) {
    const Window *w = a->w;
    curve_end(&a->curve, w->times, w->events - 1, a->results, a->ratios);
    a->results[BEST_MONTH] = best_month(w, a->curve.equity, (double)a->own->capital);
    missed_around(a);
}

#define MOST_RESULT (1LL << 53) /* whole results below it are float64 exactly, so that statistics divide what Python would */

static void replay_one(Account *a) {
    const Window *w = a->w;
    i64 at = 0, last = w->events - 1;
    memset(a->results, 0, RESULTS * sizeof(i64));
    for (i64 pair = 0; pair < w->pairs; pair++) a->first_open[pair] = a->last_seen[pair] = -1;
    while (at < last && a->fits) {
        i64 stop = next_stop(a, at, last);
        if (stop > at) pass_through(a, at, stop);
        if (stop < last) on_event(a, stop);
        at = stop + 1;
        if (fabs((double)a->cash) >= EXACT_SUMS) a->fits = 0;
    }
    if (a->fits) {
        on_last_event(a, last);
        a->results[FINAL] = a->cash;
        if (a->hold_paid) take_days(w, a->curve.equity, a->day_ends);
        a->sound = daily_returns(w, (double)a->own->capital, a->day_ends, a->returns);
        if (a->hold_paid) sum_up(a);
    }
    for (int i = FITS + 1; i < RESULTS; i++)
        if (llabs(a->results[i]) >= MOST_RESULT) a->fits = 0;
    a->results[FITS] = a->fits;
}

/* Begin a run of an account with fresh books, on the scratch that `a` has; `alike`: there are more runs of that account. */
static void begin(Account *a, const Batch *b, const Run *run, i64 account, int alike, double *paid, const double *hold_paid, i64 *results,
                  double *ratios) {
    a->run = run;
    a->own = &b->accounts[account];
    a->by = &b->decisions[run->decisions];
    account_terms(&a->terms, a->w, account, a->own, a->by->share_places);
    a->account = account;
    a->alike = alike_begin();
    a->shares = alike && !a->own->compounds && !a->terms.has_exposure_cap;
    a->count = 0;
    a->fits = a->terms.fits;
    a->cash = a->own->capital;
    a->locked = 0;
    a->exposure = 0;
    a->bound = 0;
    a->taken = 0;
    a->days = 0;
    a->curve = curve_begin(a->curve.equity, a->own->capital);
    a->ledger = ledger_begin();
    a->paid = paid;
    a->hold_paid = hold_paid;
    a->results = results;
    a->ratios = ratios;
}

static void replay_hold(Account *a, const Batch *b, i64 account, double *paid, i64 *results) {
    const Window *w = a->w;
    begin(a, b, b->baseline, account, 0, paid, NULL, results, NULL);
    a->returns = b->hold_returns + account * w->days;
    for (i64 pair = 0; pair < w->pairs; pair++) paid[pair * (w->events + 1)] = 0, a->summed[pair] = 0;
    replay_one(a);
    for (i64 pair = 0; pair < w->pairs; pair++) paid_until(a, pair, w->events);
}

/* Share out `scratch`, which may be none; return the number of float64 that it needs. */
static i64 share_out(Account *a, Lanes *lanes, double *scratch) {
    const Window *w = a->w;
    double **parts[] = {&lanes->weekly, &a->curve.equity, &a->funding, &a->booked, &a->day_ends, &lanes->whole,
                        &a->day_spot, &a->day_perp};
    const i64 sizes[] = {w->weeks * LANES, w->events + FOUR, w->events + FOUR, w->events + FOUR, w->days + 1, w->days,
                         w->pairs * w->days, w->pairs * w->days};
    i64 used = 0;
    for (int i = 0; i < 8; used += sizes[i++])
        if (scratch) *parts[i] = scratch + used;
    return used;
}

/* Replay every run that does not decide as one before it. */
static void replay_all(Account *a, Lanes *lanes, const Batch *b, const i64 *order, double *paid, Remembered *known) {
    const Window *w = a->w;
    /* One more than may wait in lanes, so that the baseline of none of those is written over. */
    i64 holds[LANES + 1][RESULTS], account = -1;
    int hold = 0;
    for (i64 i = 0; i < b->count; i++) {
        i64 n = order[i], same = alike_run(known, &b->runs[n]);
        b->source[n] = same < 0 ? n : same;
        if (same >= 0) continue;
        int alike = b->runs[n].account == account || (i + 1 < b->count && b->runs[order[i + 1]].account == b->runs[n].account);
        if (b->runs[n].account != account) replay_hold(a, b, account = b->runs[n].account, paid, holds[hold = (hold + 1) % (LANES + 1)]);
        begin(a, b, &b->runs[n], account, alike, NULL, paid, lanes->results[lanes->count], lanes->ratios[lanes->count]);
        a->returns = b->returns + n * w->days;
        replay_one(a);
        ledger_end(&a->ledger, b->ledgers + n * LEDGER_BYTES, a->add_block);
        if (a->fits) remember(known, &a->alike, n);
        b->fits[n] = 0;
        if (a->fits) add_run(lanes, n, holds[hold], a->sound);
        if (lanes->count == LANES) end_runs(lanes);
    }
    if (lanes->count) end_runs(lanes);
}

/* Give every trial the results of the one that was replayed for it. */
static void spread(const Batch *b) {
    i64 n = 0;
    while (n < b->count && b->source[n] == n) n++;
    if (n == b->count) return;
    for (int m = 0; m < METRICS; m++) {
        i64 *column = b->metrics + m * b->count;
        for (n = 0; n < b->count; n++) column[n] = column[b->source[n]];
    }
    for (n = 0; n < b->count; n++) {
        i64 source = b->source[n];
        b->fits[n] = b->fits[source];
        b->grows[n] = b->grows[source];
        if (source != n) memcpy(b->ledgers + n * LEDGER_BYTES, b->ledgers + source * LEDGER_BYTES, LEDGER_BYTES);
    }
}

/* Replay every trial of a batch; return 0 where there is no memory for it. */
int REPLAY(const Window *w, const Batch *b, AddBlock add_block);
int REPLAY(const Window *w, const Batch *b, AddBlock add_block) {
    Account *a = malloc(sizeof *a);
    double *paid = malloc((size_t)(w->pairs * (w->events + 1)) * sizeof *paid), *scratch = NULL;
    Lanes lanes = {.w = w, .batch = b};
    Opening *openings = malloc(OPENINGS * sizeof *openings);
    Remembered *known = malloc(sizeof *known);
    i64 *order = malloc((size_t)(2 * b->count) * sizeof *order);
    if (a && openings && known && order) {
        for (int i = 0; i < OPENINGS; i++) openings[i].account = -1;
        a->openings = openings;
        a->w = w;
        a->add_block = add_block;
        a->terms.account = -1;
        known->account = -1;
        scratch = calloc((size_t)share_out(a, &lanes, NULL), sizeof *scratch);
    }
    int done = scratch && paid;
    if (done) {
        share_out(a, &lanes, scratch);
        put_day_prices(a);
        put_order(b->runs, b->count, order);
        replay_all(a, &lanes, b, order, paid, known);
        spread(b);
    }
    free(a);
    free(openings);
    free(known);
    free(order);
    free(scratch);
    free(paid);
    return done;
}
