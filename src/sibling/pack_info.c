/*
 * pack_info.c - the bodies of Slurm's info messages (see pack_info.h).
 *
 * Layouts are told apart as Slurm does, by "this version or later": a field
 * that came with a version stays, or the layout is another function.
 */
#include "src/sibling/pack_info.h"

_Static_assert(COMPAT_VERSION_OWN < PACK_24_11 + (1 << 8),
	       "this Slurm speaks a version that is not packed yet");

extern bool pack_info_speaks(uint16_t version)
{
	return (version >= COMPAT_VERSION_MIN) &&
	       (version <= COMPAT_VERSION_OWN);
}

extern void pack_info_inx(buf_t *buf, const int32_t *inx)
{
	bitstr_t *bitmap = NULL;
	int32_t last = -1;

	for (const int32_t *pair = inx; pair && (pair[0] >= 0); pair += 2)
		last = MAX(last, pair[1]);
	if (last >= 0) {
		bitmap = bit_alloc(last + 1);
		(void) inx2bitstr(bitmap, (int32_t *) inx);
	}
	pack_bit_str_hex(bitmap, buf);
	FREE_NULL_BITMAP(bitmap);
}

/* What every such body begins with */
static buf_t *_begin(uint32_t count, time_t last_update, uint16_t version)
{
	buf_t *buf;

	if (!pack_info_speaks(version))
		return NULL;
	buf = init_buf(BUF_SIZE);
	pack32(count, buf);
	pack_time(last_update, buf);
	return buf;
}

extern buf_t *pack_info_jobs(uint32_t count, time_t last_update,
			     uint16_t version)
{
	buf_t *buf = _begin(count, last_update, version);

	if (buf && (version >= PACK_21_08))
		pack_time(0, buf);	/* last backfill: not told */
	return buf;
}

extern buf_t *pack_info_nodes(uint32_t count, time_t last_update,
			      uint16_t version)
{
	buf_t *buf = _begin(count, last_update, version);

	if (buf && (version >= PACK_24_11))
		pack_info_inx(buf, NULL);	/* the hidden nodes */
	return buf;
}

extern buf_t *pack_info_parts(uint32_t count, time_t last_update,
			      uint16_t version)
{
	return _begin(count, last_update, version);
}
