/*
 * hostlist.c - many names of nodes in one expression (see hostlist.h).
 *
 * One pass: a group goes on as long as names have the same text before their
 * number and the same width; within it, numbers that count up are a range.
 */
#include "fed_config.h"

#include "src/gateway/hostlist.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"

#define MAX_DIGITS 9

typedef struct {
	const char *name;
	size_t prefix;		/* bytes before the number */
	size_t width;		/* digits; 0: no number */
	unsigned long number;
} part_t;

static part_t _part(const char *name)
{
	size_t len = strlen(name), width = 0;

	while ((width < len) && (width < MAX_DIGITS) &&
	       isdigit((unsigned char) name[len - width - 1]))
		width++;
	return (part_t) {
		.name = name,
		.prefix = len - width,
		.width = width,
		.number = width ? strtoul(name + len - width, NULL, 10) : 0,
	};
}

static bool _same_group(const part_t *a, const part_t *b)
{
	return a->width && (a->width == b->width) &&
		(a->prefix == b->prefix) &&
		!strncmp(a->name, b->name, a->prefix);
}

/* One group, of at least one name. RET the index of the name after it */
static size_t _print_group(FILE *out, size_t at, size_t count,
			   const char *(*name)(size_t index, const void *arg),
			   const void *arg)
{
	part_t first = _part(name(at, arg)), last = first, next;
	unsigned long begin = first.number;
	bool bracket = false;

	for (at++; at < count; at++, last = next) {
		next = _part(name(at, arg));
		if (!_same_group(&first, &next))
			break;
		if (!bracket)
			fprintf(out, "%.*s[", (int) first.prefix, first.name);
		bracket = true;
		if (next.number == last.number + 1)
			continue;
		fprintf(out, "%0*lu", (int) first.width, begin);
		if (last.number != begin)
			fprintf(out, "-%0*lu", (int) first.width, last.number);
		fprintf(out, ",");
		begin = next.number;
	}
	if (!bracket) {
		fprintf(out, "%s", first.name);
		return at;
	}
	fprintf(out, "%0*lu", (int) first.width, begin);
	if (last.number != begin)
		fprintf(out, "-%0*lu", (int) first.width, last.number);
	fprintf(out, "]");
	return at;
}

extern char *gw_hostlist(const char *(*name)(size_t index, const void *arg),
			 size_t count, const void *arg)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (!(out = open_memstream(&text, &len)))
		return fed_strdup("");
	for (size_t at = 0; at < count;) {
		if (at)
			fprintf(out, ",");
		at = _print_group(out, at, count, name, arg);
	}
	if (fclose(out)) {
		free(text);
		return fed_strdup("");
	}
	return text;
}
