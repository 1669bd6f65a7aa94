/*
 * pack_info.h - the bodies of Slurm's info messages, packed by hand.
 *
 * Slurm's libraries can unpack them but not pack them: slurmctld packs its own
 * records, under its own cluster's name. A body is begun here with a header
 * that says how many records follow; pack_job.c, pack_node.c, pack_part.c and
 * pack_step.c pack those, from Slurm's public structures, in the layout of each protocol
 * version that a build of ours can meet. Each layout is proven by the client's
 * own unpack in the unit tests.
 */
#ifndef FED_SIBLING_PACK_INFO_H
#define FED_SIBLING_PACK_INFO_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "src/sibling/compat.h"

/* Slurm's protocol versions, by the release that brought each of them */
typedef enum {
	PACK_20_11 = 36 << 8,
	PACK_21_08 = 37 << 8,
	PACK_22_05 = 38 << 8,
	PACK_23_02 = 39 << 8,
	PACK_23_11 = 40 << 8,
	PACK_24_05 = 41 << 8,
	PACK_24_11 = 42 << 8,
} pack_version_t;

/* RET true if this build has a layout for a protocol version */
extern bool pack_info_speaks(uint16_t version);

/*
 * Begin the body of a RESPONSE_JOB_INFO.
 * IN count - job records that the caller will append
 * RET a buffer for free_buf(), NULL if version is not spoken
 */
extern buf_t *pack_info_jobs(uint32_t count, time_t last_update,
			     uint16_t version);

/*
 * A record in which nothing is set, as a client prints a batch job that asked
 * for nothing; times, states, ids and strings are 0 or NULL.
 */
extern void pack_info_job_init(job_info_t *job);

/*
 * Append one job record. All strings may be NULL. The tasks of an array are
 * taken from array_bitmap: array_task_str is what the client makes of it. The
 * eight fields of boards, sockets, cores, threads and tasks per each are sent
 * all or, when all are 0, not at all. job_resrcs may be NULL.
 * RET 0, -1 if version is not spoken, and then nothing was appended
 */
extern int pack_info_job(buf_t *buf, const job_info_t *job, uint16_t version);

/*
 * Begin the body of a RESPONSE_NODE_INFO; none of its nodes is hidden. The
 * nodes' order is what the indexes in job and partition records refer to.
 */
extern buf_t *pack_info_nodes(uint32_t count, time_t last_update,
			      uint16_t version);

/* What jobs have of a node; Slurm keeps it in its select plugin's own data. */
typedef struct {
	uint16_t cpus;		/* of them the client makes MIXED or ALLOCATED */
	uint64_t memory;	/* MB */
	char *tres;		/* "cpu=2,mem=100M", NULL: nothing */
	double tres_weighted;
} pack_node_alloc_t;

/* A node of which nothing is known; its state is UNKNOWN. */
extern void pack_info_node_init(node_info_t *node);

/*
 * Append one node record. Energy is packed if there is a record of it;
 * external sensors and power caps are always unknown.
 * IN alloc - NULL: nothing is allocated; node->select_nodeinfo is not used
 * RET 0, -1 if version is not spoken, and then nothing was appended
 */
extern int pack_info_node(buf_t *buf, const node_info_t *node,
			  const pack_node_alloc_t *alloc, uint16_t version);

/* Begin the body of a RESPONSE_PARTITION_INFO. */
extern buf_t *pack_info_parts(uint32_t count, time_t last_update,
			      uint16_t version);

/* A partition that is up, empty and restricts nobody. */
extern void pack_info_part_init(partition_info_t *part);

/*
 * Append one partition record.
 * RET 0, -1 if version is not spoken, and then nothing was appended
 */
extern int pack_info_part(buf_t *buf, const partition_info_t *part,
			  uint16_t version);

/*
 * Begin the body of a RESPONSE_JOB_STEP_INFO, and end it when its steps are
 * there and counted.
 */
extern buf_t *pack_info_steps(time_t last_update, uint16_t version);
extern void pack_info_steps_end(buf_t *buf, uint32_t count, uint16_t version);

/*
 * Append one step.
 * RET 0, -1 if version is not spoken, and then nothing was appended
 */
extern int pack_info_step(buf_t *buf, const job_step_info_t *step,
			  uint16_t version);

/*
 * Append a set of indexes as a bitmap, for the records' packers.
 * IN inx - pairs of first and last up to a -1, as in Slurm's structures; NULL
 *	is the empty set
 */
extern void pack_info_inx(buf_t *buf, const int32_t *inx);

#endif
