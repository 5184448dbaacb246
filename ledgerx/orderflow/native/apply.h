/* One event, checked and applied: what single calls and batches share. Locked. */

#ifndef LEDGERX_ORDERFLOW_APPLY_H
#define LEDGERX_ORDERFLOW_APPLY_H

#include "internal.h"

int32_t check_trade(const of_trade_t *trade);
int32_t check_book(const of_book_t *book);
int32_t check_volume(const instrument_t *instrument, int64_t size);

/* A checked event; *dropped tells that the policy had it ignored. Fails with OF_ERR_MEMORY alone, unchanged. */
int32_t apply_trade(of_engine_t *engine, instrument_t *instrument, const of_trade_t *trade, uint32_t quality_flags,
                    uint64_t now_ns, bool *dropped);
int32_t apply_book(of_engine_t *engine, instrument_t *instrument, const of_book_t *book, uint32_t quality_flags,
                   uint64_t now_ns, bool *dropped);

#endif
