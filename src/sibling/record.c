/*
 * record.c - what the bodies of records have in common (record.h).
 */
#include "src/sibling/record.h"

#include <stdlib.h>

#include "src/sibling/compat.h"

extern char *record_get_str(fed_reader_t *reader)
{
	char *text = fed_get_str(reader), *copy = xstrdup(text);

	free(text);
	return copy;
}
