/*
 * field.h - structs described by a table, and everything the model does with
 * them: empty, free, copy, compare, merge, to and from JSON, to and from the
 * text that their owner keeps of them.
 *
 * Each noun of the model keeps one table; a new field is one line in it.
 */
#ifndef FED_FLURM_FIELD_H
#define FED_FLURM_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/core/bytes.h"
#include "src/core/err.h"

typedef enum {
	FIELD_TEXT,	/* char *; max: its longest */
	FIELD_LIST,	/* char **, NULL-terminated; max: of each element */
	FIELD_U32,	/* uint32_t; 0: not said */
	FIELD_U64,	/* uint64_t, at most INT64_MAX; 0: not said */
	FIELD_NUMBER,	/* int64_t */
	FIELD_DURATION,	/* int64_t, or "unlimited" */
	FIELD_FLAG,	/* flurm_flag_t */
	FIELD_STATE,	/* flurm_state_t; FLURM_STATE_COUNT: not said */
} field_type_t;

typedef struct {
	const char *name;
	field_type_t type;
	size_t offset;
	int64_t min;
	int64_t max;
	bool required;		/* in JSON */
	bool identity;		/* a merge leaves it alone */
	bool bulk;		/* large: kept apart from the others */
} field_t;

/* a table, and what its struct is called in an error: "partition" */
typedef struct {
	const char *noun;
	const field_t *fields;
	size_t count;
} field_table_t;

#define FIELD_NAME_MAX 1024
#define FIELD_PATH_MAX 4096
#define FIELD_TEXT_MAX (256 * 1024 * 1024)
#define FIELD_U32_MAX 4294967295
#define FIELD_ID_MAX 4294967293	/* (uid_t) -1 and -2 are nobody to Slurm */
#define FIELD_COUNT_MAX (1 << 24)	/* nodes, tasks, CPUs */
#define FIELD_MB_MAX (1LL << 40)
#define FIELD_TIME_MAX (1LL << 40)

/*
 * The lines of a table. Before it, #define FIELD_RECORD to the struct; more
 * (".required = true") may follow as a last argument.
 */
#define FIELD(member, kind, low, high, ...) \
	{ .name = #member, .type = kind, \
	  .offset = offsetof(FIELD_RECORD, member), \
	  .min = low, .max = high, __VA_ARGS__ }
#define FIELD_NAME(m, ...) FIELD(m, FIELD_TEXT, 0, FIELD_NAME_MAX, __VA_ARGS__)
#define FIELD_PATH(m, ...) FIELD(m, FIELD_TEXT, 0, FIELD_PATH_MAX, __VA_ARGS__)
#define FIELD_ANY(m, ...) FIELD(m, FIELD_TEXT, 0, FIELD_TEXT_MAX, __VA_ARGS__)
#define FIELD_TEXTS(m, ...) FIELD(m, FIELD_LIST, 0, FIELD_TEXT_MAX, __VA_ARGS__)
#define FIELD_KEY32(m, ...) FIELD(m, FIELD_U32, 0, FIELD_U32_MAX, __VA_ARGS__)
#define FIELD_KEY64(m, ...) FIELD(m, FIELD_U64, 0, INT64_MAX, __VA_ARGS__)
#define FIELD_RANGE(m, low, high, ...) \
	FIELD(m, FIELD_NUMBER, low, high, __VA_ARGS__)
#define FIELD_COUNT(m, ...) FIELD_RANGE(m, 0, FIELD_COUNT_MAX, __VA_ARGS__)
#define FIELD_MB(m, ...) FIELD_RANGE(m, 0, FIELD_MB_MAX, __VA_ARGS__)
#define FIELD_MOMENT(m, ...) FIELD_RANGE(m, 0, FIELD_TIME_MAX, __VA_ARGS__)
#define FIELD_SECONDS(m, ...) \
	FIELD(m, FIELD_DURATION, 0, FIELD_TIME_MAX, __VA_ARGS__)
#define FIELD_BOOL(m, ...) FIELD(m, FIELD_FLAG, 0, 0, __VA_ARGS__)
#define FIELD_TABLE(noun, fields) \
	{ noun, fields, sizeof(fields) / sizeof((fields)[0]) }

/* Every function below wants a struct that has been initialized. */
extern void field_init(const field_table_t *table, void *record);
extern void field_free(const field_table_t *table, void *record);

extern void field_copy(const field_table_t *table, void *ret_record,
		       const void *record);
/* RET true if both say the same; lists are never the same */
extern bool field_equal(const field_table_t *table, const void *a,
			const void *b);
/* IN clear - an empty text takes away what record says, or else replaces it */
extern void field_merge(const field_table_t *table, void *record,
			const void *change, bool clear);

/* IN at - the field itself */
extern bool field_said(const field_t *field, const void *at);

/*
 * Put the fields that are said as text into bytes: those that are bulk, or all
 * others. It has no NUL byte, and gets none behind it.
 */
extern void field_pack(const field_table_t *table, const void *record,
		       bool bulk, fed_bytes_t *bytes);

/*
 * IN OUT ret_record - initialized; on failure partly filled
 * RET 0, or -1 if it is no such text or has a field that the table has not
 */
extern int field_unpack(const field_table_t *table, const char *text,
			void *ret_record, fed_err_t *err);

/* RET 0, or -1 without memory */
extern int field_to_json(const field_table_t *table, const void *record,
			 json_t *object);

/*
 * IN OUT ret_record - initialized; on failure partly filled
 * RET 0, or -1: err names the field
 */
extern int field_from_json(const field_table_t *table, const json_t *object,
			   void *ret_record, fed_err_t *err);

/* Text that may be any bytes (model.h). RET NULL without memory */
extern json_t *field_text_to_json(const char *text);

/* RET malloc'd, or NULL: err says what is wrong with name */
extern char *field_text_from_json(const json_t *json, const char *name,
				  int64_t max, fed_err_t *err);

#endif
