/*
 * field_json.c - structs described by a table, to and from JSON (see field.h).
 *
 * What is not said is left out on the way there and stays unsaid on the way
 * back; a wrong type or a value out of range is an error that names the field.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/base64.h"
#include "src/flurm/field.h"
#include "src/flurm/state.h"
#include "src/flurm/unset.h"

extern json_t *field_text_to_json(const char *text)
{
	json_t *json = json_string(text);
	char *base64;

	if (json)
		return json;
	/* not UTF-8, or no memory: then this fails too */
	base64 = flurm_base64_encode(text, strlen(text));
	json = json_pack("{s:s}", "b64", base64);
	free(base64);
	return json;
}

extern char *field_text_from_json(const json_t *json, const char *name,
				  int64_t max, fed_err_t *err)
{
	const json_t *base64 = json_object_get(json, "b64");
	char *text;
	size_t len;

	if (json_is_string(json)) {
		len = json_string_length(json);
		text = fed_memdup(json_string_value(json), len);
	} else if (json_is_string(base64)) {
		text = flurm_base64_decode(json_string_value(base64),
					   json_string_length(base64), &len);
		if (!text) {
			fed_err_set(err, EINVAL, "%s: b64 is not base64", name);
			return NULL;
		}
	} else {
		fed_err_set(err, EINVAL, "%s: not a string", name);
		return NULL;
	}
	if ((int64_t) len > max) {
		fed_err_set(err, EINVAL, "%s: longer than %" PRId64 " bytes",
			    name, max);
	} else if (strlen(text) != len) {
		fed_err_set(err, EINVAL, "%s: a NUL byte in it", name);
	} else {
		return text;
	}
	free(text);
	return NULL;
}

static json_t *_list_to_json(char *const *list)
{
	json_t *array = json_array();

	for (; array && *list; list++) {
		if (json_array_append_new(array,
					  field_text_to_json(*list)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static int _list_from_json(const field_t *field, const json_t *json,
			   char ***ret_list, fed_err_t *err)
{
	size_t count = json_array_size(json);
	char **list;

	if (!json_is_array(json))
		return fed_err_set(err, EINVAL, "%s: not a list", field->name);
	list = fed_calloc(count + 1, sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		list[i] = field_text_from_json(json_array_get(json, i),
					       field->name, field->max, err);
		if (list[i])
			continue;
		fed_err_prefix(err, "element %zu", i);
		while (i--)
			free(list[i]);
		free(list);
		return -1;
	}
	*ret_list = list;
	return 0;
}

/* RET a new reference, or NULL without memory; ret_said tells if it is said */
static json_t *_to_json(const field_t *field, const void *at, bool *ret_said)
{
	const char *text;
	int64_t number = 0;

	*ret_said = true;
	switch (field->type) {
	case FIELD_TEXT:
		text = *(char *const *) at;
		if (text)
			return field_text_to_json(text);
		break;
	case FIELD_LIST:
		if (*(char **const *) at)
			return _list_to_json(*(char **const *) at);
		break;
	case FIELD_U32:
		number = *(const uint32_t *) at;
		if (number)
			return json_integer(number);
		break;
	case FIELD_U64:
		number = *(const int64_t *) at;
		if (number)
			return json_integer(number);
		break;
	case FIELD_NUMBER:
	case FIELD_DURATION:
		number = *(const int64_t *) at;
		if ((field->type == FIELD_DURATION) &&
		    (number == FLURM_UNLIMITED))
			return json_string_nocheck("unlimited");
		if (number != FLURM_UNSET)
			return json_integer(number);
		break;
	case FIELD_FLAG:
		if (*(const flurm_flag_t *) at != FLURM_MAYBE)
			return json_boolean(*(const flurm_flag_t *) at ==
					    FLURM_YES);
		break;
	case FIELD_STATE:
		if (*(const flurm_state_t *) at != FLURM_STATE_COUNT)
			return json_string_nocheck(flurm_state_name(
				*(const flurm_state_t *) at));
		break;
	}
	*ret_said = false;
	return NULL;
}

static int _number_from_json(const field_t *field, const json_t *json,
			     int64_t *ret_number, fed_err_t *err)
{
	const char *other = (field->type == FIELD_DURATION) ?
		" or \"unlimited\"" : "";
	json_int_t number = json_integer_value(json);

	if ((field->type == FIELD_DURATION) && json_is_string(json) &&
	    !strcmp(json_string_value(json), "unlimited")) {
		*ret_number = FLURM_UNLIMITED;
		return 0;
	}
	if (!json_is_integer(json))
		return fed_err_set(err, EINVAL, "%s: not an integer%s",
				   field->name, other);
	if ((number < field->min) || (number > field->max))
		return fed_err_set(err, EINVAL, "%s: %" JSON_INTEGER_FORMAT
				   " is not from %" PRId64 " to %" PRId64 "%s",
				   field->name, number, field->min, field->max,
				   other);
	*ret_number = number;
	return 0;
}

static int _from_json(const field_t *field, const json_t *json, void *at,
		      fed_err_t *err)
{
	int64_t number = 0;

	switch (field->type) {
	case FIELD_TEXT:
		*(char **) at = field_text_from_json(json, field->name,
						     field->max, err);
		return *(char **) at ? 0 : -1;
	case FIELD_LIST:
		return _list_from_json(field, json, at, err);
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_NUMBER:
	case FIELD_DURATION:
		if (_number_from_json(field, json, &number, err) < 0)
			return -1;
		if (field->type == FIELD_U32)
			*(uint32_t *) at = number;
		else
			*(int64_t *) at = number;
		return 0;
	case FIELD_FLAG:
		if (!json_is_boolean(json))
			return fed_err_set(err, EINVAL,
					   "%s: neither true nor false",
					   field->name);
		*(flurm_flag_t *) at = json_is_true(json) ? FLURM_YES :
							    FLURM_NO;
		return 0;
	case FIELD_STATE:
		if (!json_is_string(json) ||
		    (flurm_state_parse(json_string_value(json), at) < 0))
			return fed_err_set(err, EINVAL, "%s: not a job state",
					   field->name);
		return 0;
	}
	return -1;
}

extern int field_to_json(const field_table_t *table, const void *record,
			 json_t *object)
{
	for (size_t i = 0; i < table->count; i++) {
		const field_t *field = &table->fields[i];
		bool said;
		json_t *json = _to_json(field,
					(const char *) record + field->offset,
					&said);

		if (said && (json_object_set_new_nocheck(object, field->name,
							 json) < 0))
			return -1;
	}
	return 0;
}

extern int field_from_json(const field_table_t *table, const json_t *object,
			   void *ret_record, fed_err_t *err)
{
	if (!json_is_object(object))
		return fed_err_set(err, EINVAL, "%s: not an object",
				   table->noun);
	for (size_t i = 0; i < table->count; i++) {
		const field_t *field = &table->fields[i];
		const json_t *json = json_object_get(object, field->name);

		if (!json || json_is_null(json)) {
			if (!field->required)
				continue;
			return fed_err_set(err, EINVAL, "%s: missing",
					   field->name);
		}
		if (_from_json(field, json,
			       (char *) ret_record + field->offset, err) < 0)
			return -1;
	}
	return 0;
}
