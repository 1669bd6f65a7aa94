/*
 * crc32c.c - the Castagnoli checksum (see crc32c.h).
 *
 * Reflected polynomial 0x82f63b78, start and end inverted, as in iSCSI and
 * ext4. Eight bytes a step with eight tables ("slicing by 8"): about 1.5 GB/s
 * without asking which CPU this is, so that replay of a big ledger is bound by
 * its owner and not by this. The tables are made once, by whoever comes first.
 */
#include "src/core/crc32c.h"

#include <pthread.h>

#define POLYNOMIAL 0x82f63b78u

static uint32_t table[8][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void _make_table(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (-(crc & 1) & POLYNOMIAL);
		table[0][byte] = crc;
	}
	for (int slice = 1; slice < 8; slice++)
		for (int byte = 0; byte < 256; byte++) {
			uint32_t crc = table[slice - 1][byte];

			table[slice][byte] = (crc >> 8) ^ table[0][crc & 0xff];
		}
}

/* little-endian whatever the machine; compilers make one load of it */
static uint32_t _load32(const uint8_t *at)
{
	return (uint32_t) at[0] | (uint32_t) at[1] << 8 |
	       (uint32_t) at[2] << 16 | (uint32_t) at[3] << 24;
}

extern uint32_t fed_crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *at = data;

	pthread_once(&table_once, _make_table);
	crc = ~crc;
	for (; len >= 8; len -= 8, at += 8) {
		uint32_t low = crc ^ _load32(at), high = _load32(at + 4);

		crc = table[7][low & 0xff] ^ table[6][(low >> 8) & 0xff] ^
		      table[5][(low >> 16) & 0xff] ^ table[4][low >> 24] ^
		      table[3][high & 0xff] ^ table[2][(high >> 8) & 0xff] ^
		      table[1][(high >> 16) & 0xff] ^ table[0][high >> 24];
	}
	for (; len; len--, at++)
		crc = (crc >> 8) ^ table[0][(crc ^ *at) & 0xff];
	return ~crc;
}
