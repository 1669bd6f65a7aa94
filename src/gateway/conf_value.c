/*
 * conf_value.c - values as they are written in gateway.conf (see conf_value.h).
 */
#include "src/gateway/conf_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/gateway/conf.h"

#define NAME_MAX_LEN 64
#define SPAN_PART_MAX (1000 * 24 * 3600)

extern int gw_conf_parse_number(const char *text, int64_t min, int64_t max,
				int64_t *ret_number)
{
	long long number;
	char *end;

	if (!isdigit((unsigned char) *text))
		return -1;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || *end || (number < min) || (number > max))
		return -1;
	*ret_number = number;
	return 0;
}

extern int gw_conf_parse_flag(const char *text, bool *ret_flag)
{
	if (!strcasecmp(text, "yes") || !strcasecmp(text, "true"))
		*ret_flag = true;
	else if (!strcasecmp(text, "no") || !strcasecmp(text, "false"))
		*ret_flag = false;
	else
		return -1;
	return 0;
}

extern bool gw_conf_is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	while (*choices) {
		size_t choice = strcspn(choices, "|");

		if ((choice == len) && !strncmp(choices, value, len))
			return true;
		choices += choice + (choices[choice] == '|');
	}
	return false;
}

extern bool gw_conf_is_name(const char *value)
{
	if (!*value || (strlen(value) > NAME_MAX_LEN))
		return false;
	for (; *value; value++)
		if (!isalnum((unsigned char) *value) &&
		    !strchr("-_.", *value))
			return false;
	return true;
}

extern int gw_conf_parse_span(const char *text, int64_t *ret_seconds)
{
	int64_t part[3] = { 0 }, days = 0;
	bool has_days = false;
	int count = 0;

	if (!strcasecmp(text, "unlimited") || !strcasecmp(text, "infinite")) {
		*ret_seconds = GW_NO_LIMIT;
		return 0;
	}
	while (true) {
		char *end;

		if (!isdigit((unsigned char) *text) || (count == 3))
			return -1;
		errno = 0;
		part[count] = strtoll(text, &end, 10);
		if (errno || (part[count] > SPAN_PART_MAX))
			return -1;
		if ((*end == '-') && !count && !has_days) {
			days = part[0];
			has_days = true;
		} else {
			count++;
		}
		if (!*end)
			break;
		if ((*end != '-') && (*end != ':'))
			return -1;
		if ((*end == '-') && count)
			return -1;
		text = end + 1;
	}
	if (has_days)
		*ret_seconds = ((days * 24 + part[0]) * 60 + part[1]) * 60 +
			part[2];
	else if (count == 3)
		*ret_seconds = (part[0] * 60 + part[1]) * 60 + part[2];
	else
		*ret_seconds = part[0] * 60 + part[1];
	return 0;
}
