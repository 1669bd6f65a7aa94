/*
 * bytes.c - bodies of records, written and read (see bytes.h).
 */
#include "src/core/bytes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"

#define NO_STRING 0xffffffffu

extern void fed_bytes_clear(fed_bytes_t *bytes)
{
	bytes->len = 0;
}

extern void fed_bytes_free(fed_bytes_t *bytes)
{
	free(bytes->data);
	*bytes = (fed_bytes_t) { 0 };
}

extern uint8_t *fed_bytes_add(fed_bytes_t *bytes, size_t len)
{
	if (len > bytes->size - bytes->len) {
		size_t size = bytes->size * 2;

		if (size < bytes->len + len)
			size = bytes->len + len;
		if (size < 64)
			size = 64;
		bytes->data = fed_realloc(bytes->data, size);
		bytes->size = size;
	}
	bytes->len += len;
	return bytes->data + bytes->len - len;
}

extern void fed_put_raw(fed_bytes_t *bytes, const void *data, size_t len)
{
	if (len)
		memcpy(fed_bytes_add(bytes, len), data, len);
}

static void _put(fed_bytes_t *bytes, uint64_t value, size_t width)
{
	uint8_t *at = fed_bytes_add(bytes, width);

	for (size_t i = 0; i < width; i++)
		at[i] = value >> (8 * (width - 1 - i));
}

extern void fed_put_u8(fed_bytes_t *bytes, uint8_t value)
{
	_put(bytes, value, 1);
}

extern void fed_put_u16(fed_bytes_t *bytes, uint16_t value)
{
	_put(bytes, value, 2);
}

extern void fed_put_u32(fed_bytes_t *bytes, uint32_t value)
{
	_put(bytes, value, 4);
}

extern void fed_put_u64(fed_bytes_t *bytes, uint64_t value)
{
	_put(bytes, value, 8);
}

extern void fed_put_i64(fed_bytes_t *bytes, int64_t value)
{
	_put(bytes, value, 8);
}

extern void fed_put_double(fed_bytes_t *bytes, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	_put(bytes, bits, 8);
}

extern void fed_put_block(fed_bytes_t *bytes, const void *data, size_t len)
{
	fed_put_u32(bytes, len);
	fed_put_raw(bytes, data, len);
}

extern void fed_put_str(fed_bytes_t *bytes, const char *text)
{
	if (text)
		fed_put_block(bytes, text, strlen(text));
	else
		fed_put_u32(bytes, NO_STRING);
}

extern void fed_reader_init(fed_reader_t *reader, const void *data, size_t len)
{
	/* an empty body may come without an address: give it one to point at */
	reader->at = data ? data : (const void *) "";
	reader->end = reader->at + (data ? len : 0);
	reader->bad = false;
}

extern bool fed_reader_done(const fed_reader_t *reader)
{
	return !reader->bad && (reader->at == reader->end);
}

extern size_t fed_reader_left(const fed_reader_t *reader)
{
	return reader->bad ? 0 : reader->end - reader->at;
}

extern const void *fed_get_raw(fed_reader_t *reader, size_t len)
{
	const uint8_t *at = reader->at;

	if (reader->bad || (len > (size_t) (reader->end - at))) {
		reader->bad = true;
		return NULL;
	}
	reader->at += len;
	return at;
}

static uint64_t _get(fed_reader_t *reader, size_t width)
{
	const uint8_t *at = fed_get_raw(reader, width);
	uint64_t value = 0;

	if (!at)
		return 0;
	for (size_t i = 0; i < width; i++)
		value = (value << 8) | at[i];
	return value;
}

extern uint8_t fed_get_u8(fed_reader_t *reader)
{
	return _get(reader, 1);
}

extern uint16_t fed_get_u16(fed_reader_t *reader)
{
	return _get(reader, 2);
}

extern uint32_t fed_get_u32(fed_reader_t *reader)
{
	return _get(reader, 4);
}

extern uint64_t fed_get_u64(fed_reader_t *reader)
{
	return _get(reader, 8);
}

extern int64_t fed_get_i64(fed_reader_t *reader)
{
	return (int64_t) _get(reader, 8);
}

extern double fed_get_double(fed_reader_t *reader)
{
	uint64_t bits = _get(reader, 8);
	double value;

	memcpy(&value, &bits, sizeof(value));
	if (isfinite(value))
		return value;
	reader->bad = true;
	return 0;
}

extern const void *fed_get_block(fed_reader_t *reader, size_t *len)
{
	const void *data;

	*len = fed_get_u32(reader);
	data = fed_get_raw(reader, *len);
	if (!data)
		*len = 0;
	return data;
}

extern char *fed_get_str(fed_reader_t *reader)
{
	uint32_t len = fed_get_u32(reader);
	const void *data;

	if (reader->bad || (len == NO_STRING))
		return NULL;
	data = fed_get_raw(reader, len);
	if (!data)
		return NULL;
	if (memchr(data, 0, len)) {
		reader->bad = true;
		return NULL;
	}
	return fed_memdup(data, len);
}
