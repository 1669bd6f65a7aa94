/*
 * sim_plan.c - what a job of backend sim will do (see sim_plan.h).
 */
#include "fed_config.h"

#include "src/gateway/sim_plan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARK "#FLURM sim"
#define SECONDS_MAX 1e9

/* RET 0 to 1, never 0 itself; another one for each salt */
static double _draw(uint32_t fed_job_id, uint32_t epoch, uint64_t salt)
{
	uint64_t bits = (uint64_t) fed_job_id << 32 | epoch;

	/* splitmix64 */
	bits += (salt + 1) * 0x9e3779b97f4a7c15ULL;
	bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9ULL;
	bits = (bits ^ bits >> 27) * 0x94d049bb133111ebULL;
	bits ^= bits >> 31;
	return ((bits >> 11) + 1) / 9007199254740993.0;
}

static int _milliseconds(const char *word, const char *value, int64_t *ret_ms,
			 fed_err_t *err)
{
	char *end;
	double seconds = strtod(value, &end);

	if ((end == value) || *end || !(seconds >= 0) ||
	    (seconds > SECONDS_MAX))
		return fed_err_set(err, EINVAL, "script: " MARK ": %s: not a "
				   "number of seconds", word);
	*ret_ms = seconds * 1000;
	return 0;
}

static int _number(const char *word, const char *value, int64_t max,
		   int64_t *ret_number, fed_err_t *err)
{
	char *end;
	long long number = strtoll(value, &end, 10);

	if ((end == value) || *end || (number < 0) || (number > max))
		return fed_err_set(err, EINVAL, "script: " MARK ": %s: not a "
				   "number from 0 to %lld", word,
				   (long long) max);
	*ret_number = number;
	return 0;
}

/* "exit=3" */
static int _take_word(char *word, sim_plan_t *plan, fed_err_t *err)
{
	char *value = strchr(word, '=');
	int64_t number = 0;
	int rc;

	if (!value)
		return fed_err_set(err, EINVAL, "script: " MARK ": %s has no "
				   "value", word);
	*value++ = '\0';
	if (!strcmp(word, "duration"))
		return _milliseconds(word, value, &plan->duration_ms, err);
	if (!strcmp(word, "start"))
		return _milliseconds(word, value, &plan->start_ms, err);
	if (!strcmp(word, "oom"))
		return _milliseconds(word, value, &plan->oom_ms, err);
	if (!strcmp(word, "rss"))
		return _number(word, value, INT64_MAX, &plan->max_rss_kb, err);
	if (!strcmp(word, "exit")) {
		rc = _number(word, value, 255, &number, err);
		plan->exit_code = number;
		return rc;
	}
	if (!strcmp(word, "signal")) {
		rc = _number(word, value, 64, &number, err);
		plan->signal = number;
		return rc;
	}
	if (!strcmp(word, "start_fails")) {
		rc = _number(word, value, UINT32_MAX, &number, err);
		plan->start_fails = number;
		return rc;
	}
	if (!strcmp(word, "term")) {
		plan->ignores_term = !strcmp(value, "ignore");
		if (plan->ignores_term || !strcmp(value, "obey"))
			return 0;
		return fed_err_set(err, EINVAL, "script: " MARK ": term: "
				   "neither obey nor ignore");
	}
	return fed_err_set(err, EINVAL, "script: " MARK ": there is no \"%s\"",
			   word);
}

static int _take_line(const char *line, size_t len, sim_plan_t *plan,
		      fed_err_t *err)
{
	char text[512], *rest = text, *word;

	if (len >= sizeof(text))
		return fed_err_set(err, EINVAL, "script: " MARK ": a line of "
				   "%zu bytes", len);
	memcpy(text, line, len);
	text[len] = '\0';
	while ((word = strsep(&rest, " \t\r")))
		if (*word && (_take_word(word, plan, err) < 0))
			return -1;
	return 0;
}

extern int sim_plan_read(const char *script, uint32_t fed_job_id,
			 uint32_t epoch, const sim_lot_t *lot,
			 sim_plan_t *ret_plan, fed_err_t *err)
{
	sim_plan_t plan = {
		.duration_ms = -log(_draw(fed_job_id, epoch, 0)) *
			lot->mean_ms,
		.oom_ms = -1,
		.exit_code = _draw(fed_job_id, epoch, 1) * 100 <=
			lot->failures,
	};
	const size_t mark = sizeof(MARK) - 1;

	for (const char *line = script; line && *line;) {
		size_t len = strchrnul(line, '\n') - line;

		if ((len > mark) && !strncmp(line, MARK, mark) &&
		    strchr(" \t", line[mark]) &&
		    (_take_line(line + mark, len - mark, &plan, err) < 0))
			return -1;
		line += len + (line[len] == '\n');
	}
	*ret_plan = plan;
	return 0;
}
