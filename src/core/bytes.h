/*
 * bytes.h - bodies of records: big-endian bytes, written and read.
 *
 * The writer grows as needed. The reader never goes past its end: the first
 * value that is not there makes it bad, every value after that is zero, and
 * the caller asks once, at the end, with fed_reader_done().
 */
#ifndef FED_CORE_BYTES_H
#define FED_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	uint8_t *data;		/* owned; free with fed_bytes_free() */
	size_t len;
	size_t size;
} fed_bytes_t;

/* Forget what was written, keep the memory. */
extern void fed_bytes_clear(fed_bytes_t *bytes);
extern void fed_bytes_free(fed_bytes_t *bytes);

/*
 * Make room for len more bytes, not set to anything, and count them as
 * written.
 * RET where they begin, valid until the next call
 */
extern uint8_t *fed_bytes_add(fed_bytes_t *bytes, size_t len);

extern void fed_put_raw(fed_bytes_t *bytes, const void *data, size_t len);
extern void fed_put_u8(fed_bytes_t *bytes, uint8_t value);
extern void fed_put_u16(fed_bytes_t *bytes, uint16_t value);
extern void fed_put_u32(fed_bytes_t *bytes, uint32_t value);
extern void fed_put_u64(fed_bytes_t *bytes, uint64_t value);
extern void fed_put_i64(fed_bytes_t *bytes, int64_t value);
extern void fed_put_double(fed_bytes_t *bytes, double value);

/* u32 length, then the bytes; at most 0xfffffffe of them */
extern void fed_put_block(fed_bytes_t *bytes, const void *data, size_t len);

/* as a block, without the NUL; length 0xffffffff and nothing for NULL */
extern void fed_put_str(fed_bytes_t *bytes, const char *text);

typedef struct {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
} fed_reader_t;

/* Read from data, which must stay until the last get. */
extern void fed_reader_init(fed_reader_t *reader, const void *data, size_t len);

/* RET true if all was there and nothing is left over */
extern bool fed_reader_done(const fed_reader_t *reader);

/* RET bytes not read yet, 0 when bad */
extern size_t fed_reader_left(const fed_reader_t *reader);

extern uint8_t fed_get_u8(fed_reader_t *reader);
extern uint16_t fed_get_u16(fed_reader_t *reader);
extern uint32_t fed_get_u32(fed_reader_t *reader);
extern uint64_t fed_get_u64(fed_reader_t *reader);
extern int64_t fed_get_i64(fed_reader_t *reader);

/* What is no number, or infinite, is bad. */
extern double fed_get_double(fed_reader_t *reader);

/* RET len bytes in the reader's own data, NULL when they are not there */
extern const void *fed_get_raw(fed_reader_t *reader, size_t len);

/* OUT len - RET as fed_get_raw; a block of no bytes is not NULL */
extern const void *fed_get_block(fed_reader_t *reader, size_t *len);

/*
 * RET the string, to be freed; NULL for NULL and when bad. A string with a NUL
 *	inside is bad.
 */
extern char *fed_get_str(fed_reader_t *reader);

#endif
