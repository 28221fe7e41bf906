/* Replay of trials over one window, event by event, equal in every bit to bot.backtest (docs/domain.md, section 3).

   Compiled twice, for any processor and for x86-64-v3; select.c chooses at run time. Events at which no order is
   possible are passed through together: between two of them every held hedge is only paid and priced. */
#include <stdlib.h>
#include "order.h"
#include "orders.h"
#include "statistics.h"

/* Return the pairs that a run may enter at event e, as bits, of those in `pairs`. */
static uint64_t may_enter(Account *a, i64 e, uint64_t pairs) {
    const Window *w = a->w;
    for (int i = 0; i < CONDITIONS && pairs; i++) {
        const i32 *values = w->columns[a->by->enter_columns[i]] + e * w->pairs;
        const i64 from = a->run->enter_from[i];
        Limits limits = a->alike.enter[i];
        for (uint64_t left = pairs; left; left &= left - 1) {
            int pair = __builtin_ctzll(left);
            i64 value = values[pair];
            met(&limits, value, from);
            pairs &= ~((uint64_t)(value < from) << pair);
        }
        a->alike.enter[i] = limits;
    }
    for (uint64_t left = pairs & a->ending; left; left &= left - 1) {
        int pair = __builtin_ctzll(left);
        if (w->times[e] >= contract_end_ms(a, pair)) pairs &= ~(1ull << pair);
    }
    return pairs;
}
/* Return whether the strategy of a hedge says to leave; it is asked where there is one that does. */
static int wants_exit(Account *a, i64 k) {
    i64 value = a->w->columns[a->by->stay_column][k];
    met(&a->alike.stay, value, a->run->stay_from);
    return value < a->run->stay_from;
}
/* Return whether any pair reaches the first condition to enter. */
static int any_may_enter(Account *a, i64 e) {
    i64 value = a->w->columns[a->by->best_column][e];
    met(&a->alike.enter[0], value, a->run->enter_from[0]);
    return value >= a->run->enter_from[0];
}

/* Let the exchange take a hedge that ended since the event before; return whether one did.

   It follows its own candles up to the end of its contract, where a liquidation comes first. */
static int interrupt(Account *a, int at, i64 e) {
    const Window *w = a->w;
    Position *p = held_at(a, at);
    i64 pair = p->pair, end_ms = contract_end_ms(a, pair);
    const Moment *now = moment_of(w, pair, e);
    meet_price(a, p, now->high > now->mark ? now->high : now->mark);
    int ends = end_ms <= w->times[e];
    if (now->high >= p->liquidated_from) {
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

/* Let exchanges take what ended since the event before. Return the pairs that ended as bits. */
static uint64_t interrupts(Account *a, i64 e) {
    uint64_t ended = 0;
    for (int i = 0; i < a->count;) {
        i64 pair = a->opened[i];
        Position *p = &a->held[pair];
        if (p->leaves != e) { i++; continue; }
        if (a->hold_paid && !a->single) accrue(a, p, e); /* while what is asked of this event is on its way */
        if (interrupt(a, i, e)) ended |= 1ull << pair;
        else i++;
    }
    return ended;
}

/* Margin exits, else exits by signal, in order of opening. Return the pairs that ended as bits. */
static uint64_t exits(Account *a, i64 e) {
    const Window *w = a->w;
    uint64_t ended = 0;
    for (int i = 0; i < a->count;) {
        i64 pair = a->opened[i];
        Position *p = &a->held[pair];
        if (p->leaves != e) { i++; continue; }
        const Moment *now = moment_of(w, pair, e);
        int reason = -1;
        if (now->fresh && now->mark >= p->forced_from) reason = MARGIN;
        else if (now->fresh && a->by->stay_column >= 0 && wants_exit(a, place(w, pair, e))) reason = SIGNAL;
        if (reason < 0) {
            p->leaves = search_exit(a, p, e + 1);
            i++;
            continue;
        }
        close_hedge(a, i, w->times[e], reason, now->spot, now->perp, e);
        ended |= 1ull << pair;
    }
    return ended;
}

/* Enter those of some pairs, the best first, then by symbol, until all slots are taken. */
static void entries(Account *a, i64 e, uint64_t candidates) {
    const Window *w = a->w;
    i64 pairs[MOST_PAIRS];
    i64 orders[MOST_PAIRS];
    int count = 0;
    for (; candidates; candidates &= candidates - 1) {
        i64 pair = __builtin_ctzll(candidates);
        i64 order = a->by->order_values < 0 ? 0 : w->values[a->by->order_values][e * w->pairs + pair];
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

/* Pay the hedges of a hold baseline; those of a trial accrue later. */
static void collect(Account *a, i64 e) {
    for (int i = 0; i < a->count && !a->hold_paid; i++) pay_at(a, held_at(a, i), e);
}

/* Return the pairs that may be entered at event e, beside those that ended there, as bits. */
static uint64_t candidates_at(Account *a, i64 e, uint64_t ended) {
    if (a->found_at == e) return a->found;
    uint64_t pairs = a->every & ~(ended | a->taken);
    if (!pairs || a->count >= a->own->slots || !any_may_enter(a, e)) return 0;
    return may_enter(a, e, pairs);
}

static void on_event(Account *a, i64 e) {
    uint64_t ended = interrupts(a, e);
    collect(a, e);
    ended |= exits(a, e);
    uint64_t candidates = candidates_at(a, e, ended);
    if (candidates) entries(a, e, candidates);
    a->results[IN_MARKET] += a->count > 0;
    point_at(a, e);
}

static void on_last_event(Account *a, i64 e) {
    const Window *w = a->w;
    interrupts(a, e);
    collect(a, e);
    while (a->count) {
        const Moment *now = moment_of(w, a->opened[0], e);
        close_hedge(a, 0, w->times[e], END, now->spot, now->perp, e);
    }
    point_at(a, e);
}

/* Return the first event from `at` to before `stop` at which a pair may be entered, else `stop`, where a hedge may leave. */
static i64 search_entry(Account *a, i64 at, i64 stop) {
    const i32 *best = a->w->columns[a->by->best_column];
    i32 from = (i32)a->run->enter_from[0];
    Limits *limits = &a->alike.enter[0];
    for (i64 e = first_from(limits, best, at, stop, from); e < stop; e = first_from(limits, best, e + 1, stop, from)) {
        __builtin_prefetch(moment_of(a->w, 0, e));
        a->found = may_enter(a, e, a->every & ~a->taken);
        if (a->found) return e;
    }
    return stop;
}

/* Return the same event, and note where pairs were found to enter. */
static i64 first_entry(Account *a, i64 at, i64 stop) {
    i64 known = known_search(a, at, FOR_ENTRY), found = known >= 0 ? known : search_entry(a, at, stop);
    if (known >= 0) a->found = a->every; /* the one pair */
    else keep_search(a, at, FOR_ENTRY, found);
    if (found < stop) a->found_at = found;
    return found;
}

/* Return the first event from `at` on at which an order is possible, at most `last`. */
static i64 next_stop(Account *a, i64 at, i64 last) {
    i64 stop = last;
    for (int i = 0; i < a->count; i++) stop = held_at(a, i)->leaves < stop ? held_at(a, i)->leaves : stop;
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
    a->results[BEST_MONTH] = (i64)best_month(w, &a->days);
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
    if (!a->fits && a->hold_paid) drop_stretch(a);
    if (a->fits) {
        on_last_event(a, last);
        a->results[FINAL] = a->cash;
        days_flat(&a->days, w->days, (double)a->cash);
        a->largest_return = put_returns(w, &a->days);
        if (a->hold_paid) sum_up(a);
    }
    for (int i = FITS + 1; i < RESULTS; i++)
        if (llabs(a->results[i]) >= MOST_RESULT) a->fits = 0;
    a->results[FITS] = a->fits;
}

/* Ask for the lines of the cache that a row is written to, which is in none of them before. */
static void ask_for(const double *row, i64 count) {
    for (i64 i = 0; i < count; i += 8) __builtin_prefetch(row + i, 1);
}

/* Begin a run of an account with fresh books, on the scratch that `a` has; `alike`: there are more runs of that account. */
static void begin(Account *a, const Batch *b, const Run *run, i64 account, int alike, double *paid, const double *hold_paid, i64 *results,
                  double *ratios, double *returns) {
    a->run = run;
    a->own = &b->accounts[account];
    a->by = &b->decisions[run->decisions];
    account_terms(&a->terms, a->w, account, a->own, a->by->share_places);
    a->account = account;
    a->searches = a->table && hold_paid ? searches_of(a->table, run, a->by) : NULL;
    a->searched = a->has_searched = 0;
    a->alike = a->searches ? a->searches->alike : alike_begin();
    a->shares = alike && !a->own->compounds && !a->terms.has_exposure_cap;
    a->count = 0;
    a->fits = a->terms.fits;
    a->cash = a->own->capital;
    a->locked = 0;
    a->exposure = 0;
    a->bound = 0;
    a->taken = 0;
    a->stretch = a->found_at = -1;
    days_begin(&a->days, (double)a->own->capital, returns);
    ask_for(returns, a->w->days);
    a->curve = curve_begin(a->curve.equity, a->own->capital);
    a->paid = paid;
    a->hold_paid = hold_paid;
    a->results = results;
    a->ratios = ratios;
}

static void replay_hold(Account *a, const Batch *b, i64 account, double *paid, i64 *results) {
    const Window *w = a->w;
    begin(a, b, b->baseline, account, 0, paid, NULL, results, NULL, b->hold_returns + account * w->days);
    for (i64 pair = 0; pair < w->pairs; pair++) paid[pair * (w->events + 1)] = 0, a->summed[pair] = 0;
    replay_one(a);
    for (i64 pair = 0; pair < w->pairs; pair++) paid_until(a, pair, w->events);
}

/* Share out `scratch`, which may be none; return the number of float64 that it needs. */
static i64 share_out(Account *a, Lanes *lanes, double *scratch) {
    const Window *w = a->w;
    double **parts[] = {&lanes->weekly, &a->curve.equity, &a->flows, &a->values, &a->booked, &a->days.ends, &lanes->own, &lanes->lead,
                        &lanes->none, &a->day_spot, &a->day_perp, &a->day_worth};
    const i64 sizes[] = {w->weeks * LANES, w->events + FOUR, w->events + FOUR, w->events + FOUR, SPAN, w->days + 1, w->days * FOUR,
                         w->days * FOUR, w->days, w->pairs * w->days, w->pairs * w->days, w->pairs * w->days};
    i64 used = 0;
    for (int i = 0; i < 12; used += sizes[i++])
        if (scratch) *parts[i] = scratch + used;
    return used;
}

/* Replay every run that does not decide as one before it. */
static void replay_all(Account *a, Lanes *lanes, const Batch *b, const i64 *order, double *paid, Remembered *known) {
    const Window *w = a->w;
    i64 hold[RESULTS], account = -1;
    i64 ledgers = 0;
    for (int i = 0; i < LEDGERS; i++) a->ended[i] = &a->ledgers[i].stream;
    for (i64 i = 0; i < b->count; i++) {
        i64 n = order[i], same = alike_run(known, &b->runs[n]);
        b->source[n] = same < 0 ? n : same;
        if (same >= 0) continue;
        int alike = b->runs[n].account == account || (i + 1 < b->count && b->runs[order[i + 1]].account == b->runs[n].account);
        if (b->runs[n].account != account) replay_hold(a, b, account = b->runs[n].account, paid, hold);
        begin(a, b, &b->runs[n], account, alike, NULL, paid, lanes->results[lanes->count], lanes->ratios[lanes->count],
              b->returns + n * w->days);
        a->ledger = (Ledger *)a->ended[ledgers];
        ledger_begin(a->ledger, b->ledgers + n * LEDGER_BYTES);
        replay_one(a);
        if (a->has_searched) a->searches->alike = a->alike;
        ledger_end(a->ledger);
        if (++ledgers == LEDGERS) ledgers = ledgers_write(a->ended, ledgers, 0, a->add_streams);
        if (a->fits) remember(known, &a->alike, n);
        b->fits[n] = 0;
        if (a->fits) add_run(lanes, n, hold, a->largest_return);
        if (lanes->count == LANES) end_runs(lanes);
    }
    if (lanes->count) end_runs(lanes);
    ledgers_write(a->ended, ledgers, 1, a->add_streams);
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
int REPLAY(const Window *w, const Batch *b);
int REPLAY(const Window *w, const Batch *b) {
    Account *a = malloc(sizeof *a);
    double *paid = malloc((size_t)(w->pairs * (w->events + 1)) * sizeof *paid), *scratch = NULL;
    Lanes lanes = {.w = w, .batch = b};
    i64 places = w->pairs * OPENINGS < MOST_OPENINGS ? w->pairs * OPENINGS : MOST_OPENINGS;
    Opening *openings = malloc((size_t)places * sizeof *openings);
    Remembered *known = malloc(sizeof *known);
    i64 *order = malloc((size_t)b->count * sizeof *order);
    SearchTable *table = malloc(sizeof *table);
    i32 *day_of = malloc((size_t)w->events * sizeof *day_of);
    if (a && openings && known && order && table && day_of) {
        for (i64 i = 0; i < places; i++) openings[i].account = -1;
        a->openings = openings;
        a->places = places;
        a->w = w;
        a->add_streams = carrygrid_streams(1);
        a->terms.account = -1;
        a->single = w->pairs == 1;
        a->every = ~0ull >> (64 - w->pairs);
        a->ending = 0;
        for (i64 pair = 0; pair < w->pairs; pair++) a->ending |= (uint64_t)(w->end_ms[pair] != INT64_MAX) << pair;
        known->account = -1;
        table->count = 0;
        memset(table->at, -1, sizeof table->at);
        a->table = NULL;
        scratch = calloc((size_t)share_out(a, &lanes, NULL), sizeof *scratch);
    }
    int done = scratch && paid && put_order(w, b, order);
    if (done) {
        share_out(a, &lanes, scratch);
        put_day_prices(a);
        put_days_of(w, day_of);
        a->days.of = day_of;
        for (i64 pair = 0; pair < w->pairs; pair++) a->known_hold[pair] = (KnownHold){.quantity = -1};
        /* Of several pairs those that are taken decide what is searched; contracts end for some accounts only. */
        int several = b->count && b->runs[order[0]].account != b->runs[order[b->count - 1]].account;
        if (several && a->single && !a->ending && w->events < INT32_MAX / 2) a->table = table;
        replay_all(a, &lanes, b, order, paid, known);
        spread(b);
    }
    free(a);
    free(openings);
    free(known);
    free(order);
    free(table);
    free(day_of);
    free(scratch);
    free(paid);
    return done;
}
