/*
 * log.c - one way to say something, whoever hosts us (see log.h).
 */
#include "src/core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define LINE_MAX_BYTES 2048

static void _stderr_sink(fed_log_level_t level, const char *text)
{
	static const char *const names[] = {
		[FED_LOG_ERROR] = "error: ",
		[FED_LOG_INFO] = "",
		[FED_LOG_VERBOSE] = "",
		[FED_LOG_DEBUG] = "debug: ",
	};

	fprintf(stderr, "fed_flurm: %s%s\n", names[level], text);
}

static fed_log_sink_t log_sink = _stderr_sink;
static fed_log_level_t log_max = FED_LOG_INFO;

extern void fed_log_init(fed_log_sink_t sink, fed_log_level_t max_level)
{
	__atomic_store_n(&log_sink, sink ? sink : _stderr_sink,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&log_max, max_level, __ATOMIC_RELEASE);
}

extern bool fed_log_on(fed_log_level_t level)
{
	return level <= __atomic_load_n(&log_max, __ATOMIC_ACQUIRE);
}

static void _say(fed_log_level_t level, const char *text)
{
	__atomic_load_n(&log_sink, __ATOMIC_ACQUIRE)(level, text);
}

extern void fed_log(fed_log_level_t level, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;

	if (!fed_log_on(level))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	_say(level, text);
}

/* FNV-1a: only to tell one complaint from another */
static uint32_t _hash(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char) *text) * 16777619u;
	return hash;
}

/* RET seconds of a clock that is never set; 0 stands for "never" */
static int64_t _now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec ? now.tv_sec : 1;
}

static bool _is_recent(int64_t said_at, int64_t now)
{
	return said_at && (now - said_at < FED_LOG_REPEAT_SECONDS);
}

extern bool fed_log_throttled(fed_log_throttle_t *throttle,
			      fed_log_level_t level, const char *fmt, ...)
{
	int64_t now = _now();
	char text[LINE_MAX_BYTES];
	uint32_t hash;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	hash = _hash(text);
	if ((throttle->text_hash == hash) &&
	    _is_recent(throttle->said_at, now)) {
		throttle->suppressed++;
		return false;
	}
	if (throttle->suppressed && (throttle->text_hash == hash))
		fed_log(level, "%s (and %u times before)", text,
			throttle->suppressed);
	else
		fed_log(level, "%s", text);
	throttle->said_at = now;
	throttle->text_hash = hash;
	throttle->suppressed = 0;
	return true;
}

/* LOCKED. RET where to note the text; NULL: it is there, or *ret_full */
static int64_t *_place(fed_log_texts_t *texts, uint32_t hash, int64_t now,
		       bool *ret_full)
{
	int place = -1;

	*ret_full = false;
	for (int i = 0; i < FED_LOG_TEXTS; i++) {
		if (!_is_recent(texts->said[i].said_at, now))
			place = i;
		else if (texts->said[i].text_hash == hash)
			return NULL;
	}
	*ret_full = (place < 0);
	if (*ret_full)
		return NULL;
	texts->said[place].text_hash = hash;
	return &texts->said[place].said_at;
}

extern bool fed_log_once(fed_log_texts_t *texts, fed_log_level_t level,
			 const char *fmt, ...)
{
	int64_t *said_at, now = _now();
	char text[LINE_MAX_BYTES];
	va_list ap;
	bool full;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	pthread_mutex_lock(&texts->lock);
	said_at = _place(texts, _hash(text), now, &full);
	if (full && !_is_recent(texts->full_at, now))
		said_at = &texts->full_at;
	if (said_at)
		*said_at = now;
	pthread_mutex_unlock(&texts->lock);
	if (!said_at)
		return false;
	fed_log(level, "%s%s", text,
		full ? " (and more of this kind, which is not told for a while)" : "");
	return true;
}
