/*
 * err.c - an error with its story (see err.h).
 */
#include "src/core/err.h"

#include <stdio.h>
#include <string.h>

extern int fed_err_set(fed_err_t *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -1;
}

extern int fed_err_prefix(fed_err_t *err, const char *fmt, ...)
{
	char old[FED_ERR_TEXT_MAX];
	va_list ap;
	size_t len;

	if (!err)
		return -1;
	memcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", old);
	return -1;
}
