/*
 * pack_info.c - the bodies of Slurm's info messages (see pack_info.h).
 */
#include "src/sibling/pack_info.h"

extern buf_t *pack_info_jobs(uint32_t count, time_t last_update,
			     uint16_t version)
{
	buf_t *buf = init_buf(BUF_SIZE);

	/* 21.08 and later; no build of ours speaks to anything older */
	pack32(count, buf);
	pack_time(last_update, buf);
	pack_time(0, buf);	/* last backfill: not told */
	return buf;
}
