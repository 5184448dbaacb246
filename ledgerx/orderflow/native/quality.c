/* What is wrong with a feed: silence, holes, repeats, clocks; and the health that follows from it. */

#include <time.h>

#include "internal.h"

uint64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static bool silent(const ofx_feed_policy_t *policy, uint64_t before_ns, uint64_t now_ns)
{
    return before_ns != 0 && now_ns > before_ns && (now_ns - before_ns) / NS_PER_MS >= policy->stale_after_ms &&
           now_ns - before_ns > policy->stale_after_ms * NS_PER_MS;
}

/* The state from outside an event: whether the feed is being reconnected, or was silent for too long. `event_ns` is
   the exchange's time of the event at hand, 0 for a call without one. */
uint32_t quality_external(const of_engine_t *engine, uint64_t now_ns, uint64_t event_ns)
{
    uint32_t flags = engine->health.reconnecting ? OF_QUALITY_ADAPTER_DEGRADED : 0;
    const ofx_feed_policy_t *policy = &engine->policy;
    if (policy->stale_after_ms == 0) {
        return flags;
    }
    bool stale = policy->clock == OFX_CLOCK_EVENT ? silent(policy, engine->last_event_ns, event_ns)
                                                  : silent(policy, engine->last_ingest_ns, now_ns);
    return stale ? flags | OF_QUALITY_STALE_FEED : flags;
}

uint32_t quality_event(of_engine_t *engine, uint32_t external, uint32_t caller_flags, uint64_t ts_exchange_ns,
                       uint64_t ts_recv_ns)
{
    uint32_t flags = external | caller_flags;
    engine->counters.stale += (external & OF_QUALITY_STALE_FEED) != 0;
    if (engine->policy.clock_skew_max_ms > 0 && ts_exchange_ns != 0 && ts_recv_ns != 0) {
        uint64_t skew_ns = ts_recv_ns > ts_exchange_ns ? ts_recv_ns - ts_exchange_ns : ts_exchange_ns - ts_recv_ns;
        if (skew_ns > engine->policy.clock_skew_max_ms * NS_PER_MS) {
            flags |= OF_QUALITY_CLOCK_SKEW;
        }
    }
    return flags;
}

static uint64_t *line_of(const of_engine_t *engine, instrument_t *instrument, bool trade)
{
    return trade || engine->policy.one_numbering ? &instrument->trade_sequence : &instrument->book_sequence;
}

bool quality_drops(of_engine_t *engine, instrument_t *instrument, bool trade, uint64_t sequence)
{
    if (LIKELY(!engine->policy.drop_duplicates) || sequence == 0 || !engine->policy.enforce_sequence) {
        return false;
    }
    return sequence <= *line_of(engine, instrument, trade);
}

uint32_t quality_sequence(of_engine_t *engine, instrument_t *instrument, bool trade, uint64_t sequence)
{
    if (sequence == 0 || !engine->policy.enforce_sequence) {
        return 0;
    }
    uint64_t *remembered = line_of(engine, instrument, trade);
    uint64_t before = *remembered;
    if (before != 0 && sequence <= before) {
        *(sequence == before ? &engine->counters.duplicates : &engine->counters.late) += 1;
        engine->counters.dropped += engine->policy.drop_duplicates;
        return OF_QUALITY_OUT_OF_ORDER;
    }
    *remembered = sequence;
    if (before != 0 && sequence - before > 1) {
        engine->counters.gaps++;
        return OF_QUALITY_SEQUENCE_GAP;
    }
    return 0;
}

void quality_ingested(of_engine_t *engine, uint64_t now_ns, uint64_t event_ns)
{
    engine->feed_enabled = true;
    engine->last_ingest_ns = now_ns;
    if (event_ns > engine->last_event_ns) {
        engine->last_event_ns = event_ns;
    }
}

void health_settle(of_engine_t *engine)
{
    const health_t *now = &engine->health, *told = &engine->told;
    if (now->flags != told->flags || now->started != told->started || now->connected != told->connected ||
        now->reconnecting != told->reconnecting) {
        engine->told = *now;
        engine->health_seq++;
    }
}
