/*
 * ledger_format.h - how a ledger looks on disk.
 *
 * A ledger directory holds
 *
 *	lock		locked by the process that has it open, names it
 *	ledger.N	generation N: its snapshot, then the log since
 *	ledger.N.tmp	a snapshot that is being written; never read
 *
 * Of several generations the highest counts: a file gets its name only when
 * its snapshot is whole and on disk. All numbers are big-endian.
 *
 * Header (64 bytes, in every format version):
 *
 *	 0	magic "FEDLEDGR"
 *	 8	u16 format version, u16 zero
 *	12	u32 salt, chosen anew for each file
 *	16	u64 generation
 *	24	i64 time of creation
 *	32	owner's tag, 16 bytes with NULs
 *	48	zeros
 *	60	u32 CRC32C of bytes 0 to 59
 *
 * Then records, each with a head of 16 bytes and a body:
 *
 *	 0	u32 length of the body
 *	 4	u16 type
 *	 6	u16 flags: 1 first record of a commit, 2 last record of it
 *	 8	u32 CRC32C of salt, offset of the record (u64), bytes 0 to 7
 *	12	u32 CRC32C of the body, begun with the head's
 *
 * The head has a checksum of its own so that a length is trusted before it is
 * followed, and both depend on the salt and on the place: bytes that look like
 * a record, but are part of a body, of an older file or of another place, are
 * not taken for one.
 *
 * The snapshot is the first commit; its last record has type 0 and the number
 * of records before it as body (u64).
 */
#ifndef FED_CORE_LEDGER_FORMAT_H
#define FED_CORE_LEDGER_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "src/core/bytes.h"
#include "src/core/err.h"
#include "src/core/ledger.h"

#define LEDGER_VERSION 1
#define LEDGER_HEADER_SIZE 64
#define LEDGER_HEAD_SIZE 16
#define LEDGER_TYPE_BASE 0

#define LEDGER_FIRST 0x1
#define LEDGER_LAST 0x2

typedef struct {
	uint32_t salt;
	uint64_t generation;
	int64_t created;
	char app[FED_LEDGER_APP_MAX + 1];
} ledger_header_t;

extern void ledger_header_pack(const ledger_header_t *header,
			       uint8_t data[LEDGER_HEADER_SIZE]);

/* RET 0, or -1 if this is no header or one of a newer format */
extern int ledger_header_unpack(const uint8_t data[LEDGER_HEADER_SIZE],
				ledger_header_t *ret_header, fed_err_t *err);

typedef struct {
	uint32_t len;		/* of the body */
	uint16_t type;
	uint16_t flags;
	uint32_t head_crc;
	uint32_t body_crc;
} ledger_head_t;

/* Put a record, not sealed yet, behind the others in bytes. */
extern void ledger_record_put(fed_bytes_t *bytes, uint16_t type,
			      const void *body, size_t len);

/*
 * Give the records in bytes their flags and checksums.
 * IN offset - where in the file the first one goes
 * IN first, last - whether these records begin and end a commit
 */
extern void ledger_record_seal(fed_bytes_t *bytes, uint32_t salt,
			       uint64_t offset, bool first, bool last);

/* RET true if there is the head of a record at this place */
extern bool ledger_head_unpack(const uint8_t data[LEDGER_HEAD_SIZE],
			       uint32_t salt, uint64_t offset,
			       ledger_head_t *ret_head);

/* RET true if this is the body that belongs to the head */
extern bool ledger_body_valid(const ledger_head_t *head, const void *body);

#endif
