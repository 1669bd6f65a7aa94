/*
 * json_read.c - JSON from a peer's text (see json_text.h).
 */
#include "src/flurm/json_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"

#define KEY_MAX 256
#define REAL_MAX 512

typedef struct {
	const char *begin;
	const char *at;
	const char *end;
	unsigned int depth;
	size_t containers;	/* left */
	size_t values;		/* left */
	char *scratch;		/* for strings with escapes */
	size_t scratch_size;
	fed_err_t *err;
} reader_t;

/* a string as it stands, or unescaped in scratch */
typedef struct {
	const char *text;
	size_t len;
} span_t;

static json_t *_value(reader_t *reader);

/* RET -1 */
static int _wrong(reader_t *reader, const char *what)
{
	return fed_err_set(reader->err, EBADMSG, "JSON: byte %td: %s",
			   reader->at - reader->begin, what);
}

static void _skip_space(reader_t *reader)
{
	while ((reader->at < reader->end) &&
	       ((*reader->at == ' ') || (*reader->at == '\n') ||
		(*reader->at == '\r') || (*reader->at == '\t')))
		reader->at++;
}

static bool _take(reader_t *reader, char wanted)
{
	_skip_space(reader);
	if ((reader->at == reader->end) || (*reader->at != wanted))
		return false;
	reader->at++;
	return true;
}

static bool _take_word(reader_t *reader, const char *word)
{
	size_t len = strlen(word);

	if (((size_t) (reader->end - reader->at) < len) ||
	    memcmp(reader->at, word, len))
		return false;
	reader->at += len;
	return true;
}

/* --- strings --- */

/* RET the length of the character at, 0 if it is not UTF-8 */
static size_t _utf8_len(const uint8_t *at, const uint8_t *end)
{
	size_t len = (at[0] < 0x80) ? 1 : (at[0] < 0xc2) ? 0 :
		(at[0] < 0xe0) ? 2 : (at[0] < 0xf0) ? 3 :
		(at[0] < 0xf5) ? 4 : 0;

	if (!len || ((size_t) (end - at) < len))
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	/* overlong, a surrogate, or beyond the last character */
	if (((at[0] == 0xe0) && (at[1] < 0xa0)) ||
	    ((at[0] == 0xed) && (at[1] > 0x9f)) ||
	    ((at[0] == 0xf0) && (at[1] < 0x90)) ||
	    ((at[0] == 0xf4) && (at[1] > 0x8f)))
		return 0;
	return len;
}

static bool _is_utf8(const char *text, size_t len)
{
	const uint8_t *at = (const uint8_t *) text, *end = at + len;

	while (at < end) {
		size_t step = _utf8_len(at, end);

		if (!step)
			return false;
		at += step;
	}
	return true;
}

/* Four hexadecimal digits. RET -1 if they are not */
static int _hex4(const char *at, const char *end)
{
	int number = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		int digit = (c >= '0' && c <= '9') ? c - '0' :
			(c >= 'a' && c <= 'f') ? c - 'a' + 10 :
			(c >= 'A' && c <= 'F') ? c - 'A' + 10 : -1;

		if (digit < 0)
			return -1;
		number = number << 4 | digit;
	}
	return number;
}

/* What \u stands for. RET bytes put at out, 0 if it stands for nothing */
static size_t _unescape_unicode(reader_t *reader, char *out)
{
	int code = _hex4(reader->at, reader->end);
	int low;

	if ((code <= 0) || ((code >= 0xdc00) && (code <= 0xdfff)))
		return 0;
	reader->at += 4;
	if (code >= 0xd800 && code <= 0xdbff) {
		if ((reader->end - reader->at < 6) || (reader->at[0] != '\\') ||
		    (reader->at[1] != 'u'))
			return 0;
		low = _hex4(reader->at + 2, reader->end);
		if ((low < 0xdc00) || (low > 0xdfff))
			return 0;
		reader->at += 6;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		out[0] = 0xf0 | code >> 18;
		out[1] = 0x80 | (code >> 12 & 0x3f);
		out[2] = 0x80 | (code >> 6 & 0x3f);
		out[3] = 0x80 | (code & 0x3f);
		return 4;
	}
	if (code < 0x80) {
		out[0] = code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = 0xc0 | code >> 6;
		out[1] = 0x80 | (code & 0x3f);
		return 2;
	}
	out[0] = 0xe0 | code >> 12;
	out[1] = 0x80 | (code >> 6 & 0x3f);
	out[2] = 0x80 | (code & 0x3f);
	return 3;
}

/* One escape, the backslash being past. RET bytes put at out, 0: wrong */
static size_t _unescape(reader_t *reader, char *out)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (reader->at == reader->end)
		return 0;
	if (*reader->at == 'u') {
		reader->at++;
		return _unescape_unicode(reader, out);
	}
	name = memchr(names, *reader->at, sizeof(names) - 1);
	if (!name)
		return 0;
	reader->at++;
	*out = values[name - names];
	return 1;
}

/* A run of bytes that stand for themselves. RET where it ends */
static const char *_plain(const char *at, const char *end)
{
	while ((at < end) && (*at != '"') && (*at != '\\') &&
	       ((uint8_t) *at >= 0x20))
		at++;
	return at;
}

/* The rest of a string that has an escape; begin is where it began. */
static int _escaped_string(reader_t *reader, const char *begin, span_t *ret)
{
	size_t len = 0;

	/* how long it is we see last */
	for (reader->at = begin;;) {
		const char *stop = _plain(reader->at, reader->end);
		size_t run = stop - reader->at;

		if (len + run + 4 > reader->scratch_size) {
			reader->scratch_size = 2 * (len + run + 4);
			reader->scratch = fed_realloc(reader->scratch,
						      reader->scratch_size);
		}
		memcpy(reader->scratch + len, reader->at, run);
		len += run;
		reader->at = stop;
		if ((stop == reader->end) || ((uint8_t) *stop < 0x20))
			return _wrong(reader, "a string without end");
		reader->at++;
		if (*stop == '"')
			break;
		run = _unescape(reader, reader->scratch + len);
		if (!run)
			return _wrong(reader, "an escape that is none");
		len += run;
	}
	*ret = (span_t) { reader->scratch, len };
	return 0;
}

/* A string, its first quote being past. ret is good until the next one. */
static int _string(reader_t *reader, span_t *ret)
{
	const char *begin = reader->at;
	const char *stop = _plain(begin, reader->end);

	if ((stop < reader->end) && (*stop == '"')) {
		*ret = (span_t) { begin, stop - begin };
		reader->at = stop + 1;
	} else if (_escaped_string(reader, begin, ret) < 0) {
		return -1;
	}
	if (!_is_utf8(ret->text, ret->len))
		return _wrong(reader, "a string that is not UTF-8");
	return 0;
}

/* --- numbers --- */

static size_t _digits(reader_t *reader)
{
	const char *begin = reader->at;

	while ((reader->at < reader->end) && (*reader->at >= '0') &&
	       (*reader->at <= '9'))
		reader->at++;
	return reader->at - begin;
}

/* Ours have none, so jansson may read it. */
static json_t *_real(reader_t *reader, const char *begin)
{
	char text[REAL_MAX];
	size_t len = reader->at - begin;
	json_t *json = NULL;

	if (len + 1 < sizeof(text)) {
		memcpy(text, begin, len);
		json = json_loadb(text, len, JSON_DECODE_ANY, NULL);
	}
	if (!json)
		_wrong(reader, "a number that is too large");
	return json;
}

static json_t *_integer(reader_t *reader, const char *begin)
{
	const char *at = begin + (*begin == '-');
	uint64_t number = 0;
	/* one more below zero than above */
	uint64_t max = (uint64_t) INT64_MAX + (*begin == '-');

	for (; at < reader->at; at++) {
		unsigned int digit = *at - '0';

		if (number > (max - digit) / 10) {
			_wrong(reader, "an integer that is too large");
			return NULL;
		}
		number = number * 10 + digit;
	}
	return json_integer((*begin == '-') ? (json_int_t) -number :
					      (json_int_t) number);
}

static json_t *_number(reader_t *reader)
{
	const char *begin = reader->at;
	bool zero, real = false;

	if (*reader->at == '-')
		reader->at++;
	zero = (reader->at < reader->end) && (*reader->at == '0');
	if (zero)
		reader->at++;
	else if (!_digits(reader))
		goto wrong;
	if ((reader->at < reader->end) && (*reader->at == '.')) {
		reader->at++;
		real = true;
		if (!_digits(reader))
			goto wrong;
	}
	if ((reader->at < reader->end) && ((*reader->at | 0x20) == 'e')) {
		reader->at++;
		real = true;
		if ((reader->at < reader->end) &&
		    ((*reader->at == '+') || (*reader->at == '-')))
			reader->at++;
		if (!_digits(reader))
			goto wrong;
	}
	return real ? _real(reader, begin) : _integer(reader, begin);
wrong:
	_wrong(reader, "not a number");
	return NULL;
}

/* --- objects and arrays --- */

/* RET 0 or -1 */
static int _enter(reader_t *reader)
{
	if (++reader->depth > FLURM_JSON_DEPTH_MAX)
		return _wrong(reader, "nested too deep");
	if (!reader->containers--)
		return _wrong(reader, "too many objects and arrays");
	return 0;
}

static int _member(reader_t *reader, json_t *object)
{
	char small[KEY_MAX], *key = small;
	size_t count = json_object_size(object);
	json_t *value = NULL;
	span_t span;
	int rc = -1;

	if (!_take(reader, '"'))
		return _wrong(reader, "a name should be here");
	if (_string(reader, &span) < 0)
		return -1;
	if (span.len >= sizeof(small))
		key = fed_realloc(NULL, span.len + 1);
	memcpy(key, span.text, span.len);
	key[span.len] = '\0';
	if (!_take(reader, ':'))
		_wrong(reader, "a colon should be here");
	else
		value = _value(reader);
	if (value && (json_object_set_new_nocheck(object, key, value) == 0))
		rc = (json_object_size(object) > count) ? 0 :
			_wrong(reader, "a name twice in one object");
	if (key != small)
		free(key);
	return rc;
}

static json_t *_object(reader_t *reader)
{
	json_t *object;

	if (_enter(reader) < 0)
		return NULL;
	object = json_object();
	if (!_take(reader, '}')) {
		do {
			if (_member(reader, object) < 0)
				goto fail;
		} while (_take(reader, ','));
		if (!_take(reader, '}')) {
			_wrong(reader, "a comma or } should be here");
			goto fail;
		}
	}
	reader->depth--;
	return object;
fail:
	json_decref(object);
	return NULL;
}

static json_t *_array(reader_t *reader)
{
	json_t *array;

	if (_enter(reader) < 0)
		return NULL;
	array = json_array();
	if (!_take(reader, ']')) {
		do {
			if (json_array_append_new(array, _value(reader)) < 0)
				goto fail;
		} while (_take(reader, ','));
		if (!_take(reader, ']')) {
			_wrong(reader, "a comma or ] should be here");
			goto fail;
		}
	}
	reader->depth--;
	return array;
fail:
	json_decref(array);
	return NULL;
}

static json_t *_value(reader_t *reader)
{
	span_t span;

	_skip_space(reader);
	if (!reader->values--) {
		_wrong(reader, "too many values");
		return NULL;
	}
	if (reader->at == reader->end) {
		_wrong(reader, "it ends too early");
		return NULL;
	}
	switch (*reader->at) {
	case '{':
		reader->at++;
		return _object(reader);
	case '[':
		reader->at++;
		return _array(reader);
	case '"':
		reader->at++;
		return (_string(reader, &span) < 0) ? NULL :
			json_stringn_nocheck(span.text, span.len);
	}
	if ((*reader->at == '-') ||
	    ((*reader->at >= '0') && (*reader->at <= '9')))
		return _number(reader);
	if (_take_word(reader, "true"))
		return json_true();
	if (_take_word(reader, "false"))
		return json_false();
	if (_take_word(reader, "null"))
		return json_null();
	_wrong(reader, "a value should be here");
	return NULL;
}

extern json_t *flurm_json_read(const char *text, size_t len, size_t most,
			       fed_err_t *err)
{
	reader_t reader = {
		.begin = text, .at = text, .end = text + len, .err = err,
		.containers = most, .values = 10 * most,
	};
	json_t *json = NULL;

	_skip_space(&reader);
	if ((reader.at < reader.end) && (*reader.at != '{') &&
	    (*reader.at != '['))
		_wrong(&reader, "neither an object nor an array");
	else
		json = _value(&reader);
	_skip_space(&reader);
	if (json && (reader.at != reader.end)) {
		_wrong(&reader, "something behind its end");
		json_decref(json);
		json = NULL;
	}
	free(reader.scratch);
	return json;
}
