/*
 * log.h - one way to say something, whoever hosts us.
 *
 * The host names the sink once at start: Slurm's log in the plugin, stderr in
 * the daemons, a recorder in the tests. Until then lines go to stderr.
 * Everything here may be called from any thread.
 */
#ifndef FED_CORE_LOG_H
#define FED_CORE_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
	FED_LOG_ERROR,		/* something an administrator must know */
	FED_LOG_INFO,		/* a change of state worth a line */
	FED_LOG_VERBOSE,	/* details of normal work */
	FED_LOG_DEBUG,		/* for the one who reads the code */
} fed_log_level_t;

/* text has no trailing newline and is valid only during the call */
typedef void (*fed_log_sink_t)(fed_log_level_t level, const char *text);

/*
 * Name the sink and the highest level that reaches it.
 * IN sink - NULL for stderr ("fed_flurm: error: text")
 */
extern void fed_log_init(fed_log_sink_t sink, fed_log_level_t max_level);

/* RET true if a line of this level would be kept: guards costly arguments */
extern bool fed_log_on(fed_log_level_t level);

extern void fed_log(fed_log_level_t level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define fed_error(...) fed_log(FED_LOG_ERROR, __VA_ARGS__)
#define fed_info(...) fed_log(FED_LOG_INFO, __VA_ARGS__)
#define fed_verbose(...) fed_log(FED_LOG_VERBOSE, __VA_ARGS__)
#define fed_debug(...) \
	do { \
		if (fed_log_on(FED_LOG_DEBUG)) \
			fed_log(FED_LOG_DEBUG, __VA_ARGS__); \
	} while (0)

/*
 * A complaint that repeats: said when its text changes, and otherwise once per
 * FED_LOG_REPEAT_SECONDS. One of these per source of complaint, zeroed to
 * start with and after the source has recovered, used by one thread.
 */
#define FED_LOG_REPEAT_SECONDS 600

typedef struct {
	int64_t said_at;	/* CLOCK_MONOTONIC seconds; 0: never */
	uint32_t text_hash;
	uint32_t suppressed;	/* lines not said since */
} fed_log_throttle_t;

/* RET true if the line was said */
extern bool fed_log_throttled(fed_log_throttle_t *throttle,
			      fed_log_level_t level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Complaints about peers and users, of whom there are many: each text is said
 * once per FED_LOG_REPEAT_SECONDS, and no more than FED_LOG_TEXTS of them, so
 * that nobody fills the log, whatever he thinks of. Any thread may use it.
 */
#define FED_LOG_TEXTS 32
#define FED_LOG_TEXTS_INIT { .lock = PTHREAD_MUTEX_INITIALIZER }

typedef struct {
	pthread_mutex_t lock;
	struct {
		int64_t said_at; /* as above */
		uint32_t text_hash;
	} said[FED_LOG_TEXTS];
	int64_t full_at;	/* it was last said that there are more */
} fed_log_texts_t;

/* RET true if the line was said */
extern bool fed_log_once(fed_log_texts_t *texts, fed_log_level_t level,
			 const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
