/*
 * ledger_types.c - what the records of our programs' ledgers mean (see
 * ledger_types.h).
 *
 * One line per type, next to the others of its program. A type without an
 * entry is shown by its number, a body without a decoder in hex, so that a
 * ledger of a newer release can be looked at too.
 */
#include "src/flurmfed/ledger_types.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/core/bytes.h"

static bool _print_count(const void *body, size_t len)
{
	fed_reader_t reader;
	uint64_t count;

	fed_reader_init(&reader, body, len);
	count = fed_get_u64(&reader);
	if (!fed_reader_done(&reader))
		return false;
	printf("%" PRIu64 " records", count);
	return true;
}

static const struct {
	const char *app;	/* NULL: every ledger */
	uint16_t type;
	const char *name;
	bool (*print)(const void *body, size_t len);
} types[] = {
	{ NULL, 0, "snapshot-end", _print_count },
};

static int _find(const char *app, uint16_t type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((types[i].type == type) &&
		    (!types[i].app || !strcmp(types[i].app, app)))
			return i;
	return -1;
}

extern const char *ledger_type_name(const char *app, uint16_t type)
{
	int i = _find(app, type);

	return i < 0 ? NULL : types[i].name;
}

extern bool ledger_type_print(const char *app, uint16_t type, const void *body,
			      size_t len)
{
	int i = _find(app, type);

	return (i >= 0) && types[i].print && types[i].print(body, len);
}
