/*
 * limits_load.c - limits, as slurmdbd says them and as the ledger keeps them
 * (see limits.h).
 */
#include "src/sibling/limits.h"

/* slurmdbd's ids of what FLURM has */
static const int tres_ids[LIMIT_TRES] = {
	[LIMIT_CPU] = TRES_CPU,
	[LIMIT_MEM] = TRES_MEM,
	[LIMIT_NODE] = TRES_NODE,
	[LIMIT_BILLING] = TRES_BILLING,
};

extern uint32_t limits_tres_id(limit_tres_t tres)
{
	return tres_ids[tres];
}

static limits_t *_none(void)
{
	limits_t *limits = xmalloc(sizeof(*limits));

	for (int i = 0; i < LIMIT_COUNTS; i++)
		limits->count[i] = INFINITE;
	for (int i = 0; i < LIMIT_KINDS; i++)
		for (int j = 0; j < LIMIT_TRES; j++)
			limits->tres[i][j] = INFINITE64;
	limits->usage_factor = 1;
	return limits;
}

static bool _has_any(const limits_t *limits)
{
	bool any = false;

	for (int i = 0; i < LIMIT_COUNTS; i++)
		any |= (limits->count[i] != INFINITE);
	for (int i = 0; i < LIMIT_KINDS; i++)
		for (int j = 0; j < LIMIT_TRES; j++)
			any |= (limits->tres[i][j] != INFINITE64);
	return any;
}

static void _set_count(limits_t *limits, limit_count_t count, uint32_t said)
{
	limits->count[count] = (said == NO_VAL) ? INFINITE : said;
}

/* IN text - "1=10,4=2" */
static void _set_tres(limits_t *limits, limit_kind_t kind, char *text)
{
	for (int i = 0; i < LIMIT_TRES; i++)
		limits->tres[kind][i] = slurmdb_find_tres_count_in_string(
			text, tres_ids[i]);
}

/* What has the same name in both of slurmdbd's records */
#define SET_SHARED(limits, rec) \
	do { \
		_set_count(limits, LIMIT_GRP_JOBS, rec->grp_jobs); \
		_set_count(limits, LIMIT_GRP_SUBMIT, rec->grp_submit_jobs); \
		_set_count(limits, LIMIT_MAX_WALL, rec->max_wall_pj); \
		_set_count(limits, LIMIT_GRP_WALL, rec->grp_wall); \
		_set_tres(limits, LIMIT_GRP, rec->grp_tres); \
		_set_tres(limits, LIMIT_GRP_MINS, rec->grp_tres_mins); \
		_set_tres(limits, LIMIT_GRP_RUN_MINS, rec->grp_tres_run_mins); \
		_set_tres(limits, LIMIT_JOB, rec->max_tres_pj); \
		_set_tres(limits, LIMIT_JOB_MINS, rec->max_tres_mins_pj); \
		_set_tres(limits, LIMIT_JOB_NODE, rec->max_tres_pn); \
	} while (0)

extern limits_t *limits_of_assoc(const slurmdb_assoc_rec_t *rec)
{
	limits_t *limits = _none();

	SET_SHARED(limits, rec);
	_set_count(limits, LIMIT_MAX_JOBS, rec->max_jobs);
	_set_count(limits, LIMIT_MAX_SUBMIT, rec->max_submit_jobs);
	if (!_has_any(limits))
		xfree(limits);
	return limits;
}

extern limits_t *limits_of_qos(const slurmdb_qos_rec_t *rec)
{
	limits_t *limits = _none();

	SET_SHARED(limits, rec);
	_set_count(limits, LIMIT_MAX_JOBS, rec->max_jobs_pu);
	_set_count(limits, LIMIT_MAX_SUBMIT, rec->max_submit_jobs_pu);
	_set_count(limits, LIMIT_MAX_JOBS_ACCT, rec->max_jobs_pa);
	_set_count(limits, LIMIT_MAX_SUBMIT_ACCT, rec->max_submit_jobs_pa);
	_set_tres(limits, LIMIT_JOB_MIN, rec->min_tres_pj);
	_set_tres(limits, LIMIT_USER, rec->max_tres_pu);
	_set_tres(limits, LIMIT_ACCT, rec->max_tres_pa);
	if (COMPAT_RUN_MINS_PER) {
		_set_tres(limits, LIMIT_USER_RUN_MINS,
			  rec->max_tres_run_mins_pu);
		_set_tres(limits, LIMIT_ACCT_RUN_MINS,
			  rec->max_tres_run_mins_pa);
	}
	if (!(rec->flags & QOS_FLAG_NOTSET)) {
		limits->deny = rec->flags & QOS_FLAG_DENY_LIMIT;
		limits->factor_safe = rec->flags & QOS_FLAG_USAGE_FACTOR_SAFE;
		limits->keeps = rec->flags & QOS_FLAG_NO_DECAY;
	}
	/* what is not set is INFINITE or NO_VAL */
	if ((rec->usage_factor >= 0) && (rec->usage_factor < NO_VAL))
		limits->usage_factor = rec->usage_factor;
	if ((rec->limit_factor > 0) && (rec->limit_factor < NO_VAL))
		limits->limit_factor = rec->limit_factor;
	return limits;
}

extern limits_t *limits_copy(const limits_t *limits)
{
	limits_t *copy;

	if (!limits)
		return NULL;
	copy = xmalloc(sizeof(*copy));
	*copy = *limits;
	return copy;
}

/* ---- the ledger's: most of them are not set ---- */

extern void limits_pack(const limits_t *limits, fed_bytes_t *bytes)
{
	fed_put_u8(bytes, limits != NULL);
	if (!limits)
		return;
	for (int i = 0; i < LIMIT_COUNTS; i++)
		fed_put_u32(bytes, limits->count[i]);
	for (int i = 0; i < LIMIT_KINDS; i++) {
		for (int j = 0; j < LIMIT_TRES; j++) {
			if (limits->tres[i][j] == INFINITE64)
				continue;
			fed_put_u8(bytes, i * LIMIT_TRES + j + 1);
			fed_put_u64(bytes, limits->tres[i][j]);
		}
	}
	fed_put_u8(bytes, 0);
	fed_put_u8(bytes, limits->deny);
	fed_put_u8(bytes, limits->factor_safe);
	fed_put_u8(bytes, limits->keeps);
	fed_put_double(bytes, limits->usage_factor);
	fed_put_double(bytes, limits->limit_factor);
}

extern limits_t *limits_unpack(fed_reader_t *reader, bool old)
{
	limits_t *limits;
	uint8_t place;

	if (!fed_get_u8(reader))
		return NULL;
	limits = _none();
	for (int i = 0; i < LIMIT_COUNTS; i++)
		if (!old || (i != LIMIT_GRP_WALL))
			limits->count[i] = fed_get_u32(reader);
	while ((place = fed_get_u8(reader))) {
		uint64_t limit = fed_get_u64(reader);

		if (--place < LIMIT_KINDS * LIMIT_TRES)
			limits->tres[place / LIMIT_TRES][place % LIMIT_TRES] =
				limit;
		else
			reader->bad = true;
	}
	limits->deny = fed_get_u8(reader);
	limits->factor_safe = fed_get_u8(reader);
	limits->keeps = old ? false : fed_get_u8(reader);
	limits->usage_factor = fed_get_double(reader);
	limits->limit_factor = fed_get_double(reader);
	return limits;
}
