/*
 * crc32c.h - the Castagnoli checksum that guards ledger records.
 */
#ifndef FED_CORE_CRC32C_H
#define FED_CORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * Go on with a checksum over more bytes.
 * IN crc - 0 to start with, or what an earlier call returned
 * RET the checksum of all bytes so far
 */
extern uint32_t fed_crc32c(uint32_t crc, const void *data, size_t len);

#endif
