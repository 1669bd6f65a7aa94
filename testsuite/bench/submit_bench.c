/*
 * submit_bench.c - submits batch jobs to the slurmctld of $SLURM_CONF, one after
 * the other from one process, and prints the id of each.
 *
 *	submit_bench COUNT CLUSTERS THREADS [SCRIPT]
 *
 * The jobs are for the clusters that are named, which sbatch --clusters would
 * ask itself first who is the best; without a script they wait for tomorrow.
 * What sbatch itself takes to start is not measured. The last line is the
 * seconds that it took.
 */
#include "src/sibling/compat.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *clusters, *script;
static long each;

static double _now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void *_submit(void *arg)
{
	static char *environment[] = { (char *) "PATH=/usr/bin:/bin", NULL };
	int *failed = arg;

	for (long i = 0; i < each; i++) {
		submit_response_msg_t *response = NULL;
		job_desc_msg_t desc;

		slurm_init_job_desc_msg(&desc);
		desc.clusters = (char *) clusters;
		desc.name = (char *) "bench";
		desc.work_dir = (char *) "/tmp";
		desc.std_out = (char *) "/dev/null";
		desc.environment = environment;
		desc.env_size = 1;
		desc.script = (char *) (script ? script : "#!/bin/sh\ntrue\n");
		desc.user_id = getuid();
		desc.group_id = getgid();
		desc.min_cpus = desc.num_tasks = 1;
		if (!script)
			desc.begin_time = time(NULL) + 86400;
		if (slurm_submit_batch_job(&desc, &response)) {
			slurm_perror("submit_bench");
			*failed = 1;
			return NULL;
		}
		printf("%u\n", response->job_id);
		slurm_free_submit_response_response_msg(response);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[64];
	int failed = 0, threads;
	double began;

	if ((argc < 4) || (argc > 5) || ((threads = strtol(argv[3], NULL, 10)) < 1) ||
	    (threads > 64)) {
		fprintf(stderr, "see the head of submit_bench.c\n");
		return 2;
	}
	clusters = argv[2];
	script = argv[4];
	each = strtol(argv[1], NULL, 10) / threads;
	slurm_init(NULL);
	began = _now();
	for (int i = 0; i < threads; i++)
		pthread_create(&thread[i], NULL, _submit, &failed);
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("seconds %.3f\n", _now() - began);
	return failed;
}
