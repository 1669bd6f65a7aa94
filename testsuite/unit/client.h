/*
 * client.h - Slurm's library as its client commands use it, in a program that
 * tests what we send them.
 */
#ifndef FED_UNIT_CLIENT_H
#define FED_UNIT_CLIENT_H

#include "src/sibling/compat.h"
#include "testsuite/unit/scratch.h"

static char *client_dir;

/* A slurm.conf, and the plugins for what select plugins send */
static inline int client_setup(void **state)
{
	static const char conf[] =
		"ClusterName=unit\n"
		"SlurmctldHost=localhost\n"
		"SlurmUser=root\n"
		"SelectType=select/cons_tres\n";
	char *path;

	client_dir = scratch_make();
	assert_true(asprintf(&path, "%s/slurm.conf", client_dir) > 0);
	scratch_write(path, conf, sizeof(conf) - 1);
	slurm_conf_init(path);
	free(path);
	return select_g_init(false);
}

static inline int client_teardown(void **state)
{
	scratch_remove(client_dir);
	return 0;
}

/* RET what a client makes of a packed body, all of which it must read */
static inline void *client_unpack(buf_t *buf, uint16_t type, uint16_t version)
{
	uint32_t size = get_buf_offset(buf);
	slurm_msg_t msg;

	slurm_msg_t_init(&msg);
	msg.msg_type = type;
	msg.protocol_version = version;
	set_buf_offset(buf, 0);
	assert_int_equal(unpack_msg(&msg, buf), SLURM_SUCCESS);
	assert_int_equal(get_buf_offset(buf), size);
	assert_non_null(msg.data);
	return msg.data;
}

/* IN/OUT version - starts at 0; RET false after the last that we speak */
static inline bool client_next_version(uint16_t *version)
{
	*version = *version ? *version + (1 << 8) : COMPAT_VERSION_MIN;
	return *version <= COMPAT_VERSION_OWN;
}

/* Sets of indexes, as pairs up to a -1 */
static inline int32_t *client_make_inx(int32_t first, int32_t last,
				       int32_t other)
{
	int32_t *inx = xcalloc(5, sizeof(*inx));

	inx[0] = first;
	inx[1] = last;
	inx[2] = inx[3] = other;
	inx[4] = -1;
	return inx;
}

static inline void client_same_inx(const int32_t *sent, const int32_t *got)
{
	int i = 0;

	assert_non_null(got);
	do
		assert_int_equal(sent[i], got[i]);
	while (sent[i++] >= 0);
}

#endif
