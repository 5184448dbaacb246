/* The two signal modules, and the gate that closes both when the data is not to be trusted. */

#include <math.h>

#include "internal.h"

#define CONFIDENCE_BPS 500

static const char *const MODULES[] = {"delta_momentum_v1", "price_momentum_v1"};

static void say(ofx_signal_t *signal, const char *state, const char *reason)
{
    signal->state = state;
    signal->reason = reason;
}

void signal_init(ofx_signal_t *signal, uint32_t module)
{
    *signal = (ofx_signal_t){.module = MODULES[module], .confidence_bps = CONFIDENCE_BPS};
    say(signal, "neutral", "delta_inside_band");
}

static void judge_delta(ofx_signal_t *signal, int64_t delta, int64_t threshold)
{
    if (delta >= threshold) {
        say(signal, "long_bias", "delta_above_threshold");
    } else if (delta <= -threshold) {
        say(signal, "short_bias", "delta_below_threshold");
    } else {
        say(signal, "neutral", "delta_inside_band");
    }
}

static void judge_price(ofx_signal_t *signal, const flow_t *flow, const ofx_engine_options_t *options)
{
    double away = flow->fast - flow->slow;
    double band = sqrt(flow->variance) * (double)options->momentum_threshold_bps / 10000.0;
    if (flow->trades < options->momentum_slow_trades) {
        say(signal, "neutral", "momentum_warming_up");
    } else if (away > band) {
        say(signal, "long_bias", "momentum_above_band");
    } else if (away < -band) {
        say(signal, "short_bias", "momentum_below_band");
    } else {
        say(signal, "neutral", "momentum_inside_band");
    }
}

static void judge(const of_engine_t *engine, instrument_t *instrument)
{
    instrument->signal.quality_flags = 0;
    if (engine->options.signal_module == OFX_SIGNAL_PRICE_MOMENTUM) {
        judge_price(&instrument->signal, &instrument->flow, &engine->options);
    } else {
        judge_delta(&instrument->signal, instrument->buy_volume - instrument->sell_volume,
                    engine->options.signal_threshold);
    }
}

bool signal_trade(const of_engine_t *engine, instrument_t *instrument, uint32_t flags)
{
    if (LIKELY((flags & BLOCKING_FLAGS) == 0)) {
        judge(engine, instrument);
        return false;
    }
    bool newly = instrument->signal.quality_flags == 0;
    instrument->signal.quality_flags = flags;
    say(&instrument->signal, "blocked", "blocked_by_quality_gate");
    return newly;
}

void signal_reset(const of_engine_t *engine, instrument_t *instrument)
{
    judge(engine, instrument);
}
