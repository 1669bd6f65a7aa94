/*
 * field_pack.c - structs described by a table, as text for a record of their
 * owner's (see field.h).
 *
 * Each field that is said is NAME=LENGTH:BYTES, numbers in decimal. Of a list
 * that says how many elements follow, each as NAME+LENGTH:BYTES. Nothing is
 * escaped, and as no text of the model has a NUL byte, neither has this.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/field.h"
#include "src/flurm/state.h"
#include "src/flurm/unset.h"

#define DIGITS_MAX 24

/*
 * A job has dozens of these: snprintf() would be most of the work.
 * IN end - of room for DIGITS_MAX, the last digit goes before it
 * RET the first digit
 */
static char *_digits(char *end, uint64_t number)
{
	do {
		*--end = '0' + number % 10;
		number /= 10;
	} while (number);
	return end;
}

static void _put(fed_bytes_t *bytes, const char *name, char mark,
		 const char *value, size_t len)
{
	char head[DIGITS_MAX + 2], *end = head + sizeof(head), *at;

	*--end = ':';
	at = _digits(end, len);
	*--at = mark;
	fed_put_raw(bytes, name, strlen(name));
	fed_put_raw(bytes, at, end + 1 - at);
	fed_put_raw(bytes, value, len);
}

static void _put_number(fed_bytes_t *bytes, const char *name, int64_t number)
{
	char text[DIGITS_MAX], *end = text + sizeof(text);
	char *at = _digits(end, (number < 0) ? -(uint64_t) number :
						(uint64_t) number);

	if (number < 0)
		*--at = '-';
	_put(bytes, name, '=', at, end - at);
}

static void _pack_list(const field_t *field, char *const *list,
		       fed_bytes_t *bytes)
{
	size_t count = 0;

	while (list[count])
		count++;
	_put_number(bytes, field->name, count);
	for (size_t i = 0; i < count; i++)
		_put(bytes, field->name, '+', list[i], strlen(list[i]));
}

static void _pack(const field_t *field, const void *at, fed_bytes_t *bytes)
{
	const char *text;

	switch (field->type) {
	case FIELD_TEXT:
		text = *(char *const *) at;
		_put(bytes, field->name, '=', text, strlen(text));
		break;
	case FIELD_LIST:
		_pack_list(field, *(char **const *) at, bytes);
		break;
	case FIELD_U32:
		_put_number(bytes, field->name, *(const uint32_t *) at);
		break;
	case FIELD_U64:
	case FIELD_NUMBER:
	case FIELD_DURATION:
		_put_number(bytes, field->name, *(const int64_t *) at);
		break;
	case FIELD_FLAG:
		_put_number(bytes, field->name, *(const flurm_flag_t *) at);
		break;
	case FIELD_STATE:
		_put_number(bytes, field->name, *(const flurm_state_t *) at);
		break;
	}
}

extern void field_pack(const field_table_t *table, const void *record,
		       bool bulk, fed_bytes_t *bytes)
{
	for (size_t i = 0; i < table->count; i++) {
		const field_t *field = &table->fields[i];
		const char *at = (const char *) record + field->offset;

		if ((field->bulk == bulk) && field_said(field, at))
			_pack(field, at, bytes);
	}
}

/* one item of the text */
typedef struct {
	const char *name;
	size_t name_len;
	char mark;
	const char *value;
	size_t len;
} item_t;

/* Take the next item from *text. RET 0, or -1 if there is none */
static int _next(const char **text, const char *end, item_t *ret_item)
{
	item_t item = { .name = *text };
	char *colon;

	item.name_len = strcspn(item.name, "=+");
	item.mark = item.name[item.name_len];
	if (!item.mark)
		return -1;
	item.len = strtoul(item.name + item.name_len + 1, &colon, 10);
	if ((*colon != ':') || (item.len > (size_t) (end - colon - 1)))
		return -1;
	item.value = colon + 1;
	*text = item.value + item.len;
	*ret_item = item;
	return 0;
}

/*
 * Packed in the table's order, so the search goes on where it was.
 * RET NULL if there is no such field
 */
static const field_t *_find(const field_table_t *table, const item_t *item,
			    size_t *at)
{
	for (size_t tried = 0; tried < table->count; tried++) {
		const field_t *field = &table->fields[*at];

		if (!strncmp(field->name, item->name, item->name_len) &&
		    !field->name[item->name_len])
			return field;
		*at = (*at + 1) % table->count;
	}
	return NULL;
}

/* the list that is being read */
typedef struct {
	const field_t *field;
	char **items;		/* the record's */
	size_t count;
	size_t left;
} list_t;

/* RET 0, or -1 if its elements cannot all be in the rest of the text */
static int _begin_list(const field_t *field, int64_t count, size_t rest,
		       void *at, list_t *list)
{
	if ((count < 0) || ((uint64_t) count > rest) || *(char ***) at)
		return -1;
	*(char ***) at = fed_calloc(count + 1, sizeof(char *));
	*list = (list_t) { field, *(char ***) at, 0, count };
	return 0;
}

static int _add_to_list(const field_t *field, const item_t *item, list_t *list)
{
	if ((list->field != field) || !list->left)
		return -1;
	list->items[list->count++] = fed_memdup(item->value, item->len);
	list->left--;
	return 0;
}

/* RET 0, or -1 if it is no value of this field */
static int _unpack(const field_t *field, const item_t *item, size_t rest,
		   void *at, list_t *list)
{
	int64_t number = strtoll(item->value, NULL, 10);

	if (item->mark == '+')
		return _add_to_list(field, item, list);
	switch (field->type) {
	case FIELD_TEXT:
		free(*(char **) at);
		*(char **) at = fed_memdup(item->value, item->len);
		break;
	case FIELD_LIST:
		return _begin_list(field, number, rest, at, list);
	case FIELD_U32:
		*(uint32_t *) at = number;
		break;
	case FIELD_U64:
	case FIELD_NUMBER:
	case FIELD_DURATION:
		*(int64_t *) at = number;
		break;
	case FIELD_FLAG:
		*(flurm_flag_t *) at = (number > 0) ? FLURM_YES : FLURM_NO;
		break;
	case FIELD_STATE:
		if ((number < 0) || (number >= FLURM_STATE_COUNT))
			return -1;
		*(flurm_state_t *) at = number;
		break;
	}
	return 0;
}

extern int field_unpack(const field_table_t *table, const char *text,
			void *ret_record, fed_err_t *err)
{
	const char *end = text + strlen(text);
	list_t list = { 0 };
	size_t at = 0;
	item_t item;

	while (text < end) {
		const field_t *field;

		if (_next(&text, end, &item) < 0)
			return fed_err_set(err, EPROTO, "%s: damaged",
					   table->noun);
		field = _find(table, &item, &at);
		if (!field)
			return fed_err_set(err, EPROTO, "%s: no field %.*s: "
					   "written by a newer release?",
					   table->noun, (int) item.name_len,
					   item.name);
		if (_unpack(field, &item, end - text, (char *) ret_record +
			    field->offset, &list) < 0)
			return fed_err_set(err, EPROTO, "%s: damaged",
					   field->name);
	}
	if (list.left)
		return fed_err_set(err, EPROTO, "%s: damaged",
				   list.field->name);
	return 0;
}
