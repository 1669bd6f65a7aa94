/*
 * record.h - a structure's fields as a table: each filled with a value of its
 * own, so that two that were swapped are seen, and compared again.
 */
#ifndef FED_UNIT_RECORD_H
#define FED_UNIT_RECORD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/sibling/compat.h"

typedef enum {
	RECORD_U8,
	RECORD_U16,
	RECORD_U32,
	RECORD_U64,
	RECORD_TIME,
	RECORD_DOUBLE,
	RECORD_STR,
	RECORD_TRES,	/* a string that Slurm takes apart */
} record_kind_t;

typedef struct {
	const char *name;
	size_t offset;
	record_kind_t kind;
	uint16_t since;	/* not sent in earlier versions */
} record_field_t;

/* An entry of a table of type's fields, type being defined where it is used */
#define RECORD_SINCE(version, field_kind, field) \
	{ #field, offsetof(RECORD_TYPE, field), RECORD_##field_kind, version }
#define RECORD(field_kind, field) RECORD_SINCE(0, field_kind, field)

/* The same, its comma included, of a field that not all releases have */
#define RECORD_COMMA ,
#define RECORD_IF_24_11(version, field_kind, field) \
	COMPAT_IF_24_11(RECORD_SINCE(version, field_kind, field) \
			RECORD_COMMA, )
#define RECORD_IF_22_05(field_kind, field) \
	COMPAT_IF_22_05(RECORD(field_kind, field) RECORD_COMMA, )

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Set one field to a value that number makes. */
static inline void record_set(void *record, const record_field_t *field,
			      uint32_t number)
{
	char *at = (char *) record + field->offset;

	switch (field->kind) {
	case RECORD_U8:
		*(uint8_t *) at = 1 + number % 255;
		break;
	case RECORD_U16:
		*(uint16_t *) at = 1000 + number;
		break;
	case RECORD_U32:
		*(uint32_t *) at = 0x7a000000 + number;
		break;
	case RECORD_U64:
		*(uint64_t *) at = 0x7b000000 + number;
		break;
	case RECORD_TIME:
		*(time_t *) at = 1700000000 + number;
		break;
	case RECORD_DOUBLE:
		*(double *) at = number + 0.5;
		break;
	case RECORD_STR:
		*(char **) at = xstrdup_printf("%s of %u", field->name,
					       number);
		break;
	case RECORD_TRES:
		*(char **) at = xstrdup_printf(
			COMPAT_IF_24_11("gres/gpu:%u", "gres:gpu:%u"), number);
		break;
	}
}

/* RET the field's value as text, to be freed; NULL for a NULL string */
static inline char *record_text(const void *record,
				const record_field_t *field)
{
	const char *at = (const char *) record + field->offset;
	char *text = NULL;
	int rc = 0;

	switch (field->kind) {
	case RECORD_U8:
		rc = asprintf(&text, "%u", *(const uint8_t *) at);
		break;
	case RECORD_U16:
		rc = asprintf(&text, "%u", *(const uint16_t *) at);
		break;
	case RECORD_U32:
		rc = asprintf(&text, "%u", *(const uint32_t *) at);
		break;
	case RECORD_U64:
		rc = asprintf(&text, "%lu", *(const uint64_t *) at);
		break;
	case RECORD_TIME:
		rc = asprintf(&text, "%ld", *(const time_t *) at);
		break;
	case RECORD_DOUBLE:
		rc = asprintf(&text, "%f", *(const double *) at);
		break;
	case RECORD_STR:
	case RECORD_TRES:
		if (*(char *const *) at)
			rc = asprintf(&text, "%s", *(char *const *) at);
		break;
	}
	assert_true(rc >= 0);
	return text;
}

/*
 * Every field of got is as in sent, and those that version lacks as in none.
 */
static inline void record_compare(const record_field_t *fields, size_t count,
				  const void *sent, const void *got,
				  const void *none, uint16_t version)
{
	for (size_t i = 0; i < count; i++) {
		const record_field_t *field = &fields[i];
		char *has = record_text(got, field);
		char *should = record_text((version >= field->since) ? sent :
					   none, field);

		if ((has && should) ? strcmp(has, should) : (has != should))
			fail_msg("version 0x%x: %s is %s and not %s", version,
				 field->name, has, should);
		free(has);
		free(should);
	}
}

#endif
