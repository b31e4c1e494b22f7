/*
 * A keyed hash (SipHash-1-3): names in archives are chosen by strangers, and
 * must not be able to share one slot.  Words are as this machine has them:
 * nothing of it leaves the machine.
 */
#ifndef FS_TAR_SIPHASH_H
#define FS_TAR_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t tar_siphash(const uint64_t key[2], const void *data, size_t len);

#endif
