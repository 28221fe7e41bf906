/* Sizing, opening and closing of hedges (docs/domain.md, sections 4 and 6). */
#ifndef CARRYGRID_ORDERS_H
#define CARRYGRID_ORDERS_H
#include "search.h"
#include "spans.h"

/* Return the number of steps that slot, free cash and the caps allow at the prices of event e. */
static i64 most_steps(Account *a, i64 pair, i64 e, Steps *nearly) {
    const Parameters *own = a->own;
    const Terms *x = &a->terms.of[pair];
    i64 spot = moment_of(a->w, pair, e)->spot, perp = moment_of(a->w, pair, e)->perp;
    i64 base = own->compounds ? (i64)equity_at(a, e) : own->capital, free_cash = a->cash - a->locked, steps = INT64_MAX;
    i64 share = a->by->share_values < 0 ? 1 : a->w->values[a->by->share_values][e * a->w->pairs + pair];
    double unit_f = unit_cost_rough((double)spot, x->spot_unit_f, (double)perp, x->perp_unit_f);
    if (unit_f * x->slot_divisor_f > 2e37 || unit_f * x->free_divisor_f > 2e37) { a->fits = 0; return 0; }
    /* All over the same places already. */
    i128 unit = unit_cost_wide(wide_of(spot, 0), (Wide){x->spot_unit, 0}, wide_of(perp, 0), (Wide){x->perp_unit, 0}).m;
    /* Only the lower of the two needs to be exact. */
    double per_unit = 1 / unit_f, by_slot = (double)base * (double)share * x->slot_factor_f * per_unit;
    double cash_steps = x->free_factor_f * per_unit, by_cash = (double)free_cash * cash_steps;
    *nearly = (Steps){by_slot, cash_steps};
    if (by_slot < by_cash * 1.000001 + 1) {
        u128 budget = (u128)(i128)base * (u128)x->slot_factor * (u128)(i128)share;
        steps = floor_quotient(budget, (u128)unit * (u128)x->slot_divisor, by_slot, &a->fits);
    }
    if (by_cash < by_slot * 1.000001 + 1) {
        u128 budget = (u128)(i128)free_cash * (u128)x->free_factor;
        i64 own = floor_quotient(budget, (u128)unit * (u128)x->free_divisor, by_cash, &a->fits);
        steps = own < steps ? own : steps;
    }
    if (a->terms.has_size_cap) {
        i128 cap = x->size_cap, one = (i128)spot * x->step;
        i64 own = floor_quotient((u128)cap, (u128)one, float_of(cap) / float_of(one), &a->fits);
        steps = own < steps ? own : steps;
    }
    if (a->terms.has_exposure_cap) {
        double size = (double)spot * (double)x->step * (double)x->fill_scale * float_of(x->exposure_scale);
        if (size > 2e37) { a->fits = 0; return 0; }
        i128 left = a->terms.exposure_cap - a->exposure;
        i128 one = (i128)spot * x->step * x->fill_scale * x->exposure_scale;
        i64 own = floor_quotient((u128)left, (u128)one, float_of(left) / float_of(one), &a->fits);
        steps = own < steps ? own : steps;
    }
    return steps;
}

/* Return whether the slot alone decides the size of a hedge, by a wide margin, and its numbers stay in range; `unaccrued`
   bounds what cash may be off. */
static int is_whole_slot(const Account *a, Steps steps, const Position *p, double unaccrued) {
    return ((double)(a->cash - a->locked) - unaccrued) * steps.cash > steps.slot * 1.00001 + 2
        && p->bound + a->bound + fabs((double)a->cash) + unaccrued < EXACT_SUMS;
}

/* Booked amounts of a fill: by the estimate where that is certain, else in 128 bits. */
static inline i64 notional_exact(Exact q, Exact price) {
    Booked near = notional_near(q.near, price.near);
    return is_certain(near) ? (i64)near.h : (i64)notional_wide(q.wide, price.wide).m;
}
static inline i64 fee_exact(Exact q, Exact price, Number rate) {
    Booked near = fee_near(q.near, price.near, (Near){(double)rate.m, rate.p});
    return is_certain(near) ? (i64)near.h : (i64)fee_wide(q.wide, price.wide, wide_of(rate.m, rate.p)).m;
}
static inline i64 margin_exact(Exact q, Exact price, Number leverage) {
    Booked near = locked_margin_near(q.near, price.near, (Near){(double)leverage.m, leverage.p});
    return is_certain(near) ? (i64)near.h : (i64)locked_margin_wide(q.wide, price.wide, wide_of(leverage.m, leverage.p)).m;
}

/* Work out the hedge to open at event e; return 0 where there is none: what is too small is skipped and counted. */
static int work_out(Account *a, i64 pair, i64 e, Position *p, Steps *nearly) {
    const Terms *x = &a->terms.of[pair];
    i64 spot = moment_of(a->w, pair, e)->spot, perp = moment_of(a->w, pair, e)->perp, steps = most_steps(a, pair, e, nearly);
    if (!a->fits) return 0;
    if (steps > 0 && (double)steps * (double)x->step >= EXACT_SUMS) { a->fits = 0; return 0; }
    i64 quantity = steps > 0 ? steps * x->step : 0;
    if (steps <= 0 || steps < x->min_steps || (i128)quantity * spot < x->min_notional) {
        a->results[SKIPPED]++;
        return 0;
    }
    double bound = (double)quantity * x->bound;
    if (!((double)quantity < x->most_quantity && bound + a->bound + fabs((double)a->cash) < EXACT_SUMS)) { a->fits = 0; return 0; }
    *p = (Position){.pair = pair, .opened = e, .quantity = quantity, .quantity_f = (double)quantity, .bound = bound,
                    .most_paid = (double)quantity * x->most_paid + 1, .perp_entry = perp * x->sell, .perp_entry_f = (double)(perp * x->sell)};
    Exact q = exact_of(quantity, x->quantity_places), sold = exact_of(p->perp_entry, x->perp_places + x->fill_places);
    Exact bought = mul_exact(exact_of(spot, x->spot_places), exact_of(x->buy, x->fill_places));
    p->spot_cost = notional_exact(q, bought);
    p->margin = margin_exact(q, sold, x->leverage);
    p->fees = fee_exact(q, bought, x->spot_fee) + fee_exact(q, sold, x->perp_fee);
    p->exposure = a->terms.has_exposure_cap ? mul_wide(q.wide, bought.wide).m * x->exposure_scale : 0;
    p->line = line_of(a->w, x, p, (double)steps, q, sold);
    put_near(a, p);
    return 1;
}

/* Return the hedge as another run of the account opened it, if this run has the means to do the same, else none. */
static const Opening *known_opening(Account *a, i64 k, i64 e) {
    const Opening *o = &a->openings[k % a->places];
    if (!a->shares || o->place != k || o->account != a->account || o->share_values != a->by->share_values) return NULL;
    if (is_whole_slot(a, o->steps, &o->hedge, most_unaccrued(a, e))) return o;
    accrue_all(a, e);
    return is_whole_slot(a, o->steps, &o->hedge, 0) ? o : NULL;
}

/* Ask for what is read when a hedge leaves, since tables of several pairs are far from the processor. */
static inline void fetch_ahead(const Account *a, const Position *p, i64 k) {
    const Window *w = a->w;
    __builtin_prefetch(moment_of(w, p->pair, p->leaves));
    __builtin_prefetch(w->flow + k + 1);
    __builtin_prefetch(w->spot_f + k + 1);
    __builtin_prefetch(w->perp_f + k + 1);
    if (!a->hold_paid) return;
    __builtin_prefetch(a->hold_paid + p->pair * (w->events + 1) + p->opened + 1);
    __builtin_prefetch(a->hold_paid + p->pair * (w->events + 1) + p->leaves + 1);
}

/* Open a hedge at event e, if there is one to open. */
static void open_hedge(Account *a, i64 pair, i64 e) {
    i64 k = place(a->w, pair, e);
    Position *p = &a->held[pair];
    const Opening *known = known_opening(a, k, e);
    if (known) *p = known->hedge;
    else {
        Steps nearly;
        if (a->hold_paid) accrue_all(a, e);
        if (!work_out(a, pair, e, p, &nearly)) return;
        if (a->shares && a->fits && is_whole_slot(a, nearly, p, 0))
            a->openings[k % a->places] = (Opening){a->account, k, a->by->share_values, nearly, *p};
    }
    if (a->hold_paid) {
        begin_stretch(a, e);
        if (!a->single) a->values[e] += hedge_value_at(a, p, e);
    }
    p->accrued = e + 1;
    p->leaves = search_exit(a, p, e + 1);
    fetch_ahead(a, p, k);
    a->opened[a->count++] = (uint8_t)pair;
    book_at(a, e, -(p->spot_cost + p->fees));
    if (a->hold_paid && a->single) a->curve.equity[e] = (double)a->cash + hedge_value_at(a, p, e);
    a->locked += p->margin;
    a->exposure += p->exposure;
    a->bound += p->bound;
    a->taken |= 1ull << pair;
}

static i64 missed_within(const Window *w, i64 pair, i64 after_ms, i64 until_ms) {
    i64 found = 0;
    for (i64 i = w->missing_from[pair]; i < w->missing_from[pair + 1]; i++)
        found += w->missing[i] > after_ms && w->missing[i] <= until_ms;
    return found;
}

/* Add what the hold baseline was paid while a trade held its short, and remember how far its pair was seen. */
static void compare_with_hold(Account *a, const Position *p, i64 collected, i64 seen) {
    const double *paid = a->hold_paid + p->pair * (a->w->events + 1);
    a->results[CAUGHT] += (i64)(paid[collected + 1] - paid[p->opened + 1]);
    if (a->first_open[p->pair] < 0 || p->opened < a->first_open[p->pair]) a->first_open[p->pair] = p->opened;
    if (seen > a->last_seen[p->pair]) a->last_seen[p->pair] = seen;
}

/* Return the part of a trade's net P&L that was booked after its contract had ended, as market/after_end.py has it. */
static i64 booked_after_end(const Account *a, const Position *p, i64 t_ms, i64 collected, i64 net) {
    const Window *w = a->w;
    const Terms *x = &a->terms.of[p->pair];
    if (t_ms <= w->end_ms[p->pair]) return 0;
    if (w->times[p->opened] > w->end_ms[p->pair]) return net;
    i64 last = w->end_last_event[p->pair] < collected ? w->end_last_event[p->pair] : collected, funding = 0;
    for (i64 e = p->opened + 1; e <= last; e++) funding += (i64)funding_at(a, p, e);
    Wide q = wide_of(p->quantity, x->quantity_places), entry = wide_of(p->perp_entry, x->perp_places + x->fill_places);
    Wide spot = wide_of(w->end_spot[p->pair], x->spot_places), perp = wide_of(w->end_perp[p->pair], x->perp_places);
    i64 gained = (i64)hedge_value_wide(LONG, SHORT, q, spot, entry, perp).m - p->spot_cost;
    return net - (gained + funding - p->fees);
}

/* Write the price P&L of a hedge that is closed at these prices, with slippage; return 0 where it takes 128 bits. */
static int price_pnl_in_spans(const Terms *x, const Position *p, i64 spot, i64 perp, i64 *pnl) {
    double sold = (double)spot * (double)x->sell, bought = (double)perp * (double)x->buy;
    if (x->quantity_places + x->spot_places + x->fill_places > 23 || sold >= EXACT_SUMS) return 0;
    Span q = span_of(p->quantity_f, x->quantity_places), entry = span_of(p->perp_entry_f, x->perp_places + x->fill_places);
    Booked perp_pnl = leg_pnl_span(SHORT, q, entry, span_of(bought, x->perp_places + x->fill_places));
    Booked cost = {(double)p->spot_cost};
    *pnl = (i64)price_pnl_span(LONG, q, cost, span_of(sold, x->spot_places + x->fill_places), perp_pnl).h;
    return 1;
}

/* Close the hedge at index `at`, at these prices and this moment; `e` is the event at or right after it. */
static void close_hedge(Account *a, int at, i64 t_ms, int reason, i64 spot, i64 perp, i64 e) {
    const Window *w = a->w;
    Position *p = held_at(a, at);
    /* Settlements come before closing, liquidations and ends of contracts before settlements. */
    int before = reason == LIQUIDATION || reason == DELISTED;
    if (a->hold_paid) {
        accrue(a, p, a->single && !before ? e + 1 : e);
        if (!a->single && !before) pay_at(a, p, e);
    }
    const Terms *x = &a->terms.of[p->pair];
    Exact q = exact_of(p->quantity, x->quantity_places), sold = mul_exact(exact_of(spot, x->spot_places), exact_of(x->sell, x->fill_places));
    Exact bought = exact_of(perp, x->mark_places); /* without slippage, by the exchange */
    if (!before) bought = mul_exact(exact_of(perp, x->perp_places), exact_of(x->buy, x->fill_places));
    i64 price_pnl, fee = fee_exact(q, sold, x->spot_fee) + (reason == LIQUIDATION ? 0 : fee_exact(q, bought, x->perp_fee)), fees = p->fees + fee;
    if (before || !price_pnl_in_spans(x, p, spot, perp, &price_pnl)) {
        Wide perp_pnl = wide_of(-p->margin, MONEY_PLACES), entry = wide_of(p->perp_entry, x->perp_places + x->fill_places);
        if (reason != LIQUIDATION) perp_pnl = leg_pnl_wide(SHORT, q.wide, entry, bought.wide);
        price_pnl = (i64)price_pnl_wide(LONG, q.wide, wide_of(p->spot_cost, MONEY_PLACES), sold.wide, perp_pnl).m;
    }
    Wide net_pnl = net_pnl_wide(wide_of(price_pnl, MONEY_PLACES), wide_of(p->funding, MONEY_PLACES), wide_of(fees, MONEY_PLACES));
    i64 net = (i64)net_pnl.m, *r = a->results;
    book_at(a, e, p->spot_cost + price_pnl - fee);
    a->locked -= p->margin;
    a->exposure -= p->exposure;
    a->bound -= p->bound;
    i64 collected = e - before, due_ms = t_ms - before;
    i64 payments = moment_of(w, p->pair, collected)->settled - moment_of(w, p->pair, p->opened)->settled, opened_ms = w->times[p->opened];
    r[TRADES]++;
    r[WINNERS] += net > 0;
    r[LIQUIDATIONS] += reason == LIQUIDATION;
    r[MARGIN_EXITS] += reason == MARGIN;
    r[DELISTINGS] += reason == DELISTED;
    r[PAYMENTS] += payments;
    r[FUNDING] += p->funding;
    r[PRICE_PNL] += price_pnl;
    r[FEES] += fees;
    r[net > 0 ? GAINS : LOSSES] += net > 0 ? net : -net;
    if (net > r[BEST_TRADE]) r[BEST_TRADE] = net;
    if (r[GAINS] > INT64_MAX / 2 || r[LOSSES] > INT64_MAX / 2) a->fits = 0;
    r[HELD_MS] += t_ms - opened_ms;
    r[AFTER_END] += booked_after_end(a, p, t_ms, collected, net);
    r[MISSED] += missed_within(w, p->pair, opened_ms, due_ms);
    i64 row[ROW] = {w->symbol_code[p->pair], opened_ms, t_ms, reason, payments, p->funding, fees, price_pnl};
    if (a->hold_paid) ledger_row(a->ledger, row, a->add_streams);
    if (a->hold_paid) compare_with_hold(a, p, collected, t_ms == w->times[e] ? e : e - 1);
    a->taken &= ~(1ull << p->pair);
    a->count--;
    for (int i = at; i < a->count; i++) a->opened[i] = a->opened[i + 1];
}
#endif
