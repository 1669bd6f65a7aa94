/*
 * field.c - structs described by a table: their life in memory (see field.h;
 * field_json.c has their JSON, field_pack.c the text that an owner keeps).
 */
#include "src/flurm/field.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/state.h"
#include "src/flurm/unset.h"

static size_t _size(field_type_t type)
{
	switch (type) {
	case FIELD_TEXT:
		return sizeof(char *);
	case FIELD_LIST:
		return sizeof(char **);
	case FIELD_U32:
		return sizeof(uint32_t);
	case FIELD_U64:
	case FIELD_NUMBER:
	case FIELD_DURATION:
		return sizeof(int64_t);
	case FIELD_FLAG:
		return sizeof(flurm_flag_t);
	case FIELD_STATE:
		return sizeof(flurm_state_t);
	}
	return 0;
}

static void _clear(const field_t *field, void *at)
{
	switch (field->type) {
	case FIELD_NUMBER:
	case FIELD_DURATION:
		*(int64_t *) at = FLURM_UNSET;
		break;
	case FIELD_STATE:
		*(flurm_state_t *) at = FLURM_STATE_COUNT;
		break;
	default:
		memset(at, 0, _size(field->type));
	}
}

extern bool field_said(const field_t *field, const void *at)
{
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_LIST:
		return *(void *const *) at;
	case FIELD_U32:
		return *(const uint32_t *) at;
	case FIELD_U64:
		return *(const uint64_t *) at;
	case FIELD_NUMBER:
	case FIELD_DURATION:
		return *(const int64_t *) at != FLURM_UNSET;
	case FIELD_FLAG:
		return *(const flurm_flag_t *) at != FLURM_MAYBE;
	case FIELD_STATE:
		return *(const flurm_state_t *) at != FLURM_STATE_COUNT;
	}
	return false;
}

static void _drop_list(char **list)
{
	if (!list)
		return;
	for (char **item = list; *item; item++)
		free(*item);
	free(list);
}

static char **_copy_list(char *const *list)
{
	size_t count = 0;
	char **copy;

	while (list[count])
		count++;
	copy = fed_calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = fed_strdup(list[i]);
	return copy;
}

static void _drop(const field_t *field, void *at)
{
	if (field->type == FIELD_TEXT)
		free(*(char **) at);
	else if (field->type == FIELD_LIST)
		_drop_list(*(char ***) at);
	_clear(field, at);
}

/* Make the field at to what it is at from, which is said. */
static void _assign(const field_t *field, void *to, const void *from)
{
	_drop(field, to);
	if (field->type == FIELD_TEXT)
		*(char **) to = fed_strdup(*(char *const *) from);
	else if (field->type == FIELD_LIST)
		*(char ***) to = _copy_list(*(char **const *) from);
	else
		memcpy(to, from, _size(field->type));
}

extern void field_init(const field_table_t *table, void *record)
{
	for (size_t i = 0; i < table->count; i++)
		_clear(&table->fields[i],
		       (char *) record + table->fields[i].offset);
}

extern void field_free(const field_table_t *table, void *record)
{
	for (size_t i = 0; i < table->count; i++)
		_drop(&table->fields[i],
		      (char *) record + table->fields[i].offset);
}

extern void field_copy(const field_table_t *table, void *ret_record,
		       const void *record)
{
	for (size_t i = 0; i < table->count; i++) {
		const field_t *field = &table->fields[i];
		const char *from = (const char *) record + field->offset;

		if (field_said(field, from))
			_assign(field, (char *) ret_record + field->offset,
				from);
	}
}

static bool _equal(const field_t *field, const void *a, const void *b)
{
	if (!field_said(field, a) || !field_said(field, b))
		return field_said(field, a) == field_said(field, b);
	if (field->type == FIELD_TEXT)
		return !strcmp(*(char *const *) a, *(char *const *) b);
	return (field->type != FIELD_LIST) &&
	       !memcmp(a, b, _size(field->type));
}

extern bool field_equal(const field_table_t *table, const void *a,
			const void *b)
{
	for (size_t i = 0; i < table->count; i++) {
		const field_t *field = &table->fields[i];

		if (!_equal(field, (const char *) a + field->offset,
			    (const char *) b + field->offset))
			return false;
	}
	return true;
}

extern void field_merge(const field_table_t *table, void *record,
			const void *change, bool clear)
{
	for (size_t i = 0; i < table->count; i++) {
		const field_t *field = &table->fields[i];
		const char *from = (const char *) change + field->offset;
		char *to = (char *) record + field->offset;

		if (field->identity || !field_said(field, from))
			continue;
		if (clear && (field->type == FIELD_TEXT) &&
		    !**(char *const *) from)
			_drop(field, to);
		else
			_assign(field, to, from);
	}
}
