/*
 * json_write.c - JSON as text for a peer (see json_text.h).
 */
#include "src/flurm/json_text.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/bytes.h"
#include "src/core/mem.h"

static void _text(fed_bytes_t *out, const char *text)
{
	fed_put_raw(out, text, strlen(text));
}

/* One byte that does not stand for itself. */
static void _escape(fed_bytes_t *out, uint8_t byte)
{
	static const char names[] = "\"\\\b\f\n\r\t";
	static const char *const values[] = {
		"\\\"", "\\\\", "\\b", "\\f", "\\n", "\\r", "\\t",
	};
	const char *name = byte ? strchr(names, byte) : NULL;
	char code[8];

	if (name) {
		fed_put_raw(out, values[name - names], 2);
		return;
	}
	snprintf(code, sizeof(code), "\\u%04X", byte);
	fed_put_raw(out, code, 6);
}

/* The text of a json_t is UTF-8 already. */
static void _string(fed_bytes_t *out, const char *text, size_t len)
{
	const char *end = text + len;

	fed_put_u8(out, '"');
	while (text < end) {
		const char *stop = text;

		while ((stop < end) && (*stop != '"') && (*stop != '\\') &&
		       ((uint8_t) *stop >= 0x20))
			stop++;
		fed_put_raw(out, text, stop - text);
		if (stop == end)
			break;
		_escape(out, *stop);
		text = stop + 1;
	}
	fed_put_u8(out, '"');
}

static void _integer(fed_bytes_t *out, json_int_t number)
{
	char text[24];
	char *at = text + sizeof(text);
	uint64_t left = (number < 0) ? -(uint64_t) number : (uint64_t) number;

	do {
		*--at = '0' + left % 10;
		left /= 10;
	} while (left);
	if (number < 0)
		*--at = '-';
	fed_put_raw(out, at, text + sizeof(text) - at);
}

/* Ours have none but in what is for people. */
static void _real(fed_bytes_t *out, const json_t *json)
{
	char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

	_text(out, text ? text : "null");
	free(text);
}

static void _value(fed_bytes_t *out, const json_t *json);

static void _object(fed_bytes_t *out, json_t *object)
{
	char before = '{';
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		fed_put_u8(out, before);
		_string(out, key, strlen(key));
		fed_put_u8(out, ':');
		_value(out, value);
		before = ',';
	}
	if (before == '{')
		fed_put_u8(out, '{');
	fed_put_u8(out, '}');
}

static void _array(fed_bytes_t *out, const json_t *array)
{
	size_t i;
	json_t *value;

	fed_put_u8(out, '[');
	json_array_foreach(array, i, value) {
		if (i)
			fed_put_u8(out, ',');
		_value(out, value);
	}
	fed_put_u8(out, ']');
}

static void _value(fed_bytes_t *out, const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		_object(out, (json_t *) json);
		break;
	case JSON_ARRAY:
		_array(out, json);
		break;
	case JSON_STRING:
		_string(out, json_string_value(json),
			json_string_length(json));
		break;
	case JSON_INTEGER:
		_integer(out, json_integer_value(json));
		break;
	case JSON_REAL:
		_real(out, json);
		break;
	case JSON_TRUE:
		_text(out, "true");
		break;
	case JSON_FALSE:
		_text(out, "false");
		break;
	case JSON_NULL:
		_text(out, "null");
		break;
	}
}

extern char *flurm_json_write(const json_t *json, size_t *ret_len)
{
	fed_bytes_t out = { 0 };

	if (!json)
		return NULL;
	_value(&out, json);
	if (ret_len)
		*ret_len = out.len;
	fed_put_u8(&out, '\0');
	/* some are kept for long: no more than it needs */
	return fed_realloc(out.data, out.len);
}
