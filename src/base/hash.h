/*
 * SipHash (Aumasson and Bernstein, 2012): a keyed hash for what strangers
 * choose.  2-4 where it authenticates (handles), 1-3 where it spreads names
 * over a table.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash24(const uint8_t key[16], const void *data, size_t len);
uint64_t siphash13(const uint8_t key[16], const void *data, size_t len);

#endif
