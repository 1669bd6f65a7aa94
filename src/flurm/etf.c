/*
 * etf.c - the part of Erlang's external term format that FLURM sends (see
 * etf.h). Every length is checked against what is there before it is used,
 * and nesting is bounded.
 */
#include "src/flurm/etf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/base64.h"

#define VERSION 131
#define DEPTH_MAX 8
#define TERMS_MAX 100000	/* each takes more memory than bytes here */

/* tags */
enum {
	SMALL_INTEGER = 97, INTEGER = 98, ATOM = 100, NIL = 106, STRING = 107,
	LIST = 108, BINARY = 109, SMALL_BIG = 110, SMALL_ATOM = 115, MAP = 116,
	ATOM_UTF8 = 118, SMALL_ATOM_UTF8 = 119,
};

/* --- from Erlang --- */

typedef struct {
	fed_reader_t reader;
	const uint8_t *begin;
	size_t terms;
	fed_err_t *err;
} decoder_t;

static json_t *_term(decoder_t *from, int depth);

static json_t *_wrong(decoder_t *from, const char *what)
{
	fed_err_set(from->err, EBADMSG, "Erlang term: byte %td: %s",
		    from->reader.at - from->begin, what);
	return NULL;
}

static json_t *_cut(decoder_t *from)
{
	fed_err_set(from->err, EBADMSG, "Erlang term: ends in the middle");
	return NULL;
}

/* Bytes as text: a string, or base64 if it is not UTF-8. */
static json_t *_text(decoder_t *from, size_t len)
{
	const void *data = fed_get_raw(&from->reader, len);
	json_t *json;
	char *base64;

	if (from->reader.bad)
		return _cut(from);
	json = json_stringn(data ? data : "", len);
	if (json)
		return json;
	base64 = flurm_base64_encode(data, len);
	json = json_pack("{s:s}", "b64", base64);
	free(base64);
	return json;
}

static json_t *_atom(decoder_t *from, size_t len)
{
	json_t *json = _text(from, len);
	const char *name = json_string_value(json);
	json_t *other = NULL;

	if (!name)
		return json;
	if (!strcmp(name, "true"))
		other = json_true();
	else if (!strcmp(name, "false"))
		other = json_false();
	else if (!strcmp(name, "undefined") || !strcmp(name, "null"))
		other = json_null();
	if (!other)
		return json;
	json_decref(json);
	return other;
}

/* An integer of up to eight bytes, the lowest first. */
static json_t *_big(decoder_t *from)
{
	uint8_t len = fed_get_u8(&from->reader);
	uint8_t negative = fed_get_u8(&from->reader);
	const uint8_t *digits = fed_get_raw(&from->reader, len);
	uint64_t number = 0;

	if (from->reader.bad)
		return _cut(from);
	for (size_t i = len; i--;) {
		if (number >> 55)
			return _wrong(from, "a number of more than 63 bits");
		number = number << 8 | digits[i];
	}
	return json_integer(negative ? -(json_int_t) number :
				       (json_int_t) number);
}

static json_t *_list(decoder_t *from, int depth)
{
	uint32_t count = fed_get_u32(&from->reader);
	json_t *list = json_array();

	/* an element takes at least a byte: the count alone costs nothing */
	while (count-- && !from->reader.bad) {
		if (json_array_append_new(list, _term(from, depth)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	if ((fed_get_u8(&from->reader) != NIL) || from->reader.bad) {
		json_decref(list);
		return from->reader.bad ? _cut(from) :
			_wrong(from, "a list with a tail");
	}
	return list;
}

/* RET 0 or -1 */
static int _pair(decoder_t *from, json_t *map, int depth)
{
	json_t *key = _term(from, depth);
	json_t *value = key ? _term(from, depth) : NULL;
	int rc = -1;

	if (value && !json_is_string(key))
		_wrong(from, "a key that is neither atom nor text");
	else if (value)
		rc = json_object_set(map, json_string_value(key), value);
	json_decref(key);
	json_decref(value);
	return rc;
}

static json_t *_map(decoder_t *from, int depth)
{
	uint32_t count = fed_get_u32(&from->reader);
	json_t *map = json_object();

	while (count-- && !from->reader.bad) {
		if (_pair(from, map, depth) < 0) {
			json_decref(map);
			return NULL;
		}
	}
	if (!from->reader.bad)
		return map;
	json_decref(map);
	return _cut(from);
}

static json_t *_term(decoder_t *from, int depth)
{
	fed_reader_t *reader = &from->reader;
	uint8_t tag = fed_get_u8(reader);
	json_int_t number;

	if (depth == DEPTH_MAX)
		return _wrong(from, "nested too deep");
	if (++from->terms > TERMS_MAX)
		return _wrong(from, "too many terms");
	switch (reader->bad ? 0 : tag) {
	case SMALL_INTEGER:
		number = fed_get_u8(reader);
		return reader->bad ? _cut(from) : json_integer(number);
	case INTEGER:
		number = (int32_t) fed_get_u32(reader);
		return reader->bad ? _cut(from) : json_integer(number);
	case SMALL_BIG:
		return _big(from);
	case BINARY:
		return _text(from, fed_get_u32(reader));
	case STRING:
		return _text(from, fed_get_u16(reader));
	case ATOM:
	case ATOM_UTF8:
		return _atom(from, fed_get_u16(reader));
	case SMALL_ATOM:
	case SMALL_ATOM_UTF8:
		return _atom(from, fed_get_u8(reader));
	case NIL:
		return json_array();
	case LIST:
		return _list(from, depth + 1);
	case MAP:
		return _map(from, depth + 1);
	}
	return reader->bad ? _cut(from) :
		_wrong(from, "a kind of term that FLURM does not send");
}

extern json_t *etf_decode(const void *data, size_t len, fed_err_t *err)
{
	decoder_t from = { .begin = data, .err = err };
	json_t *json;

	fed_reader_init(&from.reader, data, len);
	if (fed_get_u8(&from.reader) != VERSION)
		return _wrong(&from, "not one");
	json = _term(&from, 0);
	if (!json || fed_reader_done(&from.reader))
		return json;
	json_decref(json);
	return _wrong(&from, "more than one term");
}

/* --- to Erlang --- */

static void _put_key(fed_bytes_t *bytes, const char *key)
{
	fed_put_u8(bytes, SMALL_ATOM_UTF8);
	fed_put_u8(bytes, strlen(key));
	fed_put_raw(bytes, key, strlen(key));
}

extern void etf_put_map(fed_bytes_t *bytes, uint32_t count)
{
	fed_put_u8(bytes, VERSION);
	fed_put_u8(bytes, MAP);
	fed_put_u32(bytes, count);
}

extern void etf_put_text(fed_bytes_t *bytes, const char *key,
			 const char *text)
{
	_put_key(bytes, key);
	fed_put_u8(bytes, BINARY);
	fed_put_block(bytes, text, strlen(text));
}

extern void etf_put_number(fed_bytes_t *bytes, const char *key,
			   int64_t number)
{
	uint64_t digits = (number < 0) ? -(uint64_t) number : (uint64_t) number;

	_put_key(bytes, key);
	if ((number >= 0) && (number < 256)) {
		fed_put_u8(bytes, SMALL_INTEGER);
		fed_put_u8(bytes, number);
	} else if ((number >= INT32_MIN) && (number <= INT32_MAX)) {
		fed_put_u8(bytes, INTEGER);
		fed_put_u32(bytes, (uint32_t) number);
	} else {
		fed_put_u8(bytes, SMALL_BIG);
		fed_put_u8(bytes, 8);
		fed_put_u8(bytes, number < 0);
		for (int i = 0; i < 8; i++, digits >>= 8)
			fed_put_u8(bytes, digits & 0xff);
	}
}
