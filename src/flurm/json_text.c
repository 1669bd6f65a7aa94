/*
 * json_text.c - JSON as text (see json_text.h).
 */
#include "src/flurm/json_text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "src/core/bytes.h"
#include "src/core/mem.h"

#define USUAL_LEN 4096

/* RET false if it has more values than most allows, should it be JSON */
static bool _few_values(const char *text, size_t len, size_t most)
{
	size_t containers = 0, commas = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		switch (text[i]) {
		case '"':
			quoted = !quoted;
			break;
		case '\\':
			i += quoted;
			break;
		case '[':
		case '{':
			containers += !quoted;
			break;
		case ',':
			commas += !quoted;
			break;
		}
	}
	return (containers <= most) && (commas <= 10 * most);
}

extern json_t *flurm_json_read(const char *text, size_t len, size_t most,
			       fed_err_t *err)
{
	json_error_t where;
	json_t *json;

	/* nothing that short has too many */
	if ((len > most) && !_few_values(text, len, most)) {
		fed_err_set(err, E2BIG, "JSON: more than %zu objects and "
			    "arrays, or %zu values", most, 10 * most);
		return NULL;
	}
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		fed_err_set(err, EBADMSG, "JSON: line %d column %d: %s",
			    where.line, where.column, where.text);
	return json;
}

static int _put(const char *text, size_t len, void *arg)
{
	fed_put_raw(arg, text, len);
	return 0;
}

extern char *flurm_json_write(const json_t *json, size_t *ret_len)
{
	fed_bytes_t out = { 0 };

	/* most fit, and need not grow piece by piece */
	fed_bytes_add(&out, USUAL_LEN);
	fed_bytes_clear(&out);
	/* json_dumps() would copy it once more, and not say how long it is */
	if (!json || json_dump_callback(json, _put, &out, JSON_COMPACT)) {
		fed_bytes_free(&out);
		return NULL;
	}
	if (ret_len)
		*ret_len = out.len;
	fed_put_u8(&out, '\0');
	/* some are kept for long: no more than it needs */
	return fed_realloc(out.data, out.len);
}
